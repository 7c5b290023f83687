"""Run by every Python that starts with this folder on PYTHONPATH, before the program's first line.

It imports nothing that a starting Python has not got, leaves alone a Python whose environment has
no interceptor, and hands over to the user's own sitecustomize. Any Python 3 may come by here: it
is written in words that old ones understand too.
"""

import sys

__all__ = ()


def _start() -> None:
    environ = sys.modules["os"].environ
    if sys.version_info < (3, 11) or not environ.get("INTERCEPTOR"):
        return
    try:
        from interceptor.installing import boot
    except ImportError:  # pragma: no cover - where nothing of ours is, nothing measures either
        return
    boot.from_environment()


def _hand_over() -> None:
    """Import the sitecustomize that would have been imported without us, where there is one."""
    path = sys.modules["os"].path
    here = path.dirname(path.abspath(__file__))
    # Children find the folder by PYTHONPATH again; this process has no more use for it.
    sys.path[:] = [folder for folder in sys.path if path.abspath(folder) != here]
    ours = sys.modules.pop("sitecustomize")
    try:
        __import__("sitecustomize")
    except ImportError as error:
        if error.name != "sitecustomize":
            raise
        sys.modules["sitecustomize"] = ours


_start()
_hand_over()
