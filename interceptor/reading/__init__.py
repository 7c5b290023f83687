"""From an exchange to a record: the one place where bytes become meaning.

`read` looks up the endpoint's row, undoes the content encoding, folds a stream into the answer it
stands for, and gives a `Record`. It runs once, when the exchange has ended, on a worker thread.
"""

from collections.abc import Callable

import msgspec

from interceptor import endpoints
from interceptor.exchange import Ending, Exchange, Request
from interceptor.reading import _bodies, _facts, _request, _response
from interceptor.record import Answer, Failure, Output, Record, Stream
from interceptor.wire.notes import Notes

__all__ = ["read"]


def _no_rest() -> None:
    """Read on without a pause."""


def read(exchange: Exchange, *, rest: Callable[[], None] = _no_rest) -> Record:
    """Read an ended exchange.

    Times in the record are nanoseconds. What cannot be read is left out and named in
    `Record.notes`: a body in an unknown shape yields a record with less in it, never no record.
    `rest` is called between bounded pieces of work, so that a thread reading a large body can
    give way to others.
    """
    notes = Notes()
    request = exchange.request
    row, ids = endpoints.match(request.method, request.path)
    if exchange.let_go_bytes:
        notes.add(f"{exchange.let_go_bytes} bytes were let go unread: the queue was full")
    row, asked = _request.to_input(exchange, row, ids, notes, rest)
    found = _response.to_found(exchange, row, notes, rest)
    answer = row.measured(found.answer, asked) if row.measured else found.answer
    stream = found.stream if row.fold else None
    answer = _with_ending(answer, _struck(exchange.ending, request, rest), stream)
    return Record(
        endpoint=row.name,
        operation=_facts.operation(row, asked, answer.output),
        method=request.method,
        path=request.path,
        attempt=exchange.attempt,
        times=_facts.times(exchange, found.first_content_at_ns),
        server=_facts.server(exchange),
        status=exchange.status,
        request_bytes=None if request.body is None else len(request.body),
        response_bytes=exchange.received_bytes,
        input=asked,
        output=answer.output,
        usage=_facts.usage(exchange, answer.usage),
        usage_by_model=answer.usage_by_model,
        stream=found.stream,
        failure=answer.failure,
        tool_runs=answer.tool_runs,
        handoffs=answer.handoffs,
        phases=_facts.phases(exchange),
        notes=notes.texts(),
    )


def _struck(ending: Ending | None, request: Request, rest: Callable[[], None]) -> Ending | None:
    """An exception may quote the header that it could not send: credentials go from its message."""
    if ending is None or ending.message is None:
        return ending
    message = _bodies.struck(ending.message.encode(), request.secrets, rest)
    return ending._replace(message=message.decode())


def _with_ending(answer: Answer, ending: Ending | None, stream: Stream | None) -> Answer:
    """Add the exception that ended the reading, where the wire has named no failure itself."""
    if ending is None or not ending.is_error:
        return answer
    failure = answer.failure or Failure(kind=ending.kind, message=ending.message)
    output = _cut_short(answer.output, stream) if stream else answer.output
    return msgspec.structs.replace(answer, failure=failure, output=output)


def _cut_short(output: Output, stream: Stream) -> Output:
    """Say `error` for each choice that the end of the stream left without a finish reason.

    A stream that reached its own end has cut nothing short, but for the choices that were still
    open when another one had finished.
    """
    reasons = [message.finish_reason for message in output.messages]
    if stream.completed and (all(reasons) or not any(reasons)):
        return output
    marked = tuple(reason or "error" for reason in reasons) or ("error",)
    return msgspec.structs.replace(output, finish_reasons=marked)
