"""Batch jobs, the files that their answers stand in, and agents."""

import json

import pytest

from interceptor.reading import read
from interceptor.record import Input, Usage
from tests.recorded_exchanges import exchange

JOBS, FILE = "/v1/batch/jobs", "/v1/files/f1/content"


def line(model="m", **usage):
    return {
        "custom_id": "1",
        "response": {"status_code": 200, "body": {"model": model, "usage": usage}},
    }


def downloaded(*lines, **more):
    texts = (one if isinstance(one, bytes) else json.dumps(one).encode() for one in lines)
    return read(exchange(FILE, None, b"\n".join(texts), method="GET", **more))


def test_a_job_is_asked_for_without_its_requests():
    request = {
        "model": "m",
        "agent_id": "a",
        "endpoint": "/v1/ocr",
        "requests": [{"custom_id": "1", "body": {"messages": [{"content": "words"}]}}],
    }
    sent = read(exchange(JOBS, request, {})).input
    parameters = {"model": "m", "agent_id": "a", "endpoint": "/v1/ocr"}
    assert sent == Input(model="m", agent_id="a", parameters=parameters)


def test_how_a_job_stands_are_facts():
    job = {"id": "j", "model": "m", "agent_id": "a", "status": "RUNNING", "total_requests": 0}
    output = read(exchange(f"{JOBS}/j", None, job, method="GET")).output
    assert (output.id, output.model, output.agent_id) == ("j", "m", "a")
    assert output.facts == {"status": "RUNNING", "total_requests": 0}


OUTPUTS = {
    "summed": ([line(prompt_tokens=1), line(prompt_tokens=2)], {"m": Usage(input_tokens=3)}),
    "by model": (
        [line(prompt_tokens=1), line("n", completion_tokens=2)],
        {"m": Usage(input_tokens=1), "n": Usage(output_tokens=2)},
    ),
    "without a model": ([line(None, prompt_tokens=1)], {"of the job": Usage(input_tokens=1)}),
    "pages": (
        [{"response": {"body": {"model": "o", "usage_info": {"pages_processed": 2}}}}],
        {"o": Usage(pages_processed=2)},
    ),
    "a failure": ([{"response": {"status_code": 422, "body": {"message": "no"}}}], {}),
    "an error": (
        [{"response": None, "error": {"message": "no"}}, {"response": {"body": None}}],
        {},
    ),
    "none": ([], {}),
    "not there": (None, {}),
}


@pytest.mark.parametrize(("outputs", "used"), OUTPUTS.values(), ids=OUTPUTS)
def test_what_the_outputs_of_a_job_used_is_summed(outputs, used):
    job = {"model": "of the job", "outputs": outputs}
    record = read(exchange(f"{JOBS}/j", None, job, method="GET"))
    assert (record.usage_by_model, record.usage, record.notes) == (used, None, ())


FILES = {
    "lines": ([line(prompt_tokens=1), line(prompt_tokens=2)], {"m": Usage(input_tokens=3)}),
    "a last line break": ([line(prompt_tokens=1), b""], {"m": Usage(input_tokens=1)}),
    "other lines": (
        [line(prompt_tokens=1), {"messages": []}, b"words"],
        {"m": Usage(input_tokens=1)},
    ),
    "without a model": ([line(None, prompt_tokens=1)], {"unknown": Usage(input_tokens=1)}),
    "a file of another kind": ([b"%PDF-1.4", b"\x00\xff{"], {}),
    "nothing": ([], {}),
}


@pytest.mark.parametrize(("lines", "used"), FILES.values(), ids=FILES)
@pytest.mark.parametrize("size", [1, 50, 1 << 20])
def test_what_the_answers_in_a_file_used_is_summed(lines, used, size):
    body = b"\n".join(one if isinstance(one, bytes) else json.dumps(one).encode() for one in lines)
    pieces = [body[i : i + size] for i in range(0, len(body), size)]
    record = read(exchange(FILE, None, pieces, method="GET"))
    assert (record.usage_by_model, record.notes) == (used, ())


def test_a_line_cut_short_is_noted():
    record = downloaded(line(prompt_tokens=1), b'{"custom_id":')
    assert record.usage_by_model == {"m": Usage(input_tokens=1)}
    assert record.notes == ("line: not JSON",)


def test_lines_that_bytes_are_missing_from_are_left_out():
    lines = [json.dumps(line(prompt_tokens=1)).encode() + b"\n"] * 400
    record = read(exchange(FILE, None, lines, method="GET", limit_bytes=20_000))
    (note,) = record.notes
    assert "were dropped" in note
    assert 0 < record.usage_by_model["m"].input_tokens < 400


def test_a_job_that_ends_is_no_inference():
    assert read(exchange(f"{JOBS}/j/cancel", None, {"status": "x"})).output.facts == {}


AGENT = {"id": "ag", "name": "front", "model": "m", "version": 2, "instructions": "words"}


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/agents"), ("GET", "/v1/agents/ag"), ("PATCH", "/v1/agents/ag")],
)
def test_which_agent_is_which_model_is_read(method, path):
    record = read(exchange(path, AGENT, AGENT, method=method))
    assert record.input == Input(model="m", agent_name="front")
    output = record.output
    assert (output.agent_id, output.agent_name, output.model) == ("ag", "front", "m")
    assert output.facts == {"version": 2}
    assert "words" not in repr(record)


def test_a_list_of_agents_is_light():
    record = read(exchange("/v1/agents", None, [AGENT], method="GET"))
    assert (record.output.facts, record.notes) == ({}, ())
    assert read(exchange("/v1/agents/pages", None, {"data": [AGENT]}, method="GET")).notes == ()
