"""Reading a store: the newest traces, one trace whole, a search."""

from pathlib import Path

from interceptor.store.rows import Loss, Span, Status, Trace

__all__ = ["Store"]


class Store:
    """The traces kept in one file, for reading; any number of processes may write meanwhile.

    Nothing is opened before the first question, and nothing stays open between
    two, so that an instance may be shared by threads and kept for long. Each
    question raises StoreError when there is no store yet or it cannot be read.
    """

    def __init__(self, path: Path | str | None = None) -> None:
        """Read the file at this path; None is where stores are kept by default."""
        raise NotImplementedError

    @property
    def path(self) -> Path:
        """Where it looks."""
        raise NotImplementedError

    def latest(self, n: int = 20, *, before_unix_ns: int | None = None) -> list[Trace]:
        """Give the n newest traces, newest first; with `before_unix_ns`, of those begun earlier."""
        raise NotImplementedError

    def trace(self, trace_id: str) -> tuple[Span, ...]:
        """Give the spans of a trace by start; the first digits of its id are enough.

        Raises StoreError if no trace, or more than one, begins so.
        """
        raise NotImplementedError

    def search(
        self,
        *,
        model: str | None = None,
        status: Status | str | None = None,
        since_unix_ns: int | None = None,
        until_unix_ns: int | None = None,
        session_id: str | None = None,
        user_id: str | None = None,
        name: str | None = None,
        text: str | None = None,
        limit: int = 20,
    ) -> list[Trace]:
        """Give the newest traces to which all of this applies, newest first.

        `model` and `name` are those of any span in the trace, and `*` in them
        stands for anything. `text` is looked for in what was said, in names and
        in errors: each of its words must begin a word there. `since_unix_ns` is
        inclusive, `until_unix_ns` is not; both mean the trace's start.
        """
        raise NotImplementedError

    def lost(self) -> Loss | None:
        """Give what could not be kept, over all processes; None if nothing ever was."""
        raise NotImplementedError
