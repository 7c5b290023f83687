"""What stands in the context reaches every span inside, a call's and its server's tools' too."""

import contextvars
import importlib

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace as otel_trace

import interceptor
from interceptor import surroundings
from interceptor.replay import Server, named
from interceptor.surroundings import Labels, Surroundings, labels
from tests import kept

http = importlib.import_module(interceptor.transports.sdk_library())


def call(name):
    """Send a recorded request again, through a tap."""
    asked = named(name).request
    transport = interceptor.wrap(http.HTTPTransport())
    with Server.of(name) as server, http.Client(transport=transport, base_url=server.url) as using:
        using.request(asked.method, asked.path, content=asked.body)


def test_a_call_and_the_tools_that_the_server_ran_for_it_have_the_labels(in_memory):
    with interceptor.context(session_id="s", user_id="u", tags=["t"], metadata={"a": 1}):
        call("conversations.start/agent_web_search")
    spans = interceptor.get_trace().spans
    assert interceptor.get_trace().find("execute_tool *")
    for span in spans:
        assert (span.attributes["session.id"], span.attributes["user.id"]) == ("s", "u")
        assert (span.attributes["tag.tags"], span.attributes["metadata"]) == (["t"], '{"a":1}')
    call("conversations.start/agent_web_search")
    assert "session.id" not in interceptor.get_trace().root.attributes


def test_a_call_has_what_its_trace_was_given_since_it_began(in_memory):
    with interceptor.span("root"):
        interceptor.update_trace(session_id="known")
        call("chat.completions/plain")
    (found,) = interceptor.get_trace().calls
    assert found.attributes["session.id"] == "known"
    assert kept.parents() == {("root", None): 1, (found.name, "root"): 1}


ADDED = {
    "nothing": (labels(), labels(session_id="s"), labels(session_id="s")),
    "to nothing": (labels(session_id="s"), labels(), labels(session_id="s")),
    "another session": (labels(session_id="a"), labels(session_id="b"), labels(session_id="b")),
    "a user": (
        labels(session_id="a"),
        labels(user_id="u"),
        labels(session_id="a", user_id="u"),
    ),
    "tags": (labels(tags=("a", "b")), labels(tags=("b", "c")), labels(tags=("a", "b", "c"))),
    "metadata": (
        labels(metadata={"a": 1, "b": 1}),
        labels(metadata={"b": 2}),
        labels(metadata={"a": 1, "b": 2}),
    ),
}


@pytest.mark.parametrize(("first", "second", "both"), ADDED.values(), ids=ADDED)
def test_labels_add_up(first, second, both):
    assert first.and_(second) == both
    assert dict(first.and_(second).attributes) == dict(both.attributes)


def test_labels_are_attributes_only_where_there_are_any():
    assert labels().attributes == Labels().attributes == {}
    assert labels(session_id="", tags=()).attributes == {"session.id": ""}


def test_a_context_says_what_was_put_there_and_another_says_nothing():
    empty = otel_context.Context()
    said = Surroundings(labels=labels(user_id="u"))
    assert surroundings.of(surroundings.within(empty, said)) == said
    assert surroundings.of(empty) == Surroundings()


def test_roots_are_remembered_up_to_a_number(in_memory):
    ids = []
    for _ in range(1100):
        with interceptor.span("root") as span:
            ids.append((int(span.trace_id, 16), int(span.span_id, 16)))
    interceptor.flush()
    assert surroundings.root_span_id(ids[-1][0]) == ids[-1][1]
    assert surroundings.root_span_id(ids[0][0]) is None


def test_leaving_puts_back_what_was_there_and_elsewhere_does_nothing():
    before = otel_context.get_current()
    token = otel_context.attach(otel_trace.set_span_in_context(otel_trace.INVALID_SPAN))
    contextvars.copy_context().run(surroundings.leave, token)  # not where it was attached
    assert otel_context.get_current() is not before
    surroundings.leave(token)
    assert otel_context.get_current() is before
