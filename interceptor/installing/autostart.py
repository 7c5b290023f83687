"""A line in this environment's site-packages, after which INTERCEPTOR=1 is enough.

Only a person's word writes it: no install does. Python runs it at each start; it does nothing
where the variable is not set, nor once interceptor has been uninstalled. From Python 3.15 on, the
`.start` file stands for it.
"""

import sysconfig
from pathlib import Path

from interceptor.errors import InterceptorError

__all__ = ["FILES", "disable", "enable", "found"]

FILES = {
    "interceptor-autostart.pth": (
        "# Written by `interceptor autostart enable`; `interceptor autostart disable` removes it.\n"
        'import os, sys; os.environ.get("INTERCEPTOR", "").strip().lower() in ("1", "true", "on")'
        ' and any(one.find_spec("interceptor", None) for one in sys.meta_path)'
        ' and __import__("interceptor.auto")\n'
    ),
    "interceptor-autostart.start": "interceptor.installing.boot:from_environment\n",
}
"""The files, by name, and what stands in them."""


def enable() -> tuple[Path, ...]:
    """Write the files; give their paths. Raises `InterceptorError` where that is not allowed."""
    try:
        for path, text in zip(_paths(), FILES.values(), strict=True):
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InterceptorError(
            f"the line that starts interceptor cannot be written to {str(error.filename)!r} "
            f'({error.strerror}); use `interceptor run`, or eval "$(interceptor env)"'
        ) from error
    return found()


def disable() -> tuple[Path, ...]:
    """Remove the files that are there; give their paths. Raises `InterceptorError` as `enable`."""
    removed = found()
    try:
        for path in removed:
            path.unlink()
    except OSError as error:
        raise InterceptorError(
            f"{str(error.filename)!r} cannot be removed ({error.strerror}); remove it yourself"
        ) from error
    return removed


def found() -> tuple[Path, ...]:
    """Give the paths of the files that are there."""
    return tuple(path for path in _paths() if path.is_file())


def _paths() -> tuple[Path, ...]:
    folder = Path(sysconfig.get_path("purelib"))
    return tuple(folder / name for name in FILES)
