"""What spans have to do with each other: tool calls, and attempts at the same request."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from interceptor.store import Link, Span, Trace
from interceptor.store.rows import TOOL_CALL
from interceptor.store.tree import Branch

__all__ = ["Links"]

_DID = {"asked": "asked for in", "ran": "run in", "took": "taken by"}
_REDIRECTED = range(300, 400)

Ids = tuple[str, str]


class Links:
    """The links of a trace's spans, those that lead to them too.

    `later` are the traces of later attempts at what this one was the first at.
    """

    def __init__(self, tree: Sequence[Branch], later: Sequence[Trace] = ()) -> None:
        """Look them through."""
        self._numbers: Mapping[Ids, int] = {_ids(span): number for span, number, *_ in tree}
        self._later: dict[Ids, list[str]] = defaultdict(list)
        for span, number, *_ in tree:
            if first := span.first_attempt:
                self._later[_ids(first)].append(f"span {number} ({span.status})")
            elif span.parent_id is None and "mistral_ai.request.attempt" in span.attributes:
                self._later[_ids(span)] += [f"{_trace(o.trace_id)} ({o.status})" for o in later]

    def of(self, span: Span) -> Iterator[str]:
        """Give what other spans had to do with this one, those of one tool call together."""
        if first := span.first_attempt:
            yield f"retry of {self._where(first)}"
        if later := self._later.get(_ids(span)):
            is_redirect = span.attributes.get("http.response.status_code") in _REDIRECTED
            yield f"{'redirected' if is_redirect else 'sent again'} as {', '.join(later)}"
        found: dict[str, list[str]] = defaultdict(list)
        for link in span.links:
            if link is not first:
                did = _DID.get(str(link.attributes.get(TOOL_CALL)), "see")
                call = str(link.attributes.get("gen_ai.tool.call.id", ""))
                found[call].append(f"{did} {self._where(link)}")
        yield from (f"{call} {', '.join(others)}".lstrip() for call, others in found.items())

    def _where(self, link: Link) -> str:
        number = self._numbers.get(_ids(link))
        return _trace(link.trace_id) if number is None else f"span {number}"


def _ids(of: Span | Link) -> Ids:
    return of.trace_id, of.span_id


def _trace(trace_id: str) -> str:
    return f"trace {trace_id[:8]}"
