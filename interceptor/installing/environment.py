"""The environment variables that have every Python record, and what this one lacks of them."""

import os
from collections.abc import Mapping
from pathlib import Path

from interceptor.installing import autostart, boot

__all__ = ["SITE", "VARIABLE", "missing", "variables", "way_in"]

SITE = str(Path(__file__).parent / "site")
"""The folder of our `sitecustomize`, for PYTHONPATH."""

VARIABLE = "PYTHONPATH"


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Give the variables to set over those of `environ`; what PYTHONPATH has stays on it.

    An empty part stays, too: it stands for the current folder.
    """
    before = environ.get(VARIABLE)
    paths = [path for path in before.split(os.pathsep) if path != SITE] if before else []
    return {"INTERCEPTOR": "1", VARIABLE: os.pathsep.join([SITE, *paths])}


def way_in(environ: Mapping[str, str]) -> str | None:
    """Say how a Python started with these variables gets to record; None where it does not."""
    if not boot.asked_for(environ):
        return None
    if SITE in environ.get(VARIABLE, "").split(os.pathsep):
        return f"INTERCEPTOR and {VARIABLE}, as `interceptor run` and `interceptor env` set them"
    if found := autostart.found():
        return f"INTERCEPTOR, and {found[0]}"
    return None


def missing(environ: Mapping[str, str]) -> str | None:
    """Say what would do where INTERCEPTOR is set and nothing heeds it; None where all is well."""
    if not boot.asked_for(environ) or way_in(environ) is not None:
        return None
    return (
        "INTERCEPTOR is set, but no Python heeds it yet: start programs by `interceptor run`, or "
        'eval "$(interceptor env)", or run `interceptor autostart enable` once'
    )
