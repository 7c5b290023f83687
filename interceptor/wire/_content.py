"""Content of messages: text, or a list of parts of many kinds, shared by several endpoints."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from interceptor.record import Blob, FileRef, Generic, Link, Part, Reasoning, Text
from interceptor.wire.parsing import text_of
from interceptor.wire.slimming import elided_in

__all__ = ["Chunk", "Content", "elided", "joined", "media", "to_parts"]


class Chunk(msgspec.Struct, kw_only=True):
    """One part of a list content; which fields are set depends on `type`."""

    type: str | None = None
    text: str | None = None
    thinking: Any = None
    image_url: Any = None
    document_url: str | None = None
    input_audio: Any = None
    file_id: str | None = None
    file: Any = None
    reference_ids: Any = None
    refusal: str | None = None
    url: str | None = None
    uri: str | None = None
    title: str | None = None


Content = str | tuple[Chunk, ...] | None
"""What stands under `content`: text, parts, or nothing."""


def to_parts(content: Content) -> tuple[Part, ...]:
    """Give a content as parts; an empty text gives none."""
    if not content:
        return ()
    if isinstance(content, str):
        return (Text(content),)
    return tuple(_part(chunk) for chunk in content)


def joined(chunks: Iterable[Chunk]) -> tuple[Chunk, ...]:
    """Merge the parts of a stream: neighbours of one kind that hold text become one."""
    return tuple(_merged(list(chunks)))


def media(modality: str, address: str) -> Part:
    """Give media named by an address: a link, or what a data URI holds without its bytes."""
    if not address.startswith("data:"):
        return Link(modality, address)
    head, _, data = address.partition(",")
    return elided(modality, data, head.removeprefix("data:").partition(";")[0] or None)


def elided(modality: str, data: str, mime_type: str | None = None) -> Blob:
    """Give base64 text as what it was: its size and hash stand for the bytes."""
    size, digest = elided_in(data) or (len(data), hashlib.sha256(data.encode()).hexdigest())
    return Blob(modality=modality, mime_type=mime_type, size_bytes=size, sha256=digest)


def _merged(chunks: list[Chunk]) -> Iterator[Chunk]:
    held: Chunk | None = None
    for chunk in chunks:
        if held is not None and (merged := _merge(held, chunk)):
            held = merged
            continue
        if held is not None:
            yield held
        held = chunk
    if held is not None:
        yield held


def _merge(one: Chunk, two: Chunk) -> Chunk | None:
    """Give two neighbours as one, or None where they are not the same text going on."""
    if one.type == two.type == "text":
        return Chunk(type="text", text=(one.text or "") + (two.text or ""))
    if one.type == two.type == "thinking":
        return Chunk(type="thinking", thinking=_thoughts(one.thinking) + _thoughts(two.thinking))
    return None


def _part(chunk: Chunk) -> Part:
    match chunk.type:
        case "text" | "input_text" | "output_text":
            return Text(chunk.text or "")
        case "thinking":
            return Reasoning(_thoughts(chunk.thinking))
        case "refusal":
            return Text(chunk.refusal or "")
        case "image_url" | "input_image":
            return _media("image", _address(chunk.image_url), chunk)
        case "document_url":
            return _media("document", chunk.document_url, chunk)
        case "input_audio":
            return _audio(chunk.input_audio)
        case "file" | "input_file":
            return FileRef("file", chunk.file_id or text_of(chunk.file))
        case "reference" | "tool_reference":
            return Generic(chunk.type, text_of(_set_fields(chunk)))
        case None if chunk.text is not None:
            return Text(chunk.text)
    return Generic(chunk.type or "unknown")


def _media(modality: str, address: str | None, chunk: Chunk) -> Part:
    if address is not None:
        return media(modality, address)
    if chunk.file_id is not None:
        return FileRef(modality, chunk.file_id)
    return Generic(chunk.type or modality)


def _audio(value: Any) -> Part:
    """Audio comes as base64, as an address, or as an object with `data` and `format`."""
    if isinstance(value, dict):
        kind = value.get("format")
        mime = f"audio/{kind}" if isinstance(kind, str) else None
        return elided("audio", text_of(value.get("data")), mime)
    text = text_of(value)
    if text.startswith(("http://", "https://", "data:")):
        return media("audio", text)
    return elided("audio", text)


def _address(value: Any) -> str | None:
    """An image's address stands under `image_url`, or under `image_url.url`."""
    found = value.get("url") if isinstance(value, dict) else value
    return found if isinstance(found, str) else None


def _thoughts(value: Any) -> str:
    """Thinking comes as text, or as a list of parts of which some hold text."""
    if isinstance(value, list | tuple):
        texts = (one.get("text") if isinstance(one, dict) else one for one in value)
        return "".join(text for text in texts if isinstance(text, str))
    return value if isinstance(value, str) else ""


def _set_fields(chunk: Chunk) -> dict[str, Any]:
    return {k: v for k, v in msgspec.structs.asdict(chunk).items() if v is not None}
