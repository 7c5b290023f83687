"""The way in by `opentelemetry-instrument`, which calls what the entry point names."""

import os
from typing import Any

from interceptor.installing import boot
from interceptor.installing.everywhere import install, uninstall

__all__ = ["Instrumentor"]


class Instrumentor:
    """What OpenTelemetry's auto-instrumentation expects of an instrumentation, and no more."""

    def instrument(self, **_options: Any) -> None:
        """Install; spans go through the provider that `opentelemetry-instrument` has set."""
        if not boot.refused(os.environ):
            install()

    def uninstrument(self, **_options: Any) -> None:
        """Undo that."""
        uninstall()
