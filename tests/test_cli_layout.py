"""Lines for the width of a terminal, and in full for a pipe."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from interceptor.cli._layout import Column, Field, Fields, rows_of
from tests.cli_store import printed

FIELDS = [
    Field.of("user", "What is a bittern?"),
    Field.of("assistant", "A shy brown heron.\n\nIt booms in the reeds at night.\n  indented"),
    Field.of("", "no label"),
    Field.of("a long label", "its text"),
    Field.of("empty", ""),
]
IN_A_TERMINAL = """\
   user       What is a bittern?
   assistant  A shy brown heron.

              It booms in the reeds
              at night.
                indented
              no label
   a long la… its text
   empty
"""
IN_A_PIPE = """\
   user       What is a bittern?
   assistant  A shy brown heron.

              It booms in the reeds at night.
                indented
              no label
   a long la… its text
   empty
"""


@pytest.mark.parametrize(("width", "lines"), [(36, IN_A_TERMINAL), (None, IN_A_PIPE)])
def test_texts_stand_beside_their_labels(width, lines):
    assert printed(Fields(FIELDS), width=width) == lines


@given(st.lists(st.tuples(st.text(max_size=9), st.text(max_size=300)), max_size=5))
def test_no_text_is_wider_than_the_terminal(pairs):
    out = printed(Fields([Field.of(label, text) for label, text in pairs]), width=60)
    assert all(cell_len(line) <= 60 for line in out.split("\n"))


COLUMNS = [Column("NAME", is_flexible=True), Column("TOOK", is_right=True), Column("SAID")]
ROWS = [["a name of some length", "1s", "yes"], ["short", "100s", ""]]
TABLES = {
    "room for all": (
        40,
        [
            "NAME                   TOOK  SAID",
            "a name of some length    1s  yes",
            "short                  100s",
        ],
    ),
    "less room": (
        30,
        [
            "NAME                TOOK  SAID",
            "a name of some le…    1s  yes",
            "short               100s",
        ],
    ),
    "hardly any room": (
        20,
        ["NAME        TOOK  S…", "a name of…    1s  y…", "short       100s"],
    ),
    "a pipe": (
        None,
        [
            "NAME                   TOOK  SAID",
            "a name of some length    1s  yes",
            "short                  100s",
        ],
    ),
}


@pytest.mark.parametrize(("width", "lines"), TABLES.values(), ids=TABLES)
def test_a_table_keeps_to_its_width(width, lines):
    rows = [[Text(cell) for cell in row] for row in ROWS]
    assert [row.plain for row in rows_of(COLUMNS, rows, width)] == lines
