"""A trace as a piece of HTML, for a notebook: no script, no style sheet, nothing fetched."""

import html
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from interceptor.store import Span
from interceptor.store.tree import Branch, branches
from interceptor.traces._text import facts, scored

if TYPE_CHECKING:
    from interceptor.traces.trace import Trace

__all__ = ["page"]

_MOST_SPANS = 200
_MOST_CHARS = 4000
_NS = 1e9

# Colours that can be read on light and on dark alike, for a page of ours knows neither.
_BAR = "display:inline-block;height:.6em;min-width:2px;background:{};opacity:.7"
_COLOURS = {"ok": "#4a90d9", "error": "#d9534f", "running": "#e0a030", "lost": "#999"}
_MONO = "font-family:monospace;font-size:12px;line-height:1.5"
_SAID = "white-space:pre-wrap;margin:.2em 0 .4em 1.5em;max-height:24em;overflow:auto"


def page(trace: "Trace") -> str:
    """Give the tree: each span opens to what went in and what came out."""
    tree = branches(trace.spans)
    heading = _escaped(
        "  ".join([trace.name, *facts(trace.status, trace.duration, trace.token_usage)])
    )
    rows = [
        f'<div style="{_MONO}">',
        f'<div><b>{heading}</b> <span style="opacity:.6">{_escaped(trace.trace_id)}</span></div>',
        *(_row(trace, branch) for branch in tree[:_MOST_SPANS]),
    ]
    if len(tree) > _MOST_SPANS:
        rows.append(f"<div>… {len(tree) - _MOST_SPANS} more spans</div>")
    for score in trace.scores:
        said = scored(score.name, score.value, score.label, score.comment)
        rows.append(f"<div>score {_escaped(said)}</div>")
    return "\n".join([*rows, "</div>"])


def _row(trace: "Trace", branch: Branch) -> str:
    span = branch.span
    said = _escaped("  ".join(facts(span.status, span.duration_s, span.usage)))
    return (
        f'<details style="margin-left:{1.5 * branch.depth:g}em"><summary style="cursor:pointer">'
        f'{_escaped(span.name)} <span style="opacity:.6">{said}</span> {_bar(trace, span)}'
        f"</summary>{''.join(_words(span))}</details>"
    )


def _bar(trace: "Trace", span: Span) -> str:
    """Give a span's share of the trace's time, as a bar where it lay."""
    whole, took = trace.duration, span.duration_s
    if not whole or took is None:
        return ""
    began = min(one.start_unix_ns for one in trace.spans)
    before = (span.start_unix_ns - began) / _NS / whole
    bar = _BAR.format(_COLOURS[span.status])
    return (
        '<span style="display:inline-block;width:16em">'
        f'<span style="{bar};margin-left:{16 * before:.2f}em;width:{16 * took / whole:.2f}em">'
        "</span></span>"
    )


def _words(span: Span) -> Iterator[str]:
    for label, value in (("in", span.input), ("out", span.output)):
        if value is not None:
            yield f'<div style="{_SAID}"><i>{label}</i> {_escaped(_readable(value))}</div>'
    if span.failed:
        said = ": ".join(
            filter(None, [str(span.attributes.get("error.type", "")), span.status_message])
        )
        yield f'<div style="{_SAID}"><i>error</i> {_escaped(said)}</div>'


def _readable(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)
    return (
        text
        if len(text) <= _MOST_CHARS
        else f"{text[:_MOST_CHARS]}… [{len(text) - _MOST_CHARS} more]"
    )


def _escaped(text: str) -> str:
    return html.escape(text, quote=True)
