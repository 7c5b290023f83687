"""What was said, message by message; what went into a span, and what came out."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text

from interceptor.cli._layout import Field
from interceptor.cli._parts import blocks
from interceptor.cli._texts import compact, counted, line, parsed, readable, shortened, visible

__all__ = ["Conversation"]

_MOST_MESSAGES = 20
_ROLES = {
    "system": "magenta",
    "developer": "magenta",
    "user": "cyan",
    "assistant": "green",
    "tool": "yellow",
    "input": "cyan",
    "output": "green",
}
_VALUES = (
    ("input.value", "input", "cyan"),
    ("gen_ai.tool.call.arguments", "input", "cyan"),
    ("output.value", "output", "green"),
    ("gen_ai.tool.call.result", "output", "green"),
)

_UNSPOKEN = {
    "embeddings",
    *("moderations", "classifications"),
    *("ocr", "audio.transcriptions", "audio.speech"),
}
"""Operations that are no conversation: what goes in is no user's, what comes out no assistant's."""
_NOTHING = (None, "null")

Message = Mapping[str, Any]


class Conversation:
    """Gives the words of spans, one span after the other.

    Long texts and histories are shortened, and messages that a call repeats from an earlier one
    are only counted, unless it `is_full`.
    """

    def __init__(self, *, is_full: bool) -> None:
        """Begin with nothing said."""
        self._is_full = is_full
        self._said_in: dict[str, int] = {}

    def of(self, attributes: Mapping[str, Any], number: int) -> Iterator[Field]:
        """Give the words of the span of this number."""
        for key, label, style in _VALUES:
            if attributes.get(key) not in _NOTHING:
                text = Text(visible(readable(attributes[key])))
                yield Field(Text(label, style), self._short(text))
        system = _objects(attributes.get("gen_ai.system_instructions"))
        asked = [{"role": "system", "parts": system}] if system else []
        asked += _objects(attributes.get("gen_ai.input.messages"))
        answers = _objects(attributes.get("gen_ai.output.messages"))
        if attributes.get("gen_ai.operation.name") in _UNSPOKEN:
            asked = [{**message, "role": "input"} for message in asked]
            answers = [{**message, "role": "output"} for message in answers]
        yield from self._history(asked)
        for index, message in enumerate(answers, 1):
            yield from self._message(message, f"choice {index}" if len(answers) > 1 else None)
        self._said_in.update((_identity(message), number) for message in [*asked, *answers])

    def _history(self, messages: Sequence[Message]) -> Iterator[Field]:
        known = 0 if self._is_full else self._known(messages)
        if known:
            where = self._said_in[_identity(messages[known - 1])]
            is_spoken = messages[0].get("role") != "input"
            label, what = ("", f"{counted(known, 'message')} ") if is_spoken else ("input", "")
            yield Field(Text(label, _ROLES["input"]), Text(f"{what}as in span {where}", "dim"))
        rest = messages[known:]
        hidden = 0 if self._is_full else max(len(rest) - _MOST_MESSAGES, 0)
        if hidden:
            yield Field.of(
                "", f"{counted(hidden, 'message')} before these; --full shows all", "dim"
            )
        for message in rest[hidden:]:
            yield from self._message(message)

    def _known(self, messages: Sequence[Message]) -> int:
        """Count the messages at the beginning that stand in earlier calls."""
        unknown = (i for i, one in enumerate(messages) if _identity(one) not in self._said_in)
        return next(unknown, len(messages))

    def _message(self, message: Message, label: str | None = None) -> Iterator[Field]:
        role = line(str(message.get("role")))
        style = _ROLES.get(role, "")
        name = message.get("name")
        before = Text(f"{line(name)} " if isinstance(name, str) else "", "bold")
        speaker = label or role
        for own_label, text in blocks(_objects(message.get("parts"))) or [(None, Text("–", "dim"))]:
            yield Field(Text(own_label or speaker, style), self._short(before + text))
            before = Text()
            speaker = speaker if own_label else ""

    def _short(self, text: Text) -> Text:
        kept, left = (text.plain, 0) if self._is_full else shortened(text.plain)
        if not left:
            return text
        return Text.assemble(
            text[: len(kept)], (f"\n… {left} more characters; --full shows all", "dim")
        )


def _identity(message: Message) -> str:
    """Give what is the same in an answer and in the history that repeats it."""
    return compact([message.get("role"), message.get("parts")])


def _objects(value: Any) -> list[dict[str, Any]]:
    """Give the objects of a list, or of JSON text that is one."""
    value = parsed(value)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
