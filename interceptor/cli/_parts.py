"""The parts of a message as text: words, thoughts, tool calls and what they gave, media."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.text import Text

from interceptor.cli._texts import compact, line, readable, size, visible

__all__ = ["Part", "blocks"]

Part = Mapping[str, Any]

_ONE_LINE = 60


def blocks(parts: Sequence[Part]) -> list[tuple[str | None, Text]]:
    """Give each part as text, with a label where it has one of its own.

    A reference to a source stands in the middle of a text: it and what is around it are one.
    """
    said: list[tuple[str | None, Text]] = []
    goes_on = False
    for part in parts:
        kind = str(part.get("type"))
        is_reference = part.get("generic_type") == "reference"
        text = _KINDS.get(kind, _generic)(part)
        if said and (is_reference or (goes_on and kind == "text")):
            said[-1][1].append_text(text)
        else:
            said.append(("thinking" if kind == "reasoning" else None, text))
        goes_on = is_reference
    return said


def _text(part: Part) -> Text:
    return Text(visible(str(part.get("content", ""))))


def _reasoning(part: Part) -> Text:
    return Text(visible(str(part.get("content", ""))), "dim italic")


def _tool_call(part: Part) -> Text:
    """Give a call as code has it, or with a line or more for each argument where they are long."""
    call = Text.assemble("→ ", (line(str(part.get("name"))), "bold"))
    arguments = part.get("arguments") or {}
    if not isinstance(arguments, dict):  # cut short, or no JSON
        return _with_id(call.append(f"({visible(str(arguments))})"), part)
    short = ", ".join(f"{key}={compact(value)}" for key, value in arguments.items())
    if len(short) <= _ONE_LINE:
        return _with_id(call.append(visible(f"({short})")), part)
    return _with_id(call, part).append("".join(_argument(*one) for one in arguments.items()))


def _argument(name: str, value: Any) -> str:
    text = visible(readable(value))
    if "\n" in text:
        text = "".join(f"\n    {one}" for one in text.split("\n"))
        return f"\n  {visible(name)}:{text}"
    return f"\n  {visible(name)}: {text}"


def _tool_result(part: Part) -> Text:
    response = visible(readable(part.get("response", "")))
    if "\n" in response:
        return _with_id(Text("←"), part).append(f"\n{response}")
    return _with_id(Text(f"← {response}"), part)


def _with_id(text: Text, part: Part) -> Text:
    return text.append(f"  {line(part['id'])}", "dim") if isinstance(part.get("id"), str) else text


def _blob(part: Part) -> Text:
    kind = part.get("mime_type") or part.get("modality") or "media"
    count_bytes = part.get("size_bytes")
    facts = [
        *([str(part["name"])] if part.get("name") else []),
        str(kind),
        *([size(count_bytes)] if isinstance(count_bytes, int) else []),
        *([] if part.get("content") else ["elided"]),
    ]
    return Text(line(f"[{', '.join(facts)}]"), "dim")


def _uri(part: Part) -> Text:
    return Text(line(f"[{part.get('modality')} at {part.get('uri')}]"), "dim")


def _file(part: Part) -> Text:
    return Text(line(f"[{part.get('modality')}, file {part.get('file_id')}]"), "dim")


def _generic(part: Part) -> Text:
    """Give a part of a kind that has no form of its own; a reference as its numbers."""
    content = part.get("content")
    if part.get("generic_type") == "reference" and isinstance(content, dict):
        ids = content.get("reference_ids")
        return Text(line(f"[{', '.join(map(str, ids))}]" if isinstance(ids, list) else "[]"), "dim")
    kind = part.get("generic_type") or part.get("type")
    return Text(line(f"[{kind}]{'' if content is None else f' {compact(content)}'}"), "dim")


_KINDS: Mapping[str, Callable[[Part], Text]] = {
    "text": _text,
    "reasoning": _reasoning,
    "tool_call": _tool_call,
    "tool_call_response": _tool_result,
    "blob": _blob,
    "uri": _uri,
    "file": _file,
}
