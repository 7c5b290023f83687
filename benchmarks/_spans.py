"""The spans of a benchmark: fast is not enough, each must have been made and say what it should."""

from typing import Any

import interceptor

__all__ = ["NotRecordedError", "Spans"]


class NotRecordedError(AssertionError):
    """What was timed was not recorded, or not as it should be: its figure would mean nothing."""


class Spans:
    """Puts a bare setting in force, and reads back what was recorded last."""

    def __init__(self, **settings: Any) -> None:
        """Record with `settings`, to no destination."""
        interceptor.configure(destinations=(), content="full", **settings)

    def flush(self) -> None:
        """Wait until all that was recorded has become spans."""
        if not interceptor.flush(120):
            raise NotRecordedError("the worker did not keep up")

    def last(self) -> dict[str, Any]:
        """Give the attributes of the span that began last."""
        trace_id = interceptor.last_trace_id()
        if trace_id is None:
            raise NotRecordedError("no span was made")
        return dict(interceptor.get_trace(trace_id).root.attributes)

    def said(self, **wanted: object) -> None:
        """Raise `NotRecordedError` unless the last span says this (`__` stands for a dot)."""
        says = self.last()
        for name, value in wanted.items():
            found = says.get(name.replace("__", "."))
            if found != value:
                raise NotRecordedError(f"{name} is {found!r}, not {value!r}")
