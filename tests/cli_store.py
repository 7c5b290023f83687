"""Traces for the tests of the commands, kept in a real store, and a terminal to print in."""

import io
import json
import os
import time
from contextlib import contextmanager

from rich.console import Console

from interceptor.store.exporter import StoreExporter
from tests.store_spans import span

__all__ = ["TRACES", "call", "fresh_machine", "keep", "messages", "printed", "used"]

_TERMINAL = ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "TERM", "TTY_COMPATIBLE")

PAYMENT = int("5eed" + "0" * 28, 16)
EMBEDDED = int("e3b0" + "0" * 28, 16)
LIMITED = int("bad0" + "0" * 28, 16)
SUMMARY = int("50f7" + "0" * 28, 16)

CALLED = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "mistral_ai",
    "mistral_ai.endpoint": "chat.completions",
    "gen_ai.request.model": "mistral-small-latest",
    "http.request.method": "POST",
    "server.address": "api.mistral.ai",
    "server.port": 443,
    "url.path": "/v1/chat/completions",
}
QUESTION = {"type": "text", "content": "Has payment P-1003 gone through?"}
ASKED_FOR = {
    "type": "tool_call",
    "id": "OS8HywPnD",
    "name": "retrieve_payment_status",
    "arguments": {"payment_id": "P-1003"},
}
FOUND = {"type": "tool_call_response", "id": "OS8HywPnD", "response": '{"status": "pending"}'}


def messages(*turns):
    """Give messages as a span has them: JSON of roles and parts, text for a part of text."""
    return json.dumps([{"role": role, "parts": list(map(part, parts))} for role, *parts in turns])


def part(given):
    return {"type": "text", "content": given} if isinstance(given, str) else given


def call(name="chat mistral-small-latest", *, said=None, **fields):
    """Give the span of an API call; `said` are attributes beside the usual ones."""
    return span(name, attributes=CALLED | (said or {}), **fields)


def used(tokens_in, tokens_out):
    return {
        "gen_ai.usage.input_tokens": tokens_in,
        "gen_ai.usage.output_tokens": tokens_out,
        "mistral_ai.usage.total_tokens": tokens_in + tokens_out,
    }


TRACES = [
    call(
        trace=SUMMARY,
        lasts=1.24,
        said={
            **used(812, 146),
            "http.response.status_code": 200,
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.response.time_to_first_chunk": 0.312,
            "gen_ai.input.messages": messages(("user", "What is a bittern?")),
            "gen_ai.output.messages": messages(
                ("assistant", "A shy brown heron that booms in the reeds at night.")
            ),
        },
    ),
    call(
        "embeddings mistral-embed",
        trace=EMBEDDED,
        at=60,
        lasts=0.075,
        said={
            "gen_ai.operation.name": "embeddings",
            "mistral_ai.endpoint": "embeddings",
            "gen_ai.request.model": "mistral-embed",
            "gen_ai.usage.input_tokens": 12,
        },
    ),
    call(
        trace=LIMITED,
        at=120,
        lasts=0.004,
        error="Rate limit exceeded",
        said={"http.response.status_code": 429, "error.type": "rate_limited"},
    ),
    span(
        "answer about a payment",
        trace=PAYMENT,
        number=1,
        at=180,
        lasts=2.5,
        attributes={
            "gen_ai.operation.name": "invoke_workflow",
            "input.value": '{"question": "Has payment P-1003 gone through?"}',
            "output.value": "Not yet: it is pending.",
            "session.id": "s-1",
            "user.id": "u-7",
            "tag.tags": ["demo", "payments"],
        },
    ),
    call(
        trace=PAYMENT,
        number=2,
        parent=1,
        at=180,
        said={
            **used(72, 38),
            "http.response.status_code": 200,
            "gen_ai.response.finish_reasons": ["tool_calls"],
            "gen_ai.input.messages": messages(("system", "Be brief."), ("user", QUESTION)),
            "gen_ai.output.messages": messages(("assistant", ASKED_FOR)),
            "gen_ai.tool.definitions": json.dumps(
                [{"type": "function", "function": {"name": "retrieve_payment_status"}}]
            ),
        },
    ),
    span(
        "retrieve_payment_status",
        trace=PAYMENT,
        number=3,
        parent=1,
        at=181,
        lasts=0.25,
        attributes={
            "gen_ai.operation.name": "execute_tool",
            "input.value": '{"payment_id": "P-1003"}',
            "output.value": '{"status": "pending"}',
        },
    ),
    call(
        trace=PAYMENT,
        number=4,
        parent=1,
        at=181.25,
        lasts=1.25,
        said={
            **used(126, 17),
            "http.response.status_code": 200,
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.input.messages": messages(
                ("system", "Be brief."),
                ("user", QUESTION),
                ("assistant", ASKED_FOR),
                ("tool", FOUND),
            ),
            "gen_ai.output.messages": messages(("assistant", "Not yet: it is pending.")),
        },
    ),
]
"""Four traces: an answer that was streamed, embeddings, a call that failed, and one of a tool."""


@contextmanager
def fresh_machine(monkeypatch, home):
    """Be in a timezone that we know, with a home of one's own, no settings and no terminal."""
    with monkeypatch.context() as patched:
        for name in os.environ:
            if name.startswith(("INTERCEPTOR", "OTEL_")) or name in _TERMINAL:
                patched.delenv(name)
        patched.setenv("XDG_STATE_HOME", str(home))
        patched.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def printed(*items, width=80):
    """Give what a terminal of this width shows, without its colours; None is a pipe."""
    file = io.StringIO()
    console = Console(
        file=file,
        width=width,
        force_terminal=width is not None,
        color_system=None,
        legacy_windows=False,
        markup=False,
        highlight=False,
    )
    for item in items:
        console.print(item, soft_wrap=width is None)
    return file.getvalue()


def keep(path, spans=TRACES):
    """Write spans to the store at a path, which is given back as text."""
    exporter = StoreExporter(path)
    exporter.export(spans)
    exporter.shutdown()
    return str(path)
