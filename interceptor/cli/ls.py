"""List the newest traces, newest first.

TOOK is how long a trace took, FIRST the time to its first token, IN and OUT the tokens that the
server counted. ✗ marks a trace that failed, ● one that is running, ? one whose process ended
before it did. A request that was sent again is `attempt 2 of ID`; a stream that the program did
not read to its end was `left early`. `interceptor show ID` shows a trace whole. A pipe gets a line
for each trace, and as wide a list as COLUMNS says where that is set.
"""

import argparse
import os
import time

from interceptor.cli._json import trace_json
from interceptor.cli._listing import Listing
from interceptor.cli._output import Note, Output
from interceptor.cli._times import moment
from interceptor.cli._where import add_store, elsewhere, losses, store_of
from interceptor.installing.environment import missing
from interceptor.settings import Settings
from interceptor.store import Status, Store

__all__ = ["add_arguments", "run"]

_NOTHING = "nothing has been recorded yet"
_FIRST_STEPS = """{nothing}

  interceptor demo                   shows what traces look like; it needs no key
  Mistral(**interceptor.clients())   records what a client of yours says from then on

Traces will be kept in {path}"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("-n", type=_count, default=20, help="how many (default: %(default)s)")
    parser.add_argument("--model", help="with a call to this model; * stands for anything")
    parser.add_argument("--name", help="with a span of this name; * stands for anything")
    parser.add_argument("--status", choices=[*map(str, Status)], help="of this status")
    parser.add_argument(
        "--since", metavar="TIME", type=_moment, help="from then on: 1h, 2026-11-21"
    )
    parser.add_argument("--until", metavar="TIME", type=_moment, help="up to then")
    parser.add_argument("--session", metavar="ID", help="of this session")
    parser.add_argument("--user", metavar="ID", help="of this user")
    parser.add_argument("--tag", help="with this tag")
    parser.add_argument("--text", metavar="WORDS", help="with all these words in what was said")
    parser.add_argument("--json", action="store_true", help="a line of JSON for each trace")
    add_store(parser)


def run(args: argparse.Namespace) -> Output:
    """Give the list, and what there is to say about the store."""
    settings, errors = Settings.from_env_or_default(os.environ)
    yield from (Note(str(error)) for error in errors)
    store, is_named = store_of(args, settings)
    notes = () if args.store else tuple(elsewhere(settings, os.environ))
    yield from notes
    if unheeded := missing(os.environ):
        yield Note(unheeded)
    if not store.path.exists() and (notes or not is_named):
        if not notes:
            yield _nothing(store, args)
        return
    now_unix_ns = time.time_ns()
    yield from _listed(store, args, now_unix_ns)
    yield from losses(store, now_unix_ns=now_unix_ns)


def _listed(store: Store, args: argparse.Namespace, now_unix_ns: int) -> Output:
    wanted = {
        "model": args.model,
        "name": args.name,
        "status": args.status,
        "since_unix_ns": args.since,
        "until_unix_ns": args.until,
        "session_id": args.session,
        "user_id": args.user,
        "tag": args.tag,
        "text": args.text,
    }
    traces = store.search(**wanted, limit=args.n)
    if args.json:
        yield from map(trace_json, traces)
    elif traces:
        yield Listing(traces, now_unix_ns=now_unix_ns)
    elif any(value is not None for value in wanted.values()):
        yield Note("no trace matches")
    else:
        yield _nothing(store, args)


def _nothing(store: Store, args: argparse.Namespace) -> str | Note:
    return Note(_NOTHING) if args.json else _FIRST_STEPS.format(nothing=_NOTHING, path=store.path)


def _count(text: str) -> int:
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")


def _moment(text: str) -> int:
    return moment(text, now_unix_ns=time.time_ns())
