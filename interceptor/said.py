"""What an observed function was given, gave and raised: words, as a policy sees them.

A policy is made for records. It is shown an observed function as a record whose `endpoint` is
`observe`: each text among the inputs is a part of one message, each text among the outputs a part
of another, and what was raised is the failure. What it makes of them takes their places.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from interceptor.record import Failure, Input, Message, Output, Record, Text, Times
from interceptor.redaction import Policy, redact

__all__ = ["ENDPOINT", "Said", "redacted"]

ENDPOINT = "observe"


class Said(NamedTuple):
    """Plain JSON-able values, or whatever stands for nothing said; `message` is an exception's."""

    input: Any
    output: Any
    message: str | None = None


def redacted(
    said: Said, policy: Policy | None, *, operation: str, started_unix_ns: int
) -> tuple[Said | None, tuple[str, ...]]:
    """Give what a policy leaves of the words, and notes on it; None where it leaves nothing.

    Texts are matched up by their order. A policy that gives more or fewer of them than there were
    cannot be followed, so that nothing is left.
    """
    if policy is None:
        return said, ()
    given, gave = tuple(_texts(said.input)), tuple(_texts(said.output))
    failure = None if said.message is None else Failure(kind="", message=said.message)
    record = redact(
        Record(
            endpoint=ENDPOINT,
            operation=operation,
            times=Times(started_unix_ns=started_unix_ns),
            input=Input(messages=(_message("user", given),)),
            output=Output(messages=(_message("assistant", gave),)),
            failure=failure,
        ),
        policy,
    )
    into, out = _left(record.input.messages, given), _left(record.output.messages, gave)
    if into is None or out is None:
        return None, record.notes
    message = record.failure.message if record.failure is not None else None
    return Said(_with(said.input, into), _with(said.output, out), message), record.notes


def _message(role: str, texts: tuple[str, ...]) -> Message:
    return Message(role=role, parts=tuple(map(Text, texts)))


def _left(messages: tuple[Message, ...], before: tuple[str, ...]) -> Iterator[str] | None:
    parts = [part for message in messages for part in message.parts]
    texts = [part.content for part in parts if isinstance(part, Text)]
    return iter(texts) if messages and len(texts) == len(before) else None


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for held in value.values():
                yield from _texts(held)
        case list():
            for held in value:
                yield from _texts(held)


def _with(value: Any, texts: Iterator[str]) -> Any:
    """Give a value with other texts in it, taken in the order of `_texts`."""
    match value:
        case str():
            return next(texts)
        case dict():
            return {name: _with(held, texts) for name, held in value.items()}
        case list():
            return [_with(held, texts) for held in value]
    return value
