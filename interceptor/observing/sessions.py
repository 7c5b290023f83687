"""What is said of every span inside a block: whose session it is, and how to find it again."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import context as otel_context

from interceptor import surroundings
from interceptor.observing._checks import check_labels
from interceptor.observing._values import copied
from interceptor.quiet import report
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
    `content` is set to, and no policy sees them. Raises `ArgumentError` for tags that are no words,
    and for metadata that is no mapping.
    """
    check_labels(tags, metadata)
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
    """Give labels of what a caller says: ids and tags as text, metadata without secrets.

    Gives none where a value cannot say what it is.
    """
    try:
        return surroundings.labels(
            session_id=None if session_id is None else str(session_id),
            user_id=None if user_id is None else str(user_id),
            tags=_words(tags),
            metadata=None if metadata is None else copied(dict(metadata), _METADATA_CHARS)[0],
        )
    except Exception as error:  # noqa: BLE001 - the edge: anybody's code makes the texts
        report("a label", error)
        return Labels()


def _words(tags: Any) -> tuple[str, ...]:
    given = (tags,) if isinstance(tags, str) else () if tags is None else tags
    return tuple(word for one in given if one is not None and (word := str(one)))
