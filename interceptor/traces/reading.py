"""Finding traces, by their id or by what is known of them."""

import time
from datetime import date, timedelta
from typing import Any

from interceptor import moments, slot
from interceptor.errors import ArgumentError, StoreError, quoted
from interceptor.observing import last_trace_id
from interceptor.store import Status, Store
from interceptor.traces.trace import Trace

__all__ = ["get_trace", "search"]


def get_trace(trace_id: str | None = None) -> Trace:
    """Read a trace back; None means the one of `last_trace_id`.

    All that has ended is brought to the store first, which may take a moment: in a coroutine, use
    `await asyncio.to_thread(interceptor.get_trace, trace_id)`. Where no store is kept, the traces
    of this process that are newest can be read from memory. The first digits of an id will do.
    Raises `StoreError` where there is no such trace.
    """
    _check_texts(trace_id=trace_id)
    wanted = last_trace_id() if trace_id is None else trace_id
    if wanted is None:
        raise StoreError("nothing has been recorded in this process yet; give a trace_id")
    slot.flush()
    with slot.kept() as store:
        return _whole(store, wanted)


def search(
    *,
    model: str | None = None,
    status: Status | str | None = None,
    since: str | timedelta | date | None = None,
    until: str | timedelta | date | None = None,
    session_id: str | None = None,
    user_id: str | None = None,
    tag: str | None = None,
    name: str | None = None,
    text: str | None = None,
    limit: int = 20,
) -> list[Trace]:
    """Give the newest traces to which all of this applies, newest first.

    `model` and `name` are those of any span in the trace, and `*` in them stands for anything.
    `tag` is one of the trace's; `status` is one of `ok`, `error`, `running` and `lost`. `text` is
    looked for in what was said, in names and in errors: each of its words must begin a word there.
    A trace is meant that began
    at `since` or later, and before `until`: how long ago, as `interceptor ls` takes it (`"90s"`,
    `"1h"`, `"2d"`) or as a timedelta, or a date with a time or without; what names no zone is
    local. Waits as `get_trace` does. Raises `ArgumentError` for what is no time, no text or no
    number of traces, and `StoreError` for an unknown status, and where there is no store to read.
    """
    _check_texts(model=model, name=name, tag=tag, text=text)
    _check_count("limit", limit)
    now_unix_ns = time.time_ns()
    since_unix_ns = _unix_ns("since", since, now_unix_ns)
    until_unix_ns = _unix_ns("until", until, now_unix_ns)
    slot.flush()
    with slot.kept() as store:
        found = store.search(
            model=model,
            status=status,
            since_unix_ns=since_unix_ns,
            until_unix_ns=until_unix_ns,
            session_id=session_id,
            user_id=user_id,
            tag=tag,
            name=name,
            text=text,
            limit=limit,
        )
        return [_whole(store, one.trace_id) for one in found]


def _whole(store: Store, trace_id: str) -> Trace:
    spans = store.trace(trace_id)
    whole_id = spans[0].trace_id
    return Trace(trace_id=whole_id, spans=spans, scores=store.scores(whole_id))


def _unix_ns(what: str, given: str | timedelta | date | None, now_unix_ns: int) -> int | None:
    if given is None:
        return None
    found = moments.unix_ns(given, now_unix_ns=now_unix_ns)
    if found is None:
        raise ArgumentError(
            f"{what} is {quoted(given)}; use how long ago, such as '90s', '1h' or a timedelta, "
            "or a date, such as '2026-11-21T14:00' or a datetime"
        )
    return found


def _check_count(what: str, given: Any) -> None:
    if not isinstance(given, int) or isinstance(given, bool) or given < 1:
        raise ArgumentError(f"{what} is {quoted(given)}; use a whole number above 0")


def _check_texts(**given: Any) -> None:
    for what, value in given.items():
        if value is not None and not isinstance(value, str):
            raise ArgumentError(f"{what} is {quoted(value)}; use text")
