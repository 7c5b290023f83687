"""The stories that people know, told with each release line of the SDK."""

import ast
import importlib
import inspect
import os
import pkgutil

import pytest

import interceptor
from interceptor.replay import Server, by_question
from tests import kept, stories
from tests.stories import client

pytestmark = pytest.mark.sdk

NAMES = ("complete", "complete_async", "stream", "stream_async", "create", "create_async")
STORIES = {
    found.name: importlib.import_module(f"tests.stories.{found.name}")
    for found in pkgutil.iter_modules(stories.__path__)
    if found.name != "client"
}
SAID = {
    "simple": "Noix d'Or",
    "chained": "Girl with a Pearl Earring",
    "streamed": "The lamp goes out",
    "asynchronous": "Das Meer ist heute ruhig",
    "asynchronous_streamed": "In the evening the sun's light",
    "payments": "Not yet: payment P-1003 was made on 5 October 2026 and is still pending.",
    "usage": "43 + 10 = 53 tokens\n20 + 4: chat mistral-small-latest\n23 + 6: chat",
    "switched": "Noix d'Or",
}
each = pytest.mark.parametrize("name", STORIES)


@pytest.fixture
def told(tmp_path, monkeypatch):
    """Give what tells a story: its answer and the traces that it left, the oldest first."""
    monkeypatch.setenv("INTERCEPTOR_STORE", str(tmp_path / "traces.db"))
    interceptor.configure()

    async def tell(name, make_client=client.traced):
        story = STORIES[name]
        with Server(by_question(*story.ANSWERED_BY)) as server:  # some ask more at once
            async with make_client(server.url) as mistral:
                said = story.tell(mistral)
                said = await said if inspect.isawaitable(said) else said
        return said, kept.traces()

    yield tell
    interceptor.shutdown()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # the stories say asyncio.gather
@each
async def test_a_story_is_told_and_leaves_its_tree(told, name, anyio_backend):
    said, traces = await told(name)
    assert said.startswith(SAID[name])
    for trace in traces:
        assert kept.tree(trace) == STORIES[name].TREE
        assert trace.status == "ok"
    assert len(traces) == (2 if name == "switched" else 1)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("name", sorted(set(STORIES) - {"usage", "switched"}))
async def test_a_story_says_the_same_without_us(told, name, anyio_backend):
    interceptor.configure(on=False)
    said, _ = await told(name, client.untraced)
    assert said.startswith(SAID[name])


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("name", ["streamed", "asynchronous_streamed"])
async def test_a_generators_output_is_what_its_reader_got(told, name, anyio_backend):
    said, (trace,) = await told(name)
    assert trace.root.output == said
    (call,) = trace.calls
    assert call.attributes["mistral_ai.stream.completed"] is True


async def test_each_result_is_that_of_its_function(told):
    said, (trace,) = await told("chained")
    assert trace.find("best_painter")[0].output == "Johannes Vermeer"
    (painting,) = trace.find("most_famous_painting")
    assert (painting.input["painter"], painting.output) == ("Johannes Vermeer", said)
    assert trace.root.output == said


async def test_a_tool_call_is_linked_to_who_asked_for_it_ran_it_and_took_its_result(told):
    _, (trace,) = await told("payments")
    asked, took = trace.calls
    tools = trace.find(kind="tool")
    calls = [part for part in asked.output[0]["parts"] if part["type"] == "tool_call"]
    assert [tool.attributes["gen_ai.tool.call.id"] for tool in tools] == [
        one["id"] for one in calls
    ]
    assert [tool.name for tool in tools] == [one["name"] for one in calls]

    def links(span):
        return {
            (
                link.span_id,
                link.attributes["gen_ai.tool.call.id"],
                link.attributes["interceptor.tool_call"],
            )
            for link in span.links
        }

    for tool, call in zip(tools, calls, strict=True):
        assert links(tool) == {(asked.span_id, call["id"], "asked")}
        assert (asked.span_id, call["id"], "asked") in links(took)
        assert (tool.span_id, call["id"], "ran") in links(took)
    assert len(links(took)) == 4
    assert trace.find(kind="agent")[0].name == "answer_about_payment"


async def test_an_llm_span_around_a_traced_call_counts_nothing_twice(told):
    @interceptor.observe(kind="llm")
    def model(mistral):
        messages = [{"role": "user", "content": "A bakery in Lyon."}]
        answer = mistral.chat.complete(model="mistral-small-latest", messages=messages)
        interceptor.update_span(model="mistral-small-latest", usage=answer.usage)
        return answer.usage

    with Server.of("chat.completions/plain") as server:
        async with client.traced(server.url) as mistral:
            used = model(mistral)
    trace = interceptor.get_trace()
    assert trace.root.usage is None
    counted = (used.prompt_tokens, used.completion_tokens, used.total_tokens)
    usage = trace.token_usage
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == counted
    (listed,) = interceptor.store.Store(os.environ["INTERCEPTOR_STORE"]).latest()
    assert (listed.input_tokens, listed.output_tokens, listed.total_tokens) == counted


@each
def test_there_is_no_line_of_ours_around_a_call(name):
    """Count, in each story, the lines inside the function that makes a call that name us: none."""
    tree = ast.parse(inspect.getsource(STORIES[name]))
    functions = [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    callers = [function for function in functions if calls_to_mistral(function)]
    assert callers or name in ("usage", "switched")  # which tell another story's calls
    assert [line for caller in callers for line in lines_of_ours(caller)] == []


def calls_to_mistral(function):
    return [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute)
        and node.attr in NAMES
        and ast.unparse(node).startswith("mistral.")
    ]


def lines_of_ours(function):
    """Give the lines in a function's body, its decorators apart, in which our name stands."""
    return [
        node.lineno
        for statement in function.body
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and node.id == "interceptor"
    ]
