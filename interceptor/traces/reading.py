"""Finding traces, by their id or by what is known of them."""

from datetime import datetime

from interceptor import slot
from interceptor.errors import StoreError
from interceptor.observing import last_trace_id
from interceptor.store import Status, Store
from interceptor.traces.trace import Trace

__all__ = ["get_trace", "search"]

_NS = 1e9


def get_trace(trace_id: str | None = None) -> Trace:
    """Read a trace back; None means the one of `last_trace_id`.

    All that has ended is brought to the store first, which may take a moment: in a coroutine, use
    `await asyncio.to_thread(interceptor.get_trace, trace_id)`. Where no store is kept, the traces
    of this process that are newest can be read from memory. The first digits of an id will do.
    Raises `StoreError` where there is no such trace.
    """
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
    since: datetime | None = None,
    until: datetime | None = None,
    session_id: str | None = None,
    user_id: str | None = None,
    name: str | None = None,
    text: str | None = None,
    limit: int = 20,
) -> list[Trace]:
    """Give the newest traces to which all of this applies, newest first.

    `model` and `name` are those of any span in the trace, and `*` in them stands for anything.
    `status` is one of `ok`, `error`, `running` and `lost`. `text` is looked for in what was said,
    in names and in errors: each of its words must begin a word there. A trace is meant that began
    at `since` or later, and before `until`; times without a zone are local. Waits as `get_trace`
    does. Raises `StoreError` for an unknown status, and where there is no store to read.
    """
    slot.flush()
    with slot.kept() as store:
        found = store.search(
            model=model,
            status=status,
            since_unix_ns=_unix_ns(since),
            until_unix_ns=_unix_ns(until),
            session_id=session_id,
            user_id=user_id,
            name=name,
            text=text,
            limit=limit,
        )
        return [_whole(store, one.trace_id) for one in found]


def _whole(store: Store, trace_id: str) -> Trace:
    spans = store.trace(trace_id)
    whole_id = spans[0].trace_id
    return Trace(trace_id=whole_id, spans=spans, scores=store.scores(whole_id))


def _unix_ns(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * _NS)
