"""Traces read back in code: what was asked, answered, used, and thought of it afterwards."""

from interceptor.traces.reading import get_trace, search
from interceptor.traces.scoring import score
from interceptor.traces.trace import Trace

__all__ = ["Trace", "get_trace", "score", "search"]
