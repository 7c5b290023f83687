"""The spans of a trace as a tree, each with its duration as a bar on one axis of time."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from interceptor.cli._layout import GAP, Column, rows_of, width_of, widths_of
from interceptor.cli._listing import MARKS, NOTHING, STYLES, took
from interceptor.cli._texts import line
from interceptor.store import Span, Status
from interceptor.store.tree import Branch

__all__ = ["Tree"]

_LEAST_BAR, _LONGEST_BAR = 20, 40
_BAR_STYLES = {**STYLES, Status.OK: "cyan"}


class Tree:
    """A tree of spans, laid out when it is printed; `now` is for those that are running."""

    def __init__(self, tree: Sequence[Branch], *, now_unix_ns: int) -> None:
        """Show these branches, from the top down."""
        self.tree, self.now_unix_ns = tuple(tree), now_unix_ns

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Give the lines."""
        used = ["IN", "OUT"] if any(any(_usage(one.span)) for one in self.tree) else []
        columns = [
            Column(""),
            Column("", is_flexible=True),
            *(Column(heading, is_right=True) for heading in ["TOOK", *used]),
            Column(""),
        ]
        facts = [self._facts(branch)[: len(columns) - 1] for branch in self.tree]
        width = width_of(options)
        bar_width = _LONGEST_BAR
        if width is not None:
            room = width - sum(taken + len(GAP) for taken in widths_of(columns[:-1], facts))
            bar_width = min(max(room, _LEAST_BAR), _LONGEST_BAR)
        bars = self._bars(bar_width)
        rows = [[*cells, bar] for cells, bar in zip(facts, bars, strict=True)]
        return rows_of(columns, rows, width)

    def _facts(self, branch: Branch) -> list[Text]:
        span = branch.span
        style = STYLES[span.status]
        number = f" {branch.number:>{len(str(len(self.tree)))}}"
        return [
            Text.assemble((MARKS[span.status], style), (number, "dim")),
            Text.assemble((branch.stem, "dim"), (line(span.name), style)),
            took(span, now_unix_ns=self.now_unix_ns),
            *(Text(NOTHING if count is None else str(count), "dim") for count in _usage(span)),
        ]

    def _bars(self, width: int) -> Iterator[Text]:
        """Give each span's stretch of the time from the first start to the last end."""
        spans = [branch.span for branch in self.tree]
        ends = self._ends()
        # A tool that the server ran is timed by the server's clock, which may be far off.
        by_our_clock = [span for span in spans if not _is_by_server(span)] or spans
        first = min(span.start_unix_ns for span in by_our_clock)
        last = max(ends[span.span_id] for span in by_our_clock)
        scale = 2 * width / max(last - first, 1)
        for span in spans:
            begin, end = (
                round((at - first) * scale) for at in (span.start_unix_ns, ends[span.span_id])
            )
            yield Text(_bar(begin, end, width), _BAR_STYLES[span.status])

    def _ends(self) -> dict[str, int]:
        """Give until when each span is known to have run: a lost one, as long as those in it."""
        ends: dict[str, int] = {}
        inside: dict[str | None, int] = defaultdict(int)
        for span in (branch.span for branch in reversed(self.tree)):  # those in a span follow it
            known = self.now_unix_ns if span.status is Status.RUNNING else inside[span.span_id]
            end = max(span.start_unix_ns, known if span.end_unix_ns is None else span.end_unix_ns)
            ends[span.span_id] = end
            inside[span.parent_id] = max(inside[span.parent_id], end)
        return ends


def _bar(begin: int, end: int, width: int) -> str:
    """Draw a line from one half cell to another, at least one half long."""
    begin = min(max(begin, 0), 2 * width - 1)
    end = min(max(end, begin + 1), 2 * width)
    first, last = begin + begin % 2, end - end % 2
    left = "╺" if begin < first else ""
    right = "╸" if last < end and first <= last else ""
    return " " * (begin // 2) + left + "━" * ((last - first) // 2) + right


def _usage(span: Span) -> tuple[Any, Any]:
    get = span.attributes.get
    return get("gen_ai.usage.input_tokens"), get("gen_ai.usage.output_tokens")


def _is_by_server(span: Span) -> bool:
    return "gen_ai.provider.name" in span.attributes and not span.is_call
