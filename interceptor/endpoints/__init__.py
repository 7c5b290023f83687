"""The table: which requests we can read, and with which Structs.

A new endpoint is a wire module and a row here. A path matches by its end, so that gateways may
put any prefix before it. In a row's path `*` stands for one segment, `{name}` for one that `Input`
has a field for, and `/**` at the end for anything below, or nothing.
"""

import functools
import re
from typing import NamedTuple

from interceptor.endpoints._inference import INFERENCE
from interceptor.endpoints._light import LIGHT
from interceptor.endpoints._row import ANY, Endpoint

__all__ = ["OPERATIONS", "OTHER", "TABLE", "Endpoint", "Match", "match"]

TABLE: tuple[Endpoint, ...] = (*INFERENCE, *LIGHT)
"""All rows; the first one that fits a request is its own."""

OTHER = Endpoint(name="other", operation="other", path="", method="", is_inference=False)
"""The row of a request that no other row knows."""


OPERATIONS = frozenset(
    {"all", "inference"}.union(*({row.name, row.operation} for row in (*TABLE, OTHER)))
)
"""What a setting may name: every endpoint, every operation, and two words for many."""


class Match(NamedTuple):
    """The row that a request belongs to, and the segments of its path that `Input` names."""

    endpoint: Endpoint
    ids: dict[str, str]


@functools.lru_cache(maxsize=4096)
def match(method: str, path: str) -> Match:
    """Give the row for a request, by its method and the end of its path; `OTHER` where none fits.

    Callers ask this for each request they send: answers are kept, and a path that is new costs
    one regular expression at each place where one of the table's paths may begin.
    """
    pattern, rows = _compiled(method)
    for begin in reversed(list(_BEGINS.finditer(path))):
        if found := pattern.fullmatch(path, begin.start()):
            at = found.lastindex or 0
            names = _NAMED.findall(rows[at].path)
            ids = found.groups()[at : at + len(names)]
            return Match(rows[at], dict(zip(names, ids, strict=True)))
    return Match(OTHER, {})


_NAMED = re.compile(r"\{(\w+)\}")
_WILD = re.compile(r"/\\\*\\\*|\\\*|\\\{\w+\\\}")
_TAILS = {r"/\*\*": r"(?:/.*)?", r"\*": r"[^/]+"}
_BEGINS = re.compile(f"/(?:{'|'.join(sorted({row.path.split('/')[1] for row in TABLE}))})(?=/)")


@functools.lru_cache(maxsize=16)
def _compiled(method: str) -> tuple[re.Pattern[str], dict[int, Endpoint]]:
    """Give one pattern for all rows of a method, and the row of each of its outer groups."""
    rows = [row for row in TABLE if row.method in (method, ANY)]
    groups: dict[int, Endpoint] = {}
    at = 1
    for row in rows:
        groups[at] = row
        at += 1 + len(_NAMED.findall(row.path))
    tails = "|".join(f"({_tail(row.path)})" for row in rows)
    return re.compile(f"(?:{tails})/?"), groups


def _tail(path: str) -> str:
    """Give a path as a regular expression; what it names is a group."""
    return _WILD.sub(lambda found: _TAILS.get(found[0], "([^/]+)"), re.escape(path))
