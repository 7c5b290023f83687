"""What is said of every span inside a block: whose session it is, and how to find it again."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import context as otel_context

from interceptor import surroundings
from interceptor.observing._values import copied
from interceptor.surroundings import Labels

__all__ = ["context", "to_labels"]

_METADATA_CHARS = 1 << 16


@contextmanager
def context(
    *,
    session_id: str | None = None,
    user_id: str | None = None,
    tags: Iterable[str] | str = (),
    metadata: Mapping[str, Any] | None = None,
) -> Iterator[None]:
    """Put these on every span inside the block, those of the calls to Mistral among them.

    Across tasks too, and across threads that copy their starter's context (see
    `ContextThreadPoolExecutor`). Blocks may be nested: the inner session and user replace the
    outer, tags and metadata are added. All four are labels and not words: they are kept whatever
    `content` is set to, and no policy sees them.
    """
    now = otel_context.get_current()
    around = surroundings.of(now)
    labels = around.labels.and_(to_labels(session_id, user_id, tags, metadata))
    token = otel_context.attach(surroundings.within(now, around._replace(labels=labels)))
    try:
        yield
    finally:
        surroundings.leave(token)


def to_labels(
    session_id: str | None,
    user_id: str | None,
    tags: Iterable[str] | str | None,
    metadata: Mapping[str, Any] | None,
) -> Labels:
    """Give labels of what a caller says: ids and tags as text, metadata without secrets."""
    names = (tags,) if isinstance(tags, str) else tuple(map(str, tags or ()))
    return surroundings.labels(
        session_id=None if session_id is None else str(session_id),
        user_id=None if user_id is None else str(user_id),
        tags=names,
        metadata=copied(dict(metadata), _METADATA_CHARS)[0] if metadata else None,
    )
