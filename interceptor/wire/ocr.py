"""OCR: a document in, its pages as Markdown out."""

from collections.abc import Iterator
from typing import Any

import msgspec

from interceptor.record import Answer, Generic, Input, Message, Output, Part, Text
from interceptor.wire import _content
from interceptor.wire._usage import to_usage
from interceptor.wire.notes import Notes
from interceptor.wire.parsing import text_of

__all__ = ["CONTENT", "Request", "Response", "to_answer", "to_input"]

CONTENT = frozenset({"document", "document_annotation_prompt"})
"""The members of a request that are no parameters, but what the parameters are for."""


class Request(msgspec.Struct, kw_only=True, gc=False):
    """What is to be read."""

    model: str | None = None
    document: _content.Chunk | None = None
    document_annotation_prompt: str | None = None


class Image(msgspec.Struct, kw_only=True, gc=False):
    """A picture found on a page; its bytes are there only where they were asked for."""

    image_base64: str | None = None
    image_annotation: Any = None


class Page(msgspec.Struct, kw_only=True, gc=False):
    """One page."""

    markdown: str | None = None
    images: tuple[Image, ...] | None = None


class Response(msgspec.Struct, kw_only=True, gc=False):
    """The answer: the pages in order, and what was said of the whole document."""

    id: str | None = None
    model: str | None = None
    pages: tuple[Page, ...] | None = None
    document_annotation: Any = None
    usage_info: msgspec.Raw = msgspec.Raw()


def to_input(request: Request, notes: Notes) -> Input:  # noqa: ARG001 - the table's signature
    """Give what was asked: the document, without its bytes, and what to look for in it."""
    parts = _content.to_parts((request.document,)) if request.document else ()
    prompt = request.document_annotation_prompt
    if prompt:
        parts = (*parts, Text(prompt))
    return Input(
        model=request.model, messages=(Message(role="user", parts=parts),) if parts else ()
    )


def to_answer(response: Response, notes: Notes) -> Answer:
    """Give what was read, as one message: each page a text, its pictures without their bytes."""
    pages = response.pages
    parts = tuple(part for page in pages or () for part in _page(page))
    parts += tuple(_annotation(response.document_annotation))
    return Answer(
        output=Output(
            id=response.id,
            model=response.model,
            messages=(Message(role="assistant", parts=parts),) if parts else (),
            facts={} if pages is None else {"pages": len(pages)},
        ),
        usage=to_usage(response.usage_info, notes),
    )


def _page(page: Page) -> Iterator[Part]:
    yield Text(page.markdown or "")
    for image in page.images or ():
        if image.image_base64:
            yield _picture(image.image_base64)
        yield from _annotation(image.image_annotation)


def _picture(data: str) -> Part:
    """A picture comes as a data URI; older answers have the base64 alone."""
    if data.startswith("data:"):
        return _content.media("image", data)
    return _content.elided("image", data)


def _annotation(given: Any) -> Iterator[Part]:
    """Give an annotation: JSON text, in the shape that the request asked for."""
    if given is not None:
        yield Generic("annotation", text_of(given))
