"""`python -m interceptor` is `interceptor`."""

import sys

from interceptor.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
