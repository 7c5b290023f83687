"""What is measured of a record, through a real meter, under both generations of names."""

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from interceptor.metrics import around, latest, v1_41
from interceptor.record import (
    Failure,
    Input,
    Output,
    Record,
    Server,
    Stream,
    Times,
    ToolRun,
    Usage,
)

MS = 1_000_000
SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
TOKENS = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864)
AGENT_SECONDS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6)

COMMON = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "mistral_ai"}
TIMES = Times(started_unix_ns=1, ended_after_ns=3_000 * MS, first_content_after_ns=1_000 * MS)
BARE = {"endpoint": "chat.completions", "operation": "chat", "times": TIMES}


@pytest.fixture
def measured():
    """Give a function that measures, and gives each metric's points: what, and with which names."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)

    def measured(kind, *given):
        measure = kind(provider.get_meter("test"))
        for arguments in given:
            measure(*arguments)
        return metrics(reader.get_metrics_data())

    yield measured
    provider.shutdown()


def metrics(data):
    if data is None:
        return {}
    return {
        metric.name: metric
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }


def points(metric):
    """Give a metric's sums, each with its attributes."""
    return [
        (
            getattr(point, "sum", None) if hasattr(point, "sum") else point.value,
            dict(point.attributes),
        )
        for point in metric.data.data_points
    ]


def record(**fields):
    return (Record(**BARE | fields),)


V1_41 = "gen_ai.client.operation"
LATEST = "gen_ai.client.inference"
GENERATIONS = {"v1.41": (v1_41, V1_41), "latest": (latest, LATEST)}
each_generation = pytest.mark.parametrize(("kind", "prefix"), GENERATIONS.values(), ids=GENERATIONS)


@each_generation
def test_every_call_has_a_duration_and_nothing_that_is_not_known(measured, kind, prefix):
    found = measured(kind, record())
    assert set(found) == {f"{prefix}.duration"}
    duration = found[f"{prefix}.duration"]
    assert (duration.unit, points(duration)) == ("s", [(3.0, COMMON)])
    assert tuple(duration.data.data_points[0].explicit_bounds) == pytest.approx(SECONDS)


ATTRIBUTES = {
    "operation": ({"operation": "embeddings"}, {"gen_ai.operation.name": "embeddings"}),
    "request model": ({"input": Input(model="m")}, {"gen_ai.request.model": "m"}),
    "response model": ({"output": Output(model="m")}, {"gen_ai.response.model": "m"}),
    "server": ({"server": Server(host="h")}, {"server.address": "h"}),
    "error": ({"failure": Failure(kind="429", message="slow down")}, {"error.type": "429"}),
    "what would be too many series": (
        {"path": "/v1/x", "input": Input(conversation_id="c"), "output": Output(id="r")},
        {},
    ),
}


@each_generation
@pytest.mark.parametrize(("fields", "added"), ATTRIBUTES.values(), ids=ATTRIBUTES)
def test_attributes(measured, kind, prefix, fields, added):
    found = measured(kind, record(**fields))
    assert points(found[f"{prefix}.duration"]) == [(3.0, COMMON | added)]


@each_generation
def test_a_stream_has_a_first_chunk_and_a_pace(measured, kind, prefix):
    found = measured(kind, record(stream=Stream(events=5)))
    assert set(found) == {
        f"{prefix}.duration",
        f"{prefix}.time_to_first_chunk",
        f"{prefix}.time_per_output_chunk",
    }
    first, each = found[f"{prefix}.time_to_first_chunk"], found[f"{prefix}.time_per_output_chunk"]
    assert (first.unit, points(first)) == ("s", [(1.0, COMMON)])
    assert (each.unit, points(each)) == ("s", [(0.5, COMMON)])  # 2 s between five events
    for metric in (first, each):
        assert tuple(metric.data.data_points[0].explicit_bounds) == pytest.approx(SECONDS)


STREAMS = {
    "of one event has no pace": ({"stream": Stream(events=1)}, {"time_to_first_chunk"}),
    "without content has neither": (
        {"stream": Stream(events=5), "times": Times(started_unix_ns=1)},
        set(),
    ),
}


@each_generation
@pytest.mark.parametrize(("fields", "names"), STREAMS.values(), ids=STREAMS)
def test_a_stream(measured, kind, prefix, fields, names):
    found = measured(kind, record(**fields))
    assert set(found) == {f"{prefix}.{name}" for name in names | {"duration"}}


# Tokens


def test_tokens_of_v1_41(measured):
    usage = Usage(input_tokens=0, output_tokens=7, cache_read_tokens=3, reasoning_tokens=2)
    tokens = measured(v1_41, record(usage=usage))["gen_ai.client.token.usage"]
    assert (tokens.unit, points(tokens)) == (
        "{token}",
        [
            (0, COMMON | {"gen_ai.token.type": "input"}),
            (7, COMMON | {"gen_ai.token.type": "output"}),
        ],
    )
    assert tuple(tokens.data.data_points[0].explicit_bounds) == TOKENS


def test_tokens_of_the_latest(measured):
    usage = Usage(
        input_tokens=5,
        output_tokens=0,
        cache_read_tokens=3,
        cache_write_tokens=1,
        reasoning_tokens=2,
        audio_tokens=4,
    )
    found = measured(latest, record(usage=usage))
    del found[f"{LATEST}.duration"]
    text, audio = ({**COMMON, "gen_ai.token.modality": kind} for kind in ("text", "audio"))
    assert {name.removeprefix(f"{LATEST}."): points(metric) for name, metric in found.items()} == {
        "usage.input_tokens": [(5, text), (4, audio)],
        "usage.output_tokens": [(0, text)],
        "usage.cache_read.input_tokens": [(3, text)],
        "usage.cache_write.input_tokens": [(1, text)],
        "usage.reasoning.output_tokens": [(2, text)],
        "operation.input_tokens": [(5, COMMON)],
        "operation.output_tokens": [(0, COMMON)],
    }
    assert {metric.unit for metric in found.values()} == {"{token}"}
    for name in ("input_tokens", "output_tokens"):
        point = found[f"{LATEST}.operation.{name}"].data.data_points[0]
        assert tuple(point.explicit_bounds) == TOKENS


UNKNOWN = {
    "no usage": {},
    "a usage that says nothing": {"usage": Usage()},
    "a total alone": {"usage": Usage(total_tokens=9, connector_tokens=2)},
    "a batch's": {"usage_by_model": {"m": Usage(input_tokens=3)}},
}


@each_generation
@pytest.mark.parametrize("fields", UNKNOWN.values(), ids=UNKNOWN)
def test_what_nobody_counted_is_not_measured(measured, kind, prefix, fields):
    assert set(measured(kind, record(**fields))) == {f"{prefix}.duration"}


def test_counters_add_up(measured):
    given = [record(usage=Usage(input_tokens=count)) for count in (2, 3)]
    found = measured(latest, *given)
    assert points(found[f"{LATEST}.usage.input_tokens"])[0][0] == 5


# Agents, and tools of the server


@each_generation
def test_an_agent_is_measured_as_one_too(measured, kind, prefix):
    found = measured(kind, record(operation="invoke_agent"))
    assert set(found) == {f"{prefix}.duration", "gen_ai.invoke_agent.duration"}
    agent = found["gen_ai.invoke_agent.duration"]
    assert (agent.unit, points(agent)[0][0]) == ("s", 3.0)
    assert tuple(agent.data.data_points[0].explicit_bounds) == pytest.approx(AGENT_SECONDS)


@each_generation
def test_a_tool_that_the_server_ran_is_measured_where_it_has_times(measured, kind, prefix):
    timed = ToolRun(name="web_search", started_unix_ns=1_000 * MS, ended_unix_ns=1_500 * MS)
    runs = (timed, ToolRun(name="untimed"), ToolRun(name="begun", started_unix_ns=1))
    found = measured(kind, record(tool_runs=runs))
    tool = found["gen_ai.execute_tool.duration"]
    about = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "web_search"}
    assert (tool.unit, points(tool)) == ("s", [(0.5, about)])
    assert tuple(tool.data.data_points[0].explicit_bounds) == pytest.approx(SECONDS)


OBSERVED = {
    "a tool": ("execute_tool", SECONDS),
    "an agent": ("invoke_agent", AGENT_SECONDS),
    "a chain": ("invoke_workflow", AGENT_SECONDS),
}


@pytest.mark.parametrize(("operation", "buckets"), OBSERVED.values(), ids=OBSERVED)
def test_an_observed_function(measured, operation, buckets):
    about = {"gen_ai.operation.name": operation, "error.type": "ValueError"}
    found = measured(around, (about, 0.25))
    assert set(found) == {f"gen_ai.{operation}.duration"}
    (metric,) = found.values()
    assert (metric.unit, points(metric)) == ("s", [(0.25, about)])
    assert tuple(metric.data.data_points[0].explicit_bounds) == pytest.approx(buckets)


def test_an_observed_function_of_another_kind_has_no_metric(measured):
    assert measured(around, ({"gen_ai.operation.name": "retrieval"}, 0.25)) == {}
