"""Where a store lies and what its file looks like."""

from pathlib import Path

import platformdirs

__all__ = ["default_path"]


def default_path() -> Path:
    """Give where a store is kept when nobody says otherwise."""
    return platformdirs.user_state_path("interceptor") / "traces.db"
