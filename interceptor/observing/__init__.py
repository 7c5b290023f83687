"""Spans around the calls: functions and blocks of your program, and what is said of all inside.

`observe` is for functions, `span` for blocks, `context` for the session and the user. The calls
to Mistral inside need nothing: their spans find their places by themselves.
"""

from interceptor.observing.blocks import Span, span
from interceptor.observing.enclosing import (
    current_span,
    last_trace_id,
    update_span,
    update_trace,
)
from interceptor.observing.functions import observe
from interceptor.observing.sessions import context
from interceptor.observing.threads import ContextThreadPoolExecutor

__all__ = [
    "ContextThreadPoolExecutor",
    "Span",
    "context",
    "current_span",
    "last_trace_id",
    "observe",
    "span",
    "update_span",
    "update_trace",
]
