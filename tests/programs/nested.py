"""One call of the SDK with an HTTP instrumentation on, before us or after: `nested.py URL ORDER`.

Prints each span with its parent's name.
"""

import sys

from call import call
from opentelemetry import trace
from opentelemetry.instrumentation import httpx as instrumentation
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import interceptor


def main(url, order):
    exported, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exported))
    trace.set_tracer_provider(provider)
    kinds = ("HTTPXClientInstrumentor", "HTTPX2ClientInstrumentor")
    steps = [lambda: [getattr(instrumentation, kind)().instrument() for kind in kinds]]
    steps.insert(0 if order == "after" else 1, interceptor.install)
    for step in steps:
        step()
    sys.stdout = sys.stderr  # what the call prints is not what is asked here
    call(url)
    sys.stdout = sys.__stdout__
    interceptor.flush()
    spans = [
        one
        for one in exported.get_finished_spans()
        if "mistralai" not in one.instrumentation_scope.name
    ]
    names = {one.context.span_id: one.name for one in spans}
    for one in sorted(spans, key=lambda one: one.start_time):
        print(one.name, "<-", one.parent and names[one.parent.span_id])


if __name__ == "__main__":
    main(*sys.argv[1:])
