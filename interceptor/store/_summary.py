"""The summary of a trace: what lists show, kept up to date span by span.

Adding a span costs the same whether the trace has one span or a million, so nothing
here looks at other spans: a column that one span decides remembers that span's rank.
"""

from typing import TypeVar

import msgspec

from interceptor.spans import SCOPE
from interceptor.store._encoding import Row
from interceptor.store.rows import State

__all__ = ["Before", "Summary", "add"]

Number = TypeVar("Number", int, float)

_ROOT = 0  # a rank before that of every other span, which is its start


class Before(msgspec.Struct, frozen=True):
    """What an earlier account of the same span said: it was running."""

    id: int
    state: State
    is_call: bool


class Summary(msgspec.Struct, kw_only=True):
    """A row of `traces`; fields are named as their columns."""

    trace_id: str
    name: str = ""
    name_rank: int = 2**63 - 1
    start_unix_ns: int = 2**63 - 1
    end_unix_ns: int | None = None
    spans: int = 0
    unfinished_spans: int = 0
    failed_spans: int = 0
    root_failed: bool | None = None
    failed: bool = False
    error_type: str | None = None
    error_message: str | None = None
    error_rank: int | None = None
    calls: int = 0
    models: list[str] = []
    endpoints: list[str] = []
    tags: list[str] = []
    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    cost_usd: float | None = None
    time_to_first_chunk_s: float | None = None
    time_to_first_chunk_rank: int | None = None
    preview: str | None = None
    preview_rank: int | None = None
    session_id: str | None = None
    user_id: str | None = None
    left_early: int = 0
    attempt: int | None = None
    retry_of: str | None = None


def add(summary: Summary, span: Row, before: Before | None) -> None:
    """Add a span, or what has become of one that was written as running before."""
    is_root = span.parent_id is None
    rank = _ROOT if is_root else span.start_unix_ns
    _count(summary, span, before)
    if rank <= summary.name_rank:
        summary.name, summary.name_rank = span.name, rank
    summary.start_unix_ns = min(summary.start_unix_ns, span.start_unix_ns)
    if is_root or summary.session_id is None:  # the root knows best, and may learn it late
        summary.session_id = span.session_id or summary.session_id
    if is_root or summary.user_id is None:
        summary.user_id = span.user_id or summary.user_id
    _append(summary.models, span.model)
    _append(summary.endpoints, span.endpoint)
    for tag in span.tags:
        _append(summary.tags, tag)
    if span.state is State.ENDED:
        _add_outcome(summary, span, rank)
        summary.left_early += span.left_early
        if is_root:
            summary.attempt, summary.retry_of = span.attempt, span.retry_of
        _add_answer(summary, span)
    summary.failed = (
        summary.failed_spans > 0 if summary.root_failed is None else summary.root_failed
    )


def _count(summary: Summary, span: Row, before: Before | None) -> None:
    summary.spans += before is None
    summary.unfinished_spans += (span.state is not State.ENDED) - (before is not None)
    was_call = before is not None and before.is_call
    summary.calls += span.is_call - was_call


def _add_outcome(summary: Summary, span: Row, rank: int) -> None:
    if span.end_unix_ns is not None:
        summary.end_unix_ns = max(summary.end_unix_ns or 0, span.end_unix_ns)
    if rank == _ROOT:
        summary.root_failed = span.failed
    if span.failed:
        summary.failed_spans += 1
        if summary.error_rank is None or rank <= summary.error_rank:
            summary.error_rank = rank
            summary.error_type, summary.error_message = span.error_type, span.status_message


def _add_answer(summary: Summary, span: Row) -> None:
    if span.endpoint is not None or span.scope == SCOPE:
        # Of other people's spans nobody knows whether a parent repeats what its children say.
        summary.input_tokens = _sum(summary.input_tokens, span.input_tokens)
        summary.output_tokens = _sum(summary.output_tokens, span.output_tokens)
        summary.total_tokens = _sum(summary.total_tokens, span.total_tokens)
        summary.cost_usd = _sum(summary.cost_usd, span.cost_usd)
    if span.time_to_first_chunk_s is not None and (
        summary.time_to_first_chunk_rank is None
        or span.start_unix_ns < summary.time_to_first_chunk_rank
    ):
        summary.time_to_first_chunk_s = span.time_to_first_chunk_s
        summary.time_to_first_chunk_rank = span.start_unix_ns
    end = span.end_unix_ns or 0
    if span.preview and (summary.preview_rank is None or end >= summary.preview_rank):
        summary.preview, summary.preview_rank = span.preview, end


def _append(values: list[str], value: str | None) -> None:
    if value and value not in values:
        values.append(value)


def _sum(left: Number | None, right: Number | None) -> Number | None:
    if left is None or right is None:
        return right if left is None else left
    return left + right
