"""Transcriptions: audio in, as a file of a form or by its address; words out."""

from collections.abc import Iterable
from typing import Any

import msgspec

from interceptor.record import Answer, Blob, FileRef, Input, Message, Output, Part, Text
from interceptor.wire import _content
from interceptor.wire._usage import to_usage
from interceptor.wire.forms import File
from interceptor.wire.notes import Notes
from interceptor.wire.parsing import fitted

__all__ = [
    "CONTENT",
    "Event",
    "Request",
    "Response",
    "fold",
    "has_content",
    "is_last",
    "to_answer",
    "to_input",
]

CONTENT = frozenset({"file", "file_url", "file_id", "speaker_references"})
"""The members of a request that are no parameters, but what the parameters are for."""

_DONE = "transcription.done"


class Request(msgspec.Struct, kw_only=True, gc=False):
    """What is to be written down; `file` is its name where no more could be seen of it."""

    model: str | None = None
    file: File | str | None = None
    file_url: str | None = None
    file_id: str | None = None
    temperature: Any = None
    stream: Any = None


class Response(msgspec.Struct, kw_only=True, gc=False):
    """The answer, whole or folded from a stream."""

    id: str | None = None
    model: str | None = None
    text: str | None = None
    language: str | None = None
    segments: tuple[Any, ...] | None = None
    finish_reason: str | None = None
    usage: msgspec.Raw = msgspec.Raw()


class Event(Response, kw_only=True, gc=False):
    """One event of a stream; the last has the shape of an answer."""

    type: str | None = None
    audio_language: str | None = None


def to_input(request: Request, notes: Notes) -> Input:
    """Give what was asked: the recording, as a file that is not kept, an address or an id.

    The values of a form are text, numbers and flags too.
    """
    parts = tuple(_recordings(request))
    is_stream = fitted(request.stream, bool | None, notes, what="request.stream")
    return Input(
        model=request.model,
        temperature=fitted(request.temperature, float | None, notes, what="request.temperature"),
        stream=bool(is_stream),
        messages=(Message(role="user", parts=parts),) if parts else (),
    )


def to_answer(response: Response, notes: Notes) -> Answer:
    """Give what was heard, as one message."""
    facts = {
        "language": response.language,
        "segments": None if response.segments is None else len(response.segments),
    }
    return Answer(
        output=Output(
            id=response.id,
            model=response.model,
            messages=_spoken(response.text, response.finish_reason),
            finish_reasons=(response.finish_reason,) if response.finish_reason else (),
            facts={name: value for name, value in facts.items() if value is not None},
        ),
        usage=to_usage(response.usage, notes),
    )


def fold(events: Iterable[Event], notes: Notes) -> Response:
    """Merge a stream into the response the server would have sent unstreamed.

    The last event holds it whole. Where a stream ends before, or its last event leaves something
    out, it is put together from what came: segments repeat the words of the deltas, so they stand
    in only where none came.
    """
    words: list[str] = []
    segments: list[Event] = []
    whole = Response()
    for event in events:
        match event.type:
            case "transcription.done":
                event.language = event.language or whole.language
                whole = event
                break
            case "transcription.text.delta":
                words.append(event.text or "")
            case "transcription.segment":
                segments.append(event)
            case "transcription.language":
                whole.language = event.audio_language
            case kind:
                notes.add(f"event {kind!r}: not known, skipped")
    spoken = "".join(words or [event.text or "" for event in segments])
    whole.text = whole.text or spoken or whole.text
    whole.segments = whole.segments or tuple(segments) or whole.segments
    return whole


def has_content(event: Event) -> bool:
    """Tell whether an event carries something of the answer."""
    return bool(event.text)


def is_last(event: Event) -> bool:
    """Tell whether an event ends the answer."""
    return event.type == _DONE


def _recordings(request: Request) -> Iterable[Part]:
    if isinstance(request.file, File):
        file = request.file
        yield Blob(
            modality="audio", mime_type=file.type, size_bytes=file.size_bytes, name=file.name
        )
    elif request.file is not None:
        yield Blob(modality="audio", name=request.file)
    if request.file_url:
        yield _content.media("audio", request.file_url)
    if request.file_id:
        yield FileRef("audio", request.file_id)


def _spoken(text: str | None, reason: str | None) -> tuple[Message, ...]:
    if text is None:
        return ()
    return (Message(role="assistant", parts=(Text(text),), finish_reason=reason),)
