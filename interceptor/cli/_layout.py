"""Lines laid out for the width of a terminal, and in full for a pipe.

In a terminal no line is longer than its width: tables cut the column that may be cut, texts are
wrapped and indented. A pipe gets every line as long as it is, unless COLUMNS says how long.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from interceptor.cli._texts import visible

__all__ = ["GAP", "Column", "Field", "Fields", "cut", "rows_of", "width_of", "widths_of"]

GAP = "  "
_INDENT = 3
_LABEL = 11
_LEAST_TEXT = 20
_LEAST_CELL = 10


def width_of(options: ConsoleOptions) -> int | None:
    """Give the width that lines have to keep to; None where nothing limits them."""
    return None if options.no_wrap else options.max_width


def cut(text: Text, width: int) -> Text:
    """Give a text of at most this width, with an ellipsis where it was longer."""
    text = text.copy()
    text.truncate(width, overflow="ellipsis")
    return text


class Column(NamedTuple):
    """A column of a table; the one that is `flexible` gives way where there is no room."""

    heading: str
    is_right: bool = False
    is_flexible: bool = False


def widths_of(columns: Sequence[Column], rows: Sequence[Sequence[Text]]) -> list[int]:
    """Give how wide each column would be if nothing limited it."""
    return [
        max([len(column.heading), *(row[index].cell_len for row in rows)])
        for index, column in enumerate(columns)
    ]


def rows_of(
    columns: Sequence[Column], rows: Sequence[Sequence[Text]], width: int | None
) -> Iterator[Text]:
    """Give the rows of a table, its headings first, as aligned lines."""
    widths = widths_of(columns, rows)
    if width is not None:
        over = sum(widths) + len(GAP) * (len(widths) - 1) - width
        flexible = next(i for i, column in enumerate(columns) if column.is_flexible)
        widths[flexible] -= min(max(over, 0), max(widths[flexible] - _LEAST_CELL, 0))
    for row in [[Text(column.heading, "dim") for column in columns], *rows]:
        cells = zip(columns, row, widths, strict=True)
        line = _stripped(Text(GAP).join(_cell(*cell) for cell in cells))
        yield line if width is None else cut(line, width)


def _cell(column: Column, text: Text, width: int) -> Text:
    text = cut(text, width)
    pad = width - text.cell_len
    if column.is_right:
        text.pad_left(pad)
    else:
        text.pad_right(pad)
    return text


def _stripped(text: Text) -> Text:
    text.rstrip()
    return text


class Field(NamedTuple):
    """A label, and a text that may have many lines."""

    label: Text
    text: Text

    @classmethod
    def of(cls, label: str, text: str, style: str = "", *, label_style: str = "dim") -> "Field":
        """Make a field of plain texts."""
        return cls(Text(label, label_style), Text(visible(text), style))


class Fields:
    """Labels in a column of their own, and their texts beside them."""

    def __init__(self, fields: Sequence[Field]) -> None:
        """Lay these out when printed."""
        self.fields = tuple(fields)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Give the lines."""
        width = width_of(options)
        if width is not None:
            width = max(width - _INDENT - _LABEL, _LEAST_TEXT)
        for field in self.fields:
            lines = (
                field.text.split(allow_blank=True)
                if width is None
                else field.text.wrap(console, width)
            )
            for number, line in enumerate(lines):
                label = field.label if number == 0 else Text()
                yield _stripped(Text.assemble(" " * _INDENT, _padded(label), line))


def _padded(label: Text) -> Text:
    label = cut(label, _LABEL - 1)
    label.pad_right(_LABEL - label.cell_len)
    return label
