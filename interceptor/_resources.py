"""Where the fixtures and the benchmarks are, in a checkout and in an installed wheel.

In the repository they stand at the top, beside the package, where people look for them. A wheel
has no "beside": the build puts them inside the package, as `_fixtures` and `_benchmarks`, so that
`interceptor demo` and `interceptor bench` run from an installed one too.
"""

from pathlib import Path

__all__ = ["benchmarks_folder", "fixtures_folder"]

_PACKAGE = Path(__file__).parent


def fixtures_folder() -> Path:
    """Give the folder of recorded exchanges: `<endpoint>/<case>/` with a request and a response."""
    return _folder("fixtures")


def benchmarks_folder() -> Path:
    """Give the folder of the benchmark programs."""
    return _folder("benchmarks")


def _folder(name: str) -> Path:
    packed = _PACKAGE / f"_{name}"
    return packed if packed.is_dir() else _PACKAGE.parent / name
