"""Make the installed SDK call a server that answers from recordings, and show the traces.

Nothing leaves this machine, no key is needed, and your own store stays untouched. With `--live`
the same programs call the real API.
"""

import argparse
import asyncio
import os
import shlex
import tempfile
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import interceptor
from interceptor.cli import ls, show
from interceptor.cli._output import Output
from interceptor.cli._stories import PAYMENT, STORIES, Caller, Story, sdk
from interceptor.errors import InterceptorError
from interceptor.replay import Server, by_question
from interceptor.settings import Content, Settings
from interceptor.store import Store
from interceptor.store.schema import make

__all__ = ["add_arguments", "run"]

_TITLE_COLUMNS = 35
_TEXT_COLUMNS = 43


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument(
        "--live",
        action="store_true",
        help="call the real API, with the key in MISTRAL_API_KEY; it costs some hundred tokens",
    )
    parser.add_argument(
        "--model",
        default="mistral-small-latest",
        help="the chat model that --live asks (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> Output:
    """Tell the stories; then what was recorded of them, where, and what to do next.

    Raises `InterceptorError` where `--live` finds no key, and at the end, when everything has
    been shown, where a story failed.
    """
    key = _key(os.environ) if args.live else None
    stories = [story for story in STORIES if not (key and story.only_replayed)]
    path = Path(tempfile.mkdtemp(prefix="interceptor-demo-")) / "traces.db"
    make(path)
    interceptor.configure(Settings(store=str(path), content=Content.FULL))
    failed = []
    yield from _introduction(args.model if key else None)
    with _where(key) as options, options["client"], asyncio.Runner() as runner:
        caller = Caller(sdk().Mistral(**options), args.model if key else None)
        for story in stories:
            text, is_told = _told(story, caller, runner)
            failed += [] if is_told else [story.title]
            yield f"  {story.title:{_TITLE_COLUMNS}}{_in_short(text)}"
        runner.run(options["async_client"].aclose())
    interceptor.flush()
    yield from _recorded(path)
    yield from _next(path)
    if failed:
        raise InterceptorError(f"{len(failed)} of {len(stories)} failed: {', '.join(failed)}")


def _key(environ: Mapping[str, str]) -> str:
    key = environ.get("MISTRAL_API_KEY")
    if not key:
        raise InterceptorError(
            "MISTRAL_API_KEY is not set, and --live calls the real API with it; "
            "`interceptor demo` by itself needs no key"
        )
    return key


def _introduction(model: str | None) -> Iterator[str]:
    where = "a server on this machine, which answers from recordings"
    if model:
        where = f"the real API, and asks {model}"
    yield f"mistralai {metadata.version('mistralai')} calls {where}."
    yield ""


@contextmanager
def _where(key: str | None) -> Iterator[dict[str, Any]]:
    """Give the SDK's arguments that lead to the API or, without a key, to a server of ours."""
    if key:
        yield {"api_key": key, **interceptor.clients()}
        return
    names = [name for story in STORIES for name in story.fixtures]
    with Server(by_question(*names), pace=1) as server:
        # A proxy of the environment's would look for the server on a machine of its own.
        clients = interceptor.clients(trust_env=False)
        yield {"api_key": "demo", "server_url": server.url, **clients}


def _told(story: Story, caller: Caller, runner: asyncio.Runner) -> tuple[str, bool]:
    """Give what a story came to, or how it failed, and which of the two it is."""
    try:
        told = story.tell(caller)
        return (told if isinstance(told, str) else runner.run(told)), True
    except Exception as error:  # noqa: BLE001 - whatever the SDK raises, its trace is worth showing
        return f"{type(error).__name__}: {error}", False


def _in_short(text: str) -> str:
    return textwrap.shorten(text, _TEXT_COLUMNS, placeholder=" …")


def _recorded(path: Path) -> Output:
    """Show what was recorded, as the commands do that are named above it."""
    traces = Store(path)
    yield from _typed(ls, "--store", str(path))
    chosen = [*traces.search(name=PAYMENT, limit=1), *traces.latest(1)][0]
    yield from _typed(show, chosen.trace_id[:8], "--store", str(path))


def _typed(command: ModuleType, *arguments: str) -> Output:
    """Run a command as if somebody had typed it."""
    name = command.__name__.rpartition(".")[2]
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    yield ""
    yield f"$ {shlex.join(['interceptor', name, *arguments])}"
    yield from command.run(parser.parse_args(arguments))


def _next(path: Path) -> Iterator[str]:
    store = shlex.quote(str(path))
    yield ""
    yield f"The traces stay in {path}, a store of the demo's own."
    yield ""
    yield "Next:"
    yield f"  interceptor show TRACE --store {store}"
    yield "  interceptor demo --live      the same over the real API, with MISTRAL_API_KEY"
    yield ""
    yield "In a program of yours, and then `interceptor ls`:"
    yield "  mistral = Mistral(api_key=..., **interceptor.clients())"
