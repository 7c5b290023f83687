"""What is struck out of a record before anyone sees it.

A policy is a function from a record to a record. There is one built in, `pii`, which masks what
looks like a person's address, number or account; a caller may pass a function of their own. It is
for what was said: what groups traces (names, labels, metadata, the ids of users and sessions, the
values of scores) is the program's own to choose, and is kept.
"""

import re
from collections.abc import Callable
from typing import Any

import msgspec

from interceptor import metadata
from interceptor.errors import SettingsError
from interceptor.record import (
    Blob,
    Generic,
    Link,
    Message,
    Part,
    Reasoning,
    Record,
    Text,
    ToolCall,
    ToolResult,
)

__all__ = ["POLICIES", "Policy", "mapped", "policy", "redact", "without_content"]

Policy = Callable[[Record], Any]
"""Gives the `Record` to keep; None keeps the call's counts and times, and none of its words."""

# Each repetition has a bound: on a megabyte of base64 an open one would take hours.
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b")
_CARD = re.compile(r"(?<!\d)(?<!\d[.-])(?:\d[ -]?){12,18}\d(?![.-]?\d)")
# With a country's code, with a trunk zero (as in France, as elsewhere), or as in America: any other
# row of digits may as well be a date, an address or a version.
_PHONES = (
    re.compile(r"(?<![\w+])\+\d(?:[ .()/-]{0,3}\d){6,14}(?!\d)"),
    re.compile(r"(?<![\w.+-])0\d(?:[ .]\d\d){4}(?!\d)"),
    re.compile(
        r"(?<![\w.+-])\(?0\d{1,4}\)?[ /-]{1,2}"
        r"(?:\d{5,8}(?:-\d{1,4})?|\d{3,4}(?:[ -]\d{2,4}){1,3})(?!\d)"
    ),
    re.compile(r"(?<![\w.-])(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![.-]?\d)"),
)


def redact(record: Record, policy: Policy | None) -> Record:
    """Apply a policy. One that fails keeps no words: what it should have struck is not known."""
    if policy is None:
        return record
    try:
        kept = policy(record)
    except BaseException as error:  # noqa: BLE001 - a caller's function may raise anything at all
        return _noted(record, f"the redact policy raised {type(error).__name__}: words left out")
    if kept is None:
        return without_content(record)
    if isinstance(kept, Record):
        return kept
    return _noted(record, f"the redact policy gave a {type(kept).__name__}: words left out")


def policy(given: Policy | str | None) -> Policy | None:
    """Give the policy that a setting names or is; raise `SettingsError` where it is neither."""
    if given is None or not isinstance(given, str):
        return given
    try:
        return POLICIES[given]
    except KeyError as error:
        names = ", ".join(POLICIES)
        raise SettingsError(
            f"redact is {given!r}; use a function from Record to Record, or one of: {names}"
        ) from error


def without_content(record: Record) -> Record:
    """Give the record without any words: what was asked, answered, called, thought, complained.

    Of JSON that holds words and counts alike, what is metadata stays.
    """
    asked = msgspec.structs.replace(
        record.input,
        messages=(),
        system=(),
        tools=None,
        parameters=metadata.of_request(record.input.parameters),
        stop=None,
        reasoning_level=metadata.choice(record.input.reasoning_level),
        output_type=metadata.choice(record.input.output_type),
    )
    output = msgspec.structs.replace(
        record.output, messages=(), guardrails=metadata.of_answer(record.output.guardrails)
    )
    usage = record.usage and msgspec.structs.replace(
        record.usage, raw=metadata.of_answer(record.usage.raw)
    )
    failure = record.failure and msgspec.structs.replace(record.failure, message=None)
    runs = tuple(
        msgspec.structs.replace(run, arguments=None, result=None) for run in record.tool_runs
    )
    return msgspec.structs.replace(
        record, input=asked, output=output, usage=usage, failure=failure, tool_runs=runs
    )


def mapped(record: Record, change: Callable[[str], str]) -> Record:
    """Give the record with every text in it changed: messages, tools, parameters, errors.

    What identifies stays: ids, and the names of models, agents and tools.
    """
    asked, output, failure = record.input, record.output, record.failure
    return msgspec.structs.replace(
        record,
        input=msgspec.structs.replace(
            asked,
            messages=tuple(_message(one, change) for one in asked.messages),
            system=tuple(_part(one, change) for one in asked.system),
            tools=asked.tools and change(asked.tools),
            parameters=_value(asked.parameters, change),
            stop=asked.stop and tuple(map(change, asked.stop)),
        ),
        output=msgspec.structs.replace(
            output,
            messages=tuple(_message(one, change) for one in output.messages),
            guardrails=output.guardrails and change(output.guardrails),
        ),
        failure=failure
        and msgspec.structs.replace(failure, message=failure.message and change(failure.message)),
        tool_runs=tuple(
            msgspec.structs.replace(
                run,
                arguments=run.arguments and change(run.arguments),
                result=run.result and change(run.result),
            )
            for run in record.tool_runs
        ),
    )


def _pii(record: Record) -> Record:
    return mapped(record, _masked)


def _masked(text: str) -> str:
    text = _EMAIL.sub("[email]", text)
    text = _IBAN.sub("[iban]", text)
    text = _CARD.sub(lambda found: "[card]" if _is_card(found[0]) else found[0], text)
    for phone in _PHONES:
        text = phone.sub("[phone]", text)
    return text


def _is_card(text: str) -> bool:
    """Tell by its check digit (Luhn's) whether a row of digits is a card's."""
    digits = [int(one) for one in reversed(text) if one.isdecimal()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _noted(record: Record, note: str) -> Record:
    return msgspec.structs.replace(without_content(record), notes=(*record.notes, note))


def _message(message: Message, change: Callable[[str], str]) -> Message:
    parts = tuple(_part(part, change) for part in message.parts)
    return msgspec.structs.replace(message, parts=parts, name=message.name and change(message.name))


def _part(part: Part, change: Callable[[str], str]) -> Part:  # noqa: PLR0911 - one a kind of part
    match part:
        case Text(content=text):
            return Text(change(text))
        case Reasoning(content=text):
            return Reasoning(change(text))
        case ToolCall():
            return ToolCall(part.id, part.name, change(part.arguments))
        case ToolResult():
            return ToolResult(part.id, change(part.response))
        case Blob(name=str(text)):
            return msgspec.structs.replace(part, name=change(text))
        case Link():
            return Link(part.modality, change(part.uri))
        case Generic(content=str(text)):
            return Generic(part.generic_type, change(text))
    return part


def _value(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {name: _value(held, change) for name, held in value.items()}
    return [_value(one, change) for one in value] if isinstance(value, list) else value


POLICIES: dict[str, Policy] = {"pii": _pii}
"""The policies that a setting may name."""
