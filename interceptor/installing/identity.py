"""What is kept of objects for as long as they live, each told from all others by identity.

A `WeakKeyDictionary` asks an object for its hash and whether it equals another, and a client's
class may be the user's own: one that is a dataclass has no hash, and is equal to its like.
"""

import weakref
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

__all__ = ["ByIdentity"]

Kept = TypeVar("Kept")


class ByIdentity(Generic[Kept]):
    """Keeps something of objects that may be weakly referred to, and iterates over those alive."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[weakref.ref[Any], Kept]] = {}

    def of(self, one: Any, make: Callable[[], Kept]) -> Kept:
        """Give what is kept of an object; make it where nothing is yet."""
        key, kept = id(one), self._kept
        if key not in kept:
            kept[key] = weakref.ref(one, lambda _: kept.pop(key, None)), make()
        return kept[key][1]

    def pop(self, one: Any) -> Kept | None:
        """Keep nothing more of an object; give what was kept, None where nothing was."""
        found = self._kept.pop(id(one), None)
        return None if found is None else found[1]

    def __bool__(self) -> bool:
        return bool(self._kept)

    def __iter__(self) -> Iterator[Any]:
        alive = [reference() for reference, _ in tuple(self._kept.values())]
        return (one for one in alive if one is not None)
