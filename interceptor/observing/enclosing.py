"""The span and the trace that a line is in, and what can be said of them from there."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry.trace import format_trace_id

from interceptor import slot, surroundings
from interceptor.dialects import observed
from interceptor.observer import Observed
from interceptor.observing._checks import check_labels, check_text
from interceptor.observing.blocks import NOTHING, Span
from interceptor.observing.sessions import to_labels
from interceptor.quiet import quietly

__all__ = ["current_span", "last_trace_id", "update_span", "update_trace"]

_log = logging.getLogger("interceptor")


def current_span() -> Span:
    """Give the nearest span of yours around this line: of `span` or of `observe`.

    Outside of any, and where nothing is recorded, one that does nothing.
    """
    found = _enclosing()
    return NOTHING if found is None else Span(found)


def last_trace_id() -> str | None:
    """Give the id of the trace that this line is in, or else of the one that began last.

    The latter in this process, in whatever thread: for notebooks, scripts and tests. Where several
    things happen at once, keep `current_span().trace_id`. None where nothing has been recorded.
    """
    inside = current_span().trace_id
    if inside is not None:
        return inside
    last = surroundings.last_trace_id()
    return None if last is None else format_trace_id(last)


def update_span(
    *,
    input: Any = observed.ABSENT,
    output: Any = observed.ABSENT,
    model: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    usage: Any = None,
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Say more of the nearest span of yours around this line.

    It reaches no call to Mistral: the span of a call has ended before your program has the
    answer, and says by itself all that it can. Yours are those of `observe` and `span`.

    `model`, `parameters` and `usage` are for a model that no tap can see, one that runs in your
    own process. `usage` is a mapping or an object with `input_tokens` and `output_tokens`, or
    Mistral's `prompt_tokens` and `completion_tokens`, and `total_tokens`. It is kept only where no
    recorded call happens inside: that one counts its own. `metadata` is added to what is there.

    Raises `ArgumentError` where one is of a type that will not do, and for usage in which there
    is none of these names.
    """
    Span(_enclosing(what="update_span")).update(
        input=input,
        output=output,
        model=model,
        parameters=parameters,
        usage=usage,
        metadata=metadata,
    )


def update_trace(
    *,
    name: str | None = None,
    session_id: str | None = None,
    user_id: str | None = None,
    tags: Iterable[str] | str | None = None,
    metadata: Mapping[str, Any] | None = None,
    input: Any = observed.ABSENT,
    output: Any = observed.ABSENT,
) -> None:
    """Say more of the trace that this line is in: of its outermost span of yours.

    It reaches no call to Mistral that has been made; see `update_span`. The session, the user, the
    tags and the metadata stand on the outermost span and on every span that begins from now on,
    before what `context` says. `name` renames the outermost span. Raises `ArgumentError` as
    `context` does.
    """
    check_text("name", name)
    check_labels(tags, metadata)
    found = _enclosing(what="update_trace")
    if found is None:
        return
    root = Span(found.root)
    root.update(input=input, output=output)
    with quietly("an update"):
        if found.root.is_open and found.root.is_recording:
            found.root.label(to_labels(session_id, user_id, tags, metadata))
            if name and not name.isspace():
                found.root.span.update_name(name)


def _enclosing(*, what: str | None = None) -> Observed | None:
    """Give the nearest observed span; where there might be one, say that `what` did nothing."""
    found = surroundings.of(otel_context.get_current()).span
    if isinstance(found, Observed):
        return found
    if what is not None and not slot.is_off:
        _log.warning(
            "interceptor.%s did nothing: it was called outside of any function with "
            "@interceptor.observe and any block of interceptor.span",
            what,
        )
    return None
