"""Traces as a list: two lines each in a terminal, one where there is room and in a pipe."""

from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from interceptor.cli._call import LEFT_EARLY
from interceptor.cli._layout import Column, cut, rows_of, width_of
from interceptor.cli._texts import counted, dollars, line
from interceptor.cli._times import clock, date_and_time, seconds
from interceptor.store import Span, Status, Trace

__all__ = ["MARKS", "NOTHING", "STYLES", "Listing", "error_of", "took"]

MARKS = {Status.OK: " ", Status.ERROR: "✗", Status.RUNNING: "●", Status.LOST: "?"}
STYLES = {Status.OK: "", Status.ERROR: "red", Status.RUNNING: "yellow", Status.LOST: "yellow"}

_ROOM_FOR_ONE_LINE = 160
_LONGEST_NAME = 32
NOTHING = "–"
_NO_KIND = "_OTHER"  # OpenTelemetry's word for an error that has no kind
_UNFINISHED = {Status.RUNNING: "running", Status.LOST: "lost when its process ended"}


class Listing:
    """A list of traces, laid out when it is printed; `now` is for those that are running."""

    def __init__(self, traces: Sequence[Trace], *, now_unix_ns: int) -> None:
        """List these, in this order."""
        self.traces, self.now_unix_ns = tuple(traces), now_unix_ns

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Give the lines."""
        width = width_of(options)
        if width is None or width >= _ROOM_FOR_ONE_LINE:
            yield from self._one_line_each(width)
        else:
            yield from self._two_lines_each(width)

    def _two_lines_each(self, width: int) -> Iterator[Text]:
        columns = [
            Column("  ID"),
            Column("TIME"),
            Column("NAME", is_flexible=True),
            *self._figures(),
        ]
        rows = [
            [
                _mark(trace) + Text(" ") + _id(trace),
                Text(clock(trace.start_unix_ns, now_unix_ns=self.now_unix_ns), "dim"),
                Text(line(trace.name), "bold"),
                *self._figures_of(trace),
            ]
            for trace in self.traces
        ]
        heading, *lines = rows_of(columns, rows, width)
        yield heading
        indent = " " * max(heading.plain.find("NAME"), 2)  # a narrow terminal has cut it
        for trace, facts in zip(self.traces, lines, strict=True):
            yield facts
            if below := _below(trace):
                yield cut(Text.assemble(indent, below), width)

    def _one_line_each(self, width: int | None) -> Iterator[Text]:
        columns = [
            Column("STATUS"),
            Column("ID"),
            Column("TIME"),
            Column("NAME"),
            Column("MODEL"),
            Column("CALLS", is_right=True),
            *self._figures(),
            Column("ANSWER", is_flexible=True),
        ]
        rows = [
            [
                Text(trace.status, STYLES[trace.status] or "dim"),
                _id(trace),
                Text(date_and_time(trace.start_unix_ns), "dim"),
                cut(Text(_short_name(trace)), _LONGEST_NAME),
                cut(Text(_models(trace) or NOTHING), _LONGEST_NAME),
                Text(str(trace.call_count)),
                *self._figures_of(trace),
                _said(trace),
            ]
            for trace in self.traces
        ]
        return rows_of(columns, rows, width)

    def _figures(self) -> list[Column]:
        headings = ["TOOK", "FIRST", "IN", "OUT", *(["≈COST"] if self._has_costs else [])]
        return [Column(heading, is_right=True) for heading in headings]

    def _figures_of(self, trace: Trace) -> list[Text]:
        first, cost = trace.time_to_first_chunk_s, trace.cost_usd
        figures = [
            None if first is None else seconds(first),
            None if trace.input_tokens is None else str(trace.input_tokens),
            None if trace.output_tokens is None else str(trace.output_tokens),
        ]
        if self._has_costs:
            figures.append(None if cost is None else dollars(cost))
        return [
            took(trace, now_unix_ns=self.now_unix_ns),
            *(Text(figure) if figure else Text(NOTHING, "dim") for figure in figures),
        ]

    @property
    def _has_costs(self) -> bool:
        return any(trace.cost_usd is not None for trace in self.traces)


def took(of: Trace | Span, *, now_unix_ns: int) -> Text:
    """Give how long a trace or span took; how long it has been running, if it is."""
    if of.duration_s is not None:
        return Text(seconds(of.duration_s))
    if of.status is Status.RUNNING:
        return Text(f"{seconds(max(now_unix_ns - of.start_unix_ns, 0) / 1e9)}…", "yellow")
    return Text(NOTHING, "dim")


def error_of(kind: str | None, message: str | None) -> str:
    """Give an error as `kind: message`, or what there is of it."""
    kind = None if kind == _NO_KIND else kind
    if kind and message:
        return message if message.startswith(kind) else f"{kind}: {message}"
    return kind or message or "failed"


def _mark(trace: Trace) -> Text:
    return Text(MARKS[trace.status], STYLES[trace.status])


def _id(trace: Trace) -> Text:
    return Text(trace.trace_id[:8], "dim")


def _short_name(trace: Trace) -> str:
    """Give a trace's name without the model, which has a column of its own."""
    name = line(trace.name)
    models = _models(trace)
    return name.removesuffix(models).rstrip() or name if models else name


def _models(trace: Trace) -> str:
    return ", ".join(map(line, trace.models))


def _below(trace: Trace) -> Text:
    """Give what the first line of two had no room for."""
    parts = [
        Text("" if all(model in trace.name for model in trace.models) else _models(trace), "dim"),
        Text(counted(trace.call_count, "call") if trace.call_count > 1 else "", "dim"),
        Text(f"{trace.failed_span_count} failed" if _coped(trace) else "", "dim"),
        Text(_UNFINISHED.get(trace.status, ""), STYLES[trace.status]),
        _said(trace),
    ]
    return _joined(parts)


def _coped(trace: Trace) -> bool:
    """Tell whether a trace went well in the end although something in it failed."""
    return trace.failed_span_count > 0 and not trace.failed


def _said(trace: Trace) -> Text:
    """Give how a trace ended that has more to say than its status, and what was said in it."""
    left, first = trace.left_early_count, trace.retry_of
    parts = [
        Text(f"attempt {trace.attempt} of {first[:8]}" if first else "", "dim"),
        Text(
            "" if not left else LEFT_EARLY if left == trace.call_count else f"{left} {LEFT_EARLY}"
        ),
        _words(trace),
    ]
    return _joined(parts)


def _joined(parts: Sequence[Text]) -> Text:
    return Text(" · ", "dim").join(part for part in parts if part)


def _words(trace: Trace) -> Text:
    """Give the error of a trace that failed, else the first words of its answer."""
    if trace.status is Status.ERROR:
        return Text(line(error_of(trace.error_type, trace.error_message)), STYLES[trace.status])
    return Text(line(trace.preview or ""), "dim")
