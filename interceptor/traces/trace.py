"""One trace, whole, as a value."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

import msgspec

from interceptor.dialects import observed
from interceptor.record import Usage
from interceptor.spans import SCOPE
from interceptor.store import Score, Span, State, Status
from interceptor.traces import _html, _text

__all__ = ["Trace"]

_NS = 1e9


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """A trace as it stood when it was read: its spans by their start, and its scores.

    `print(trace)` shows the tree, and a notebook shows it under the cell.
    """

    trace_id: str
    spans: tuple[Span, ...]
    scores: tuple[Score, ...] = ()

    @property
    def root(self) -> Span:
        """The outermost span; the earliest one where the outermost is not here (yet)."""
        return next((span for span in self.spans if span.parent_id is None), self.spans[0])

    @property
    def name(self) -> str:
        """The outermost span's."""
        return self.root.name

    @property
    def calls(self) -> tuple[Span, ...]:
        """The spans of calls to the API."""
        return tuple(span for span in self.spans if span.is_call)

    @property
    def token_usage(self) -> Usage:
        """What all calls together used: `input_tokens`, `output_tokens` and `total_tokens`.

        None where none of them said anything. The total is the sum of the server's totals, which
        are not always the sum of the two.
        """
        used = [usage for span in self.spans if _counts(span) and (usage := span.usage)]
        return Usage(
            input_tokens=_sum(usage.input_tokens for usage in used),
            output_tokens=_sum(usage.output_tokens for usage in used),
            total_tokens=_sum(usage.total_tokens for usage in used),
        )

    @property
    def cost_usd(self) -> float | None:
        """What the calls cost, in dollars, by our price table; None where it has no price."""
        costs = [span.attributes.get("mistral_ai.cost.usd") for span in self.spans]
        known = [cost for cost in costs if isinstance(cost, int | float)]
        return sum(known) if known else None

    @property
    def duration(self) -> float | None:
        """The seconds from the first start to the last end; None until all has ended."""
        ends = [span.end_unix_ns for span in self.spans]
        known = [end for end in ends if end is not None]
        if len(known) < len(ends):
            return None
        return (max(known) - min(span.start_unix_ns for span in self.spans)) / _NS

    @property
    def status(self) -> Status:
        """How it went: as its root did, or running or lost where that is true of any span.

        Without a root, as the worst of its spans did.
        """
        for state, status in ((State.RUNNING, Status.RUNNING), (State.LOST, Status.LOST)):
            if any(span.state is state for span in self.spans):
                return status
        judged = (self.root,) if self.root.parent_id is None else self.spans
        return Status.ERROR if any(span.failed for span in judged) else Status.OK

    @property
    def session_id(self) -> str | None:
        """The session that it belongs to."""
        return self._label("session.id")

    @property
    def user_id(self) -> str | None:
        """The user on whose behalf it happened."""
        return self._label("user.id")

    def find(self, name: str = "*", *, kind: str | None = None) -> tuple[Span, ...]:
        """Give the spans of this name, in which `*` stands for anything, by their start.

        `kind` is that of `observe`: `chain`, `agent`, `tool`, `retriever` or `llm`; a call to the
        API is of none.
        """
        pattern = name.replace("[", "[[]").replace("?", "[?]")
        return tuple(
            span
            for span in self.spans
            if fnmatchcase(span.name, pattern)
            and (kind is None or kind == observed.kind(span.attributes))
        )

    def to_json(self) -> str:
        """Give the trace as one JSON object: what is above, and every span whole."""
        usage = self.token_usage
        return msgspec.json.encode(
            {
                "trace_id": self.trace_id,
                "name": self.name,
                "status": self.status,
                "duration": self.duration,
                "session_id": self.session_id,
                "user_id": self.user_id,
                "token_usage": {
                    "input_tokens": usage.input_tokens,
                    "output_tokens": usage.output_tokens,
                    "total_tokens": usage.total_tokens,
                },
                "cost_usd": self.cost_usd,
                "scores": self.scores,
                "spans": self.spans,
            }
        ).decode()

    def __repr__(self) -> str:
        return f"<Trace {self.trace_id}: {self.name}, {len(self.spans)} spans>"

    def __str__(self) -> str:
        return "\n".join(_text.lines(self))

    def _repr_html_(self) -> str:
        return _html.page(self)

    def _label(self, name: str) -> str | None:
        """Give a label of the root, or else the first one that any span has."""
        values = (span.attributes.get(name) for span in (self.root, *self.spans))
        return next((value for value in values if isinstance(value, str)), None)


def _counts(span: Span) -> bool:
    """Tell whether a span's usage is its own: other people's may repeat what their children say."""
    return span.scope == SCOPE or "mistral_ai.endpoint" in span.attributes


def _sum(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
