"""Calls of the SDK, each under a span of ours, with the SDK's own tracing on in a given way.

    python native.py MODE PROVIDER URL

MODE is how the SDK traces, PROVIDER where our spans are made. Prints as JSON the spans in the
store, and those that the application's exporter was given.
"""

import asyncio
import json
import os
import sys
from importlib import import_module, metadata

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import interceptor
from interceptor.store import Store

ASKED = {"model": "mistral-small-latest", "messages": [{"role": "user", "content": "Hello"}]}


def main(mode, provider, url):
    applications, exported = TracerProvider(), InMemorySpanExporter()
    applications.add_span_processor(SimpleSpanProcessor(exported))
    if mode == "global" or provider == "application's":
        trace.set_tracer_provider(applications)
    if mode == "global" and provider == "ours":
        interceptor.configure(tracer_provider=TracerProvider())
    if metadata.version("mistralai").startswith("1."):
        sdk = import_module("mistralai")
    else:
        sdk = import_module("mistralai.client")
    mistral = sdk.Mistral(api_key="invented", server_url=url)
    if mode == "configured":
        observability().configure_telemetry(mistral, provider=applications)
    elif mode == "dedicated":
        observability().configure_telemetry(mistral, provider="dedicated")
    elif mode == "silenced":
        observability().configure_telemetry(mistral, provider=trace.NoOpTracerProvider())
    asyncio.run(ask(mistral.chat))
    interceptor.flush()
    store = Store(os.environ["INTERCEPTOR_STORE"])
    traces = store.latest()
    print(
        json.dumps(
            {
                "ours": [
                    (span.name, span.span_id, span.parent_id, span.status)
                    for one in traces
                    for span in store.trace(one.trace_id)
                ],
                "theirs": [
                    (
                        span.name,
                        span.instrumentation_scope.name,
                        format(span.context.span_id, "016x"),
                        span.parent and format(span.parent.span_id, "016x"),
                    )
                    for span in exported.get_finished_spans()
                ],
            }
        )
    )


def observability():
    return import_module("mistralai.extra.observability")


async def ask(chat):
    """Call the SDK in each form, under a span named by it."""
    with interceptor.span("plain"):
        chat.complete(**ASKED)
    with interceptor.span("streamed"):
        list(chat.stream(**ASKED))
    with interceptor.span("plain, async"):
        await chat.complete_async(**ASKED)
    with interceptor.span("streamed, async"):
        [event async for event in await chat.stream_async(**ASKED)]


if __name__ == "__main__":
    main(*sys.argv[1:])
