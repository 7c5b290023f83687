"""The spans of a benchmark: fast is not enough, each must have been made and say what it should."""

from typing import Any

import interceptor
from interceptor.errors import InterceptorError, StoreError
from interceptor.settings import Settings

__all__ = ["NotRecordedError", "Spans"]


class NotRecordedError(InterceptorError):
    """What was timed was not recorded, or not as it should be: its figure would mean nothing."""


class Spans:
    """Puts a bare setting in force, and reads back what was recorded last."""

    def __init__(self, **settings: Any) -> None:
        """Record with `settings`, to no destination, whatever the environment has set."""
        interceptor.configure(Settings(), destinations=(), content="full", **settings)

    def flush(self) -> None:
        """Wait until all that was recorded has become spans."""
        if not interceptor.flush(120):
            raise NotRecordedError("the worker did not keep up")

    def last(self) -> dict[str, Any]:
        """Give the attributes of the span that began last."""
        try:
            return dict(interceptor.get_trace().root.attributes)
        except StoreError as error:
            raise NotRecordedError(
                "no span was made; OpenTelemetry makes none where OTEL_SDK_DISABLED is true"
            ) from error

    def said(self, **wanted: object) -> None:
        """Raise `NotRecordedError` unless the last span says this (`__` stands for a dot)."""
        says = self.last()
        for name, value in wanted.items():
            found = says.get(name.replace("__", "."))
            if found != value:
                raise NotRecordedError(f"{name} is {found!r}, not {value!r}")
