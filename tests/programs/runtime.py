"""One scenario in a process of its own: what is global there, forks there and ends there.

    python runtime.py SCENARIO

Prints what the scenario saw, as JSON. Calls go to a transport that answers from memory.
"""

import importlib
import json
import multiprocessing
import os
import sys
import threading

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import interceptor

http = importlib.import_module(interceptor.transports.sdk_library())

URL = "https://api.mistral.ai/v1/chat/completions"
WORD = "a word that was said"
ANSWER = {"choices": [{"message": {"role": "assistant", "content": WORD}, "finish_reason": "stop"}]}


def call(model, answer=lambda _: http.Response(200, json=ANSWER)):
    asked = {"model": model, "messages": [{"role": "user", "content": WORD}]}
    with http.Client(transport=interceptor.wrap(http.MockTransport(answer))) as client:
        return client.post(URL, json=asked).status_code


def applications():
    """Give a provider as an application has it, and what its exporter was given."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider, exporter


def exported(exporter):
    interceptor.flush()
    return [(span.name, WORD in span.to_json()) for span in exporter.get_finished_spans()]


def private():
    call("m")
    return type(trace.get_tracer_provider()).__name__


def before():
    provider, exporter = applications()
    trace.set_tracer_provider(provider)
    call("m")
    return exported(exporter)


def after():
    call("early")
    provider, exporter = applications()
    trace.set_tracer_provider(provider)
    call("late")
    return exported(exporter)


def api_only():
    """Have a global provider that knows nothing of processors."""
    trace.set_tracer_provider(trace.NoOpTracerProvider())
    call("m")


def plain():
    return call("m")


def hindered():
    """Be without the package that OTLP needs."""
    sys.modules["opentelemetry.exporter.otlp.proto.http"] = None
    return call("m")


def unread():
    """End with an answer that nobody has read."""
    response = http.Response(200, stream=http.ByteStream(b"{}"))
    transport = interceptor.wrap(http.MockTransport(lambda _: response))
    client = http.Client(transport=transport)
    kept.append(client.send(client.build_request("POST", URL, json={"model": "m"}), stream=True))


kept = []


class Printing(SpanExporter):
    def export(self, spans):
        for span in spans:
            print(json.dumps(f"exported {span.name}"))

    def shutdown(self):
        pass


def batched():
    """End before the application's own exporter had its turn; its provider came after us."""
    call("early")
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Printing()))
    trace.set_tracer_provider(provider)
    call("late")


def fork():
    return child("fork")


def spawn():
    return child("spawn")


def child(method):
    call("parent")
    one = multiprocessing.get_context(method).Process(target=call, args=("child",))
    one.start()
    one.join()
    return one.exitcode


def pool():
    with multiprocessing.get_context("fork").Pool(2) as workers:
        found = workers.map(call, ["first", "second"])
        workers.close()
        workers.join()
    return found


def mid_call():
    """Fork while a call is under way, in this thread and in another."""
    sent, forked = threading.Event(), threading.Event()

    def waiting(_):
        sent.set()
        forked.wait()
        return http.Response(200, json=ANSWER)

    def forking(_):
        if os.fork() == 0:
            call("child")
            return http.Response(418, json={})
        os.wait()
        return http.Response(200, json=ANSWER)

    thread = threading.Thread(target=call, args=("other thread", waiting))
    thread.start()
    sent.wait()
    status = call("forking", forking)
    if status != 200:
        interceptor.flush()
        os._exit(0)
    forked.set()
    thread.join()
    return status


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]]()))
