"""Show one trace: its tree with durations as bars, its conversation, what it used, what failed.

Long texts are shortened, and messages that one call repeats from another are only counted;
--full shows all. --json gives every attribute as it was recorded.
"""

import argparse
import os
import time
from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from interceptor.cli._conversation import Conversation
from interceptor.cli._facts import facts
from interceptor.cli._heading import about, scored, title
from interceptor.cli._json import story_json
from interceptor.cli._layout import Fields
from interceptor.cli._links import Links
from interceptor.cli._output import Note, Output
from interceptor.cli._texts import counted
from interceptor.cli._tree import Tree
from interceptor.cli._where import add_store, store_of
from interceptor.errors import StoreError
from interceptor.settings import Settings
from interceptor.store import Score, Span, Store, Trace
from interceptor.store.tree import Branch, branches

__all__ = ["add_arguments", "run", "story"]

_MOST_SPANS = 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument(
        "trace", metavar="TRACE", nargs="?", help="the first digits of its id (default: the newest)"
    )
    parser.add_argument("--full", action="store_true", help="shorten nothing")
    parser.add_argument("--json", action="store_true", help="its spans as JSON")
    add_store(parser)


def run(args: argparse.Namespace) -> Output:
    """Give the trace, from the top down."""
    settings, errors = Settings.from_env_or_default(os.environ)
    yield from (Note(str(error)) for error in errors)
    store, _ = store_of(args, settings)
    spans = store.trace(_newest(store) if args.trace is None else args.trace)
    scores = store.scores(spans[0].trace_id)
    if args.json:
        yield story_json(spans, scores)
    else:
        later = store.retries(spans[0].trace_id)
        yield from story(spans, scores, later, now_unix_ns=time.time_ns(), is_full=args.full)


def story(
    spans: Sequence[Span],
    scores: Sequence[Score],
    later: Sequence[Trace] = (),
    *,
    now_unix_ns: int,
    is_full: bool = False,
) -> Iterator[RenderableType]:
    """Give a trace as a person reads it; `now` is for spans that are running.

    `later` are the traces of later attempts at its request.
    """
    tree = branches(spans)
    known_ids = {branch.span.span_id for branch in tree}
    links = Links(tree, later)
    shown = tree if is_full else tree[:_MOST_SPANS]
    yield title(tree[0].span)
    yield Fields(
        [*about(spans), *(scored(score) for score in scores if score.span_id not in known_ids)]
    )
    if len(tree) > 1:
        yield ""
        yield Tree(shown, now_unix_ns=now_unix_ns)
        yield from _left_out(tree[len(shown) :])
    words = Conversation(is_full=is_full)
    for span, number, *_ in shown:
        known = [
            *facts(span, links, now_unix_ns=now_unix_ns, is_full=is_full),
            *(scored(score) for score in scores if score.span_id == span.span_id),
        ]
        said = [*words.of(span.attributes, number)]
        if len(tree) > 1 and (known or said):
            yield ""
            yield title(span, number)
        yield Fields(known)
        if said:
            yield from [""] if known else []
            yield Fields(said)


def _left_out(tree: Sequence[Branch]) -> Iterator[Text]:
    if tree:
        failed = sum(branch.span.failed for branch in tree)
        and_failed = f", {failed} of them failed" if failed else ""
        yield Text(f"… {counted(len(tree), 'more span')}{and_failed}; --full shows all", "dim")


def _newest(store: Store) -> str:
    for trace in store.latest(1):
        return trace.trace_id
    raise StoreError(f"nothing has been recorded yet in the store at {str(store.path)!r}")
