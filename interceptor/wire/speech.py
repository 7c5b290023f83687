"""Speech: words in, audio out, of which only kind, size and hash are kept."""

from collections.abc import Iterable

import msgspec

from interceptor.record import Answer, Input, Message, Output, Text
from interceptor.wire import _content
from interceptor.wire._usage import to_usage
from interceptor.wire.notes import Notes

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

CONTENT = frozenset({"input", "ref_audio", "conversation_history"})
"""The members of a request that are no parameters, but what the parameters are for."""


class Request(msgspec.Struct, kw_only=True, gc=False):
    """What is to be spoken."""

    model: str | None = None
    input: str | None = None
    stream: bool | None = None


class Response(msgspec.Struct, kw_only=True, gc=False):
    """The answer: base64 audio, or in its place the mark that `slimming` left there."""

    id: str | None = None
    model: str | None = None
    audio_data: str | None = None
    usage: msgspec.Raw = msgspec.Raw()


class Event(Response, kw_only=True, gc=False):
    """One event of a stream: more audio, or the usage at its end."""

    type: str | None = None


def to_input(request: Request, notes: Notes) -> Input:  # noqa: ARG001 - the table's signature
    """Give what was asked, and how long it is: speech is billed by the character."""
    text = request.input
    return Input(
        model=request.model,
        stream=bool(request.stream),
        output_type="speech",
        characters=None if text is None else len(text),
        messages=(Message(role="user", parts=(Text(text),)),) if text else (),
    )


def to_answer(response: Response, notes: Notes) -> Answer:
    """Give what was answered, as one message with the audio elided."""
    audio = response.audio_data
    parts = (_content.elided("audio", audio),) if audio else ()
    return Answer(
        output=Output(
            id=response.id,
            model=response.model,
            messages=(Message(role="assistant", parts=parts),) if parts else (),
        ),
        usage=to_usage(response.usage, notes),
    )


def fold(events: Iterable[Event], notes: Notes) -> Response:
    """Merge a stream into the response the server would have sent unstreamed."""
    whole = Response()
    pieces: list[str] = []
    for event in events:
        whole.id = whole.id or event.id
        whole.model = whole.model or event.model
        match event.type:
            case "speech.audio.delta":
                pieces.append(event.audio_data or "")
            case "speech.audio.done":
                whole.usage = event.usage
                pieces = pieces or [event.audio_data or ""]
            case kind:
                notes.add(f"event {kind!r}: not known, skipped")
    whole.audio_data = "".join(pieces) or None
    return whole


def has_content(event: Event) -> bool:
    """Tell whether an event carries something of the answer."""
    return bool(event.audio_data)


def is_last(event: Event) -> bool:
    """Tell whether an event ends the answer."""
    return event.type == "speech.audio.done"
