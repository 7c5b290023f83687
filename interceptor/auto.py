"""Importing this module is `interceptor.install()`, unless the environment says that it is off.

For programs that can be given an import but no call: `python -c "import interceptor.auto, app"`,
a `conftest.py`, an interpreter's start-up file.
"""

import os

from interceptor.installing import boot

__all__ = ()

if not boot.refused(os.environ):
    boot.start()
