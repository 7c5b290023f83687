"""Fill-in-the-middle completions: a prompt and a suffix in, a chat completion's answer out."""

from interceptor.record import Input, Message, Text
from interceptor.wire import chat
from interceptor.wire.notes import Notes

__all__ = ["CONTENT", "Request", "to_input"]

CONTENT = frozenset({"prompt", "suffix"})
"""The members of a request that are no parameters, but what the parameters are for."""


class Request(chat.Sampling, kw_only=True):
    """What a completion between two pieces of code is asked for."""

    prompt: str | None = None
    suffix: str | None = None


def to_input(request: Request, notes: Notes) -> Input:  # noqa: ARG001 - the table's signature
    """Give what was asked: the prompt is a user message, the suffix its second part."""
    texts = (request.prompt, request.suffix)
    parts = tuple(Text(text) for text in texts if text is not None)
    return Input(
        **chat.sampling(request),
        messages=(Message(role="user", parts=parts),) if parts else (),
    )
