"""Content of messages: text, or a list of parts of many kinds, shared by several endpoints."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from interceptor.record import Blob, FileRef, Generic, Link, Part, Reasoning, Text
from interceptor.wire.parsing import text_of
from interceptor.wire.slimming import elided_in

__all__ = ["Chunk", "Content", "elided", "fused", "joined", "media", "plain_text", "to_parts"]


class Chunk(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """One part of a list content; which fields are set depends on `type`."""

    type: str | None = None
    text: str | None = None
    thinking: Any = None
    image_url: Any = None
    document_url: str | None = None
    document_name: str | None = None
    input_audio: Any = None
    file_id: str | None = None
    file: Any = None
    file_data: str | None = None
    file_url: str | None = None
    filename: str | None = None
    reference_ids: Any = None
    refusal: str | None = None
    annotations: Any = None
    tool: str | None = None
    title: str | None = None
    url: str | None = None
    uri: str | None = None
    favicon: str | None = None
    description: str | None = None
    source: str | None = None
    content: Any = None


Content = str | tuple[Chunk, ...] | None
"""What stands under `content`: text, parts, or nothing."""


def to_parts(content: Content) -> tuple[Part, ...]:
    """Give a content as parts; an empty text gives none."""
    if not content:
        return ()
    if isinstance(content, str):
        return (Text(content),)
    return tuple(part for chunk in content for part in _parts(chunk))


def plain_text(parts: Iterable[Part]) -> str:
    """Give the words among parts, joined."""
    return "".join(part.content for part in parts if isinstance(part, Text))


def fused(contents: Iterable[Content]) -> Content:
    """Merge the contents of a stream. Text stays text; where parts come in, it becomes one."""
    found = [content for content in contents if content]
    if all(isinstance(content, str) for content in found):
        return "".join(found) or None  # type: ignore[arg-type]
    return joined(
        chunk
        for content in found
        for chunk in ((Chunk(type="text", text=content),) if isinstance(content, str) else content)
    )


def joined(chunks: Iterable[Chunk]) -> tuple[Chunk, ...]:
    """Merge the parts of a stream: neighbours of one kind that hold text become one."""
    runs: list[list[Chunk]] = []
    for chunk in chunks:
        if runs and chunk.type in ("text", "thinking") and chunk.type == runs[-1][0].type:
            runs[-1].append(chunk)
        else:
            runs.append([chunk])
    return tuple(_merged(run) for run in runs)


def media(modality: str, address: str, name: str | None = None) -> Part:
    """Give media named by an address: a link, or what a data URI holds without its bytes."""
    if not address.startswith("data:"):
        return Link(modality, address)
    head, _, data = address.partition(",")
    return elided(modality, data, head.removeprefix("data:").partition(";")[0] or None, name)


def elided(modality: str, data: str, mime_type: str | None = None, name: str | None = None) -> Blob:
    """Give base64 text as what it was: its size and hash stand for the bytes."""
    size, digest = elided_in(data) or (len(data), hashlib.sha256(data.encode()).hexdigest())
    return Blob(modality=modality, mime_type=mime_type, size_bytes=size, sha256=digest, name=name)


def _merged(run: list[Chunk]) -> Chunk:
    """Give a run of neighbours that are one text, or one thought, going on."""
    if len(run) == 1:
        return run[0]
    if run[0].type == "text":
        return Chunk(type="text", text="".join(chunk.text or "" for chunk in run))
    return Chunk(type="thinking", thinking="".join(_thoughts(chunk.thinking) for chunk in run))


def _parts(chunk: Chunk) -> Iterator[Part]:
    match chunk.type:
        case "text" | "input_text" | "output_text":
            yield Text(chunk.text or "")
            yield from _annotations(chunk.annotations)
        case "thinking" | "reasoning_text" | "summary_text":
            yield Reasoning(_thoughts(chunk.thinking) or chunk.text or "")
        case "refusal":
            yield Text(chunk.refusal or "")
        case "image_url" | "input_image":
            yield _media("image", _address(chunk.image_url), chunk)
        case "document_url":
            yield _media("document", chunk.document_url, chunk)
        case "input_audio":
            yield _audio(chunk.input_audio)
        case "file" | "input_file" | "tool_file":
            yield _file(chunk)
        case "reference" | "tool_reference" | "resource" | "resource_link":
            yield Generic(chunk.type, text_of(chunk))
        case None if chunk.text is not None:
            yield Text(chunk.text)
        case kind:
            yield Generic(kind or "unknown")


def _annotations(given: Any) -> Iterator[Part]:
    """Give the citations of a text: each is an object that names its kind."""
    for one in given if isinstance(given, list) else ():
        kind = one.get("type") if isinstance(one, dict) else None
        yield Generic(kind if isinstance(kind, str) else "annotation", text_of(one))


def _media(modality: str, address: str | None, chunk: Chunk) -> Part:
    if address is not None:
        return media(modality, address, chunk.document_name)
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


def _file(chunk: Chunk) -> Part:
    """A file is named by its id, by its address, or comes as base64 or a data URI."""
    if chunk.file_data is None:
        address = chunk.file_url
        return Link("file", address) if address else FileRef("file", _file_id(chunk))
    if chunk.file_data.startswith("data:"):
        return media("file", chunk.file_data, chunk.filename)
    return elided("file", chunk.file_data, name=chunk.filename)


def _file_id(chunk: Chunk) -> str:
    """A file's id stands under `file_id`, under `file` or under `file.file_id`."""
    nested = chunk.file.get("file_id") if isinstance(chunk.file, dict) else chunk.file
    return chunk.file_id or text_of(nested)


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
