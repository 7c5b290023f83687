"""Batch jobs: many requests at half the price, answered later, in the job itself or in a file.

What the answers used is summed for each model. It stands in `outputs` of a job that is asked for
with `inline=true`, and in the lines of the output file that a program downloads.
"""

from collections.abc import Iterable

import msgspec

from interceptor.record import Answer, Input, Output, Usage
from interceptor.wire._usage import Sum, to_usage
from interceptor.wire.notes import Notes
from interceptor.wire.parsing import said

__all__ = ["CONTENT", "Job", "Line", "Request", "fold", "to_answer", "to_input", "to_usages"]

CONTENT = frozenset({"requests"})
"""The members of a request that are words, not parameters."""


class Request(msgspec.Struct, kw_only=True, gc=False):
    """What job is to be made."""

    model: str | None = None
    agent_id: str | None = None


class _Body(msgspec.Struct, kw_only=True, gc=False):
    """An answer to one request of the batch, whatever endpoint it was sent to."""

    model: str | None = None
    usage: msgspec.Raw = msgspec.Raw()
    usage_info: msgspec.Raw = msgspec.Raw()


class _Response(msgspec.Struct, kw_only=True, gc=False):
    body: _Body | None = None


class Line(msgspec.Struct, kw_only=True, gc=False):
    """One answer, in a job's `outputs` or on a line of an output file."""

    custom_id: str | None = None
    response: _Response | None = None


class Job(msgspec.Struct, kw_only=True, gc=False):
    """A job as it stands; a list of jobs has none of these."""

    id: str | None = None
    model: str | None = None
    agent_id: str | None = None
    endpoint: str | None = None
    status: str | None = None
    total_requests: int | None = None
    completed_requests: int | None = None
    succeeded_requests: int | None = None
    failed_requests: int | None = None
    outputs: tuple[Line, ...] | None = None


def to_input(request: Request, notes: Notes) -> Input:  # noqa: ARG001 - the table's signature
    """Give what was asked; the requests themselves are not kept."""
    return Input(model=request.model, agent_id=request.agent_id)


def to_answer(job: Job, notes: Notes) -> Answer:
    """Give how a job stands, and what its answers used where they are there."""
    facts = {name: getattr(job, name) for name in _FACTS}
    return Answer(
        output=Output(
            id=job.id,
            model=job.model,
            agent_id=job.agent_id,
            facts={name: value for name, value in facts.items() if value is not None},
        ),
        usage_by_model=_by_model(job.outputs or (), job.model, notes),
    )


def fold(lines: Iterable[Line], notes: Notes) -> dict[str, Usage]:
    """Give what the answers in an output file used, for each model."""
    return _by_model(lines, None, notes)


def to_usages(usages: dict[str, Usage], notes: Notes) -> Answer:  # noqa: ARG001 - the table's
    """Give the answer of a download: what was used, and nothing of the file."""
    return Answer(usage_by_model=usages)


_FACTS = (
    "status",
    "endpoint",
    "total_requests",
    "completed_requests",
    "succeeded_requests",
    "failed_requests",
)


def _by_model(lines: Iterable[Line], default: str | None, notes: Notes) -> dict[str, Usage]:
    """Sum up usage; an answer that names no model is the job's model's."""
    sums: dict[str, Sum] = {}
    for line in lines:
        body = (line.response or _Response()).body or _Body()
        usage = to_usage(body.usage if said(body.usage) else body.usage_info, notes)
        if usage is not None:
            sums.setdefault(body.model or default or "unknown", Sum()).add(usage)
    return {model: found.total() for model, found in sums.items()}
