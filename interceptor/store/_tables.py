"""What a store's file looks like, and how an older one becomes a newer one.

- `spans`: what lists and searches need of each span, small
- `payloads`: all that was recorded of it, as JSON text
- `traces`: a summary of each trace, kept up to date as spans are written
- `scores`: what somebody thought of a trace or of a span
- `texts`: a full-text index over what people and models said
"""

import sqlite3
from collections.abc import Callable

__all__ = ["MIGRATIONS", "Migration"]

Migration = Callable[[sqlite3.Connection], None]

_VERSION_1 = """
CREATE TABLE spans (
    id INTEGER PRIMARY KEY,
    trace_id TEXT NOT NULL,
    span_id TEXT NOT NULL,
    parent_id TEXT,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    start_unix_ns INTEGER NOT NULL,
    end_unix_ns INTEGER,
    state TEXT NOT NULL,             -- running, ended, lost
    process TEXT,                    -- of a span that has not ended: who runs it
    failed INTEGER NOT NULL,
    status_message TEXT,
    error_type TEXT,
    endpoint TEXT,
    operation TEXT,
    model TEXT,
    response_model TEXT,
    input_tokens INTEGER,
    output_tokens INTEGER,
    total_tokens INTEGER,
    cost_usd REAL,
    time_to_first_chunk_s REAL,
    session_id TEXT,
    user_id TEXT,
    UNIQUE (trace_id, span_id)
);
CREATE INDEX running_spans ON spans (process) WHERE state = 'running';
CREATE INDEX unfinished_spans ON spans (trace_id) WHERE state <> 'ended';

CREATE TABLE payloads (
    id INTEGER PRIMARY KEY,          -- the span's
    attributes TEXT NOT NULL,
    events TEXT NOT NULL,
    links TEXT NOT NULL,
    resource TEXT NOT NULL,
    scope TEXT NOT NULL
);

-- Columns named …_rank say by which span another column was filled, so that the next
-- span can tell whether it knows better.
CREATE TABLE traces (
    trace_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    name_rank INTEGER NOT NULL,
    start_unix_ns INTEGER NOT NULL,
    end_unix_ns INTEGER,
    spans INTEGER NOT NULL,
    unfinished_spans INTEGER NOT NULL,
    failed_spans INTEGER NOT NULL,
    root_failed INTEGER,
    failed INTEGER NOT NULL,
    error_type TEXT,
    error_message TEXT,
    error_rank INTEGER,
    calls INTEGER NOT NULL,
    models TEXT NOT NULL,            -- JSON lists
    endpoints TEXT NOT NULL,
    tags TEXT NOT NULL,
    input_tokens INTEGER,
    output_tokens INTEGER,
    total_tokens INTEGER,
    cost_usd REAL,
    time_to_first_chunk_s REAL,
    time_to_first_chunk_rank INTEGER,
    preview TEXT,
    preview_rank INTEGER,
    session_id TEXT,
    user_id TEXT
);
CREATE INDEX traces_by_start ON traces (start_unix_ns);
CREATE INDEX traces_by_session ON traces (session_id, start_unix_ns)
    WHERE session_id IS NOT NULL;
CREATE INDEX traces_by_user ON traces (user_id, start_unix_ns) WHERE user_id IS NOT NULL;
CREATE INDEX unfinished_traces ON traces (start_unix_ns) WHERE unfinished_spans > 0;

CREATE TABLE scores (
    id INTEGER PRIMARY KEY,
    trace_id TEXT NOT NULL,
    span_id TEXT,                    -- NULL where the whole trace was meant
    name TEXT NOT NULL,
    value REAL,
    label TEXT,
    comment TEXT,
    unix_ns INTEGER NOT NULL
);
CREATE INDEX scores_by_trace ON scores (trace_id);

CREATE VIRTUAL TABLE texts USING fts5 (words, tokenize = 'unicode61 remove_diacritics 2');
"""


def _begin(connection: sqlite3.Connection) -> None:
    for statement in _VERSION_1.split(";\n"):
        connection.execute(statement)


# `retry_of` is the trace of the first attempt. Traces that are there already are left without it,
# for one would have to read all that was ever recorded.
_VERSION_2 = """
ALTER TABLE spans ADD COLUMN is_call INTEGER NOT NULL DEFAULT 0;
UPDATE spans SET is_call = endpoint IS NOT NULL;
ALTER TABLE traces ADD COLUMN left_early INTEGER NOT NULL DEFAULT 0;
ALTER TABLE traces ADD COLUMN attempt INTEGER;
ALTER TABLE traces ADD COLUMN retry_of TEXT;
CREATE INDEX traces_by_first ON traces (retry_of) WHERE retry_of IS NOT NULL;
"""


def _add_attempts(connection: sqlite3.Connection) -> None:
    for statement in _VERSION_2.split(";\n"):
        connection.execute(statement)


# The step at index n makes version n+1 of version n; a store has as many as it has been
# through. What stands here has been released and is never changed again.
MIGRATIONS: tuple[Migration, ...] = (_begin, _add_attempts)
