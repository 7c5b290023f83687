"""Importing this module is `interceptor.install()`, unless the environment says that it is off.

For programs that can be given an import but no call: `python -c "import interceptor.auto, app"`,
a `conftest.py`, an interpreter's start-up file.
"""

import os

from interceptor.installing import boot

__all__: list[str] = []

if os.environ.get("INTERCEPTOR", "").strip().lower() not in ("0", "false", "off"):
    boot.start()
