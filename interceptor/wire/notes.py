"""What could not be read, counted: one sentence a kind, however often it happened."""

from collections import Counter

__all__ = ["Notes"]


class Notes:
    """Collects notes while an exchange is read."""

    def __init__(self) -> None:
        """Begin with none."""
        self._counts: Counter[str] = Counter()

    def add(self, note: str) -> None:
        """Count this note once more."""
        self._counts[note] += 1

    def texts(self) -> tuple[str, ...]:
        """Give each note once, with its count where it is more than one."""
        return tuple(f"{note} (×{n})" if n > 1 else note for note, n in self._counts.items())
