"""What an observed function costs its caller, beside a bare OpenTelemetry span around it.

The span by hand is what anybody writes who records the same: `start_as_current_span` around the
call, `set_attribute` for each of the attributes that the observed span comes to have, no
processor. It gets them ready made; the observed function has to copy them out of its arguments
and its result. Both are measured in the same rounds, against the function alone.
"""

import sys
from collections.abc import Callable, Iterator
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider

import interceptor

from ._pairs import Figure, Side, Twin, arguments, measured, printed

__all__ = ["figures"]

_CALLS = 20


def answer(question: str, *, history: list[dict[str, str]], limit: int = 3) -> dict[str, Any]:
    """Do nothing, with arguments and a result as such functions have."""
    return {"answer": question, "turns": len(history), "limit": limit}


def figures(rounds: int) -> Iterator[Figure]:
    """Give the cost of a bare span, and of an observed call of the same function."""
