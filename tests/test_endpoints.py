"""The table: which row a request belongs to."""

import pytest

from interceptor.endpoints import OTHER, TABLE, match

ROWS = {
    "POST /v1/chat/completions": "chat.completions",
    "POST /v1/fim/completions": "fim.completions",
    "POST /v1/agents/completions": "agents.completions",
    "POST /v1/conversations": "conversations.start",
    "POST /v1/conversations/conv_1": "conversations.append",
    "POST /v1/conversations/conv_1/restart": "conversations.restart",
    "POST /v1/responses": "responses",
    "POST /v1/embeddings": "embeddings",
    "POST /v1/moderations": "moderations",
    "POST /v1/chat/moderations": "chat.moderations",
    "POST /v1/classifications": "classifications",
    "POST /v1/chat/classifications": "chat.classifications",
    "POST /v1/ocr": "ocr",
    "POST /v1/audio/transcriptions": "audio.transcriptions",
    "POST /v1/audio/speech": "audio.speech",
    # Azure and Vertex
    "POST /models/chat/completions": "chat.completions",
    "POST /providers/mistral/azure/ocr": "ocr",
    "POST /v1/projects/p/locations/l/publishers/mistralai/models/m:rawPredict": "chat.completions",
    "POST /v1/projects/p/locations/l/publishers/mistralai/models/m:streamRawPredict": (
        "chat.completions"
    ),
}

LIGHT = {
    "POST /v1/responses/input_tokens": "responses.input_tokens",
    "GET /v1/models": "models",
    "GET /v1/models/mistral-small-latest": "models",
    "DELETE /v1/models/ft:mine": "models",
    "POST /v1/files": "files",
    "GET /v1/files/1/content": "files",
    "GET /v1/files/1/url": "files",
    "POST /v1/batch/jobs": "batch.jobs",
    "GET /v1/batch/jobs": "batch.jobs",
    "GET /v1/batch/jobs/1": "batch.jobs",
    "POST /v1/batch/jobs/1/cancel": "batch.jobs",
    "POST /v1/agents": "agents.crud",
    "GET /v1/agents/ag_1": "agents.crud",
    "PATCH /v1/agents/ag_1/version": "agents.crud",
    "GET /v1/conversations": "conversations",
    "DELETE /v1/conversations/conv_1": "conversations",
    "GET /v1/conversations/conv_1/history": "conversations",
    "GET /v1/libraries/1": "libraries",
    "POST /v1/libraries/1/documents/2/reprocess": "libraries.documents",
    "POST /v1/connectors/c/tools/t/call": "connectors.tools.call",
    "POST /v1/context/search-indexes/i/search": "context.search-indexes.search",
    "GET /v1/context/search-indexes/i": "context.search-indexes",
    "POST /v1/observability/judges/j/live-judging": "observability.judges.live-judging",
    "POST /v1/workflows/w/execute": "workflows.execute",
    "GET /v1/workflows/executions/e/stream": "workflows",
    "GET /v2/audio/voices": "audio.voices",
    "GET /v2/prompts/p/versions/3": "prompts",
}

SECRET = {
    "POST /v1/client/sessions": "client.sessions",
    "GET /v1/webhooks/w/signing-secret": "webhooks",
    "POST /v1/webhooks": "webhooks",
    "POST /v1/connectors/c/user/credentials": "connectors",
    "POST /v1/audio/sessions": "audio.sessions",
    "POST /v1/audio/workers/registration-token": "audio.workers",
}

UNKNOWN = [
    "GET /",
    "GET /v1",
    "POST ",
    "POST /v1/telepathy",
    "GET /v1/chat/completions",
    "POST /v1/chat/completions/more",
    "POST /v1/xchat/completions",
    "POST /chat/completions",
    "POST /v1/modelsmore",
    "GET /v2/embeddings",
    "OPTIONS /v1/embeddings",
    "POST /publishers/mistralai/models/a/b:rawPredict",
]


def row(request):
    return match(*request.split(" ")).endpoint


@pytest.mark.parametrize(("request_line", "name"), ROWS.items(), ids=ROWS)
def test_what_runs_a_model(request_line, name):
    found = row(request_line)
    assert (found.name, found.is_inference, found.is_secret) == (name, True, False)


@pytest.mark.parametrize(("request_line", "name"), LIGHT.items(), ids=LIGHT)
def test_what_is_light(request_line, name):
    found = row(request_line)
    assert (found.name, found.operation) == (name, name)
    assert (found.is_inference, found.is_secret) == (False, False)


@pytest.mark.parametrize(("request_line", "name"), SECRET.items(), ids=SECRET)
def test_what_carries_secrets(request_line, name):
    found = row(request_line)
    assert (found.name, found.is_inference, found.is_secret) == (name, False, True)


@pytest.mark.parametrize("request_line", UNKNOWN)
def test_what_no_row_knows(request_line):
    assert row(request_line) is OTHER


@pytest.mark.parametrize("request_line", [*ROWS, *LIGHT, *SECRET])
@pytest.mark.parametrize("prefix", ["/llm", "/a/b/c", "/v1", "/models/x", "/v1/v1"])
def test_a_gateway_may_put_any_prefix_before_a_path(request_line, prefix):
    method, path = request_line.split(" ")
    found = match(method, prefix + path)
    assert found == match(method, path)
    assert match(method, f"{prefix}{path}/") == found


@pytest.mark.parametrize(
    ("request_line", "ids"),
    {
        "POST /v1/conversations": {},
        "POST /v1/conversations/c 1": {"conversation_id": "c 1"},
        "POST /v1/conversations/c1/restart": {"conversation_id": "c1"},
        "GET /v1/conversations/c1/history": {"conversation_id": "c1"},
        "POST /v1/projects/p/locations/l/publishers/mistralai/models/m-1:rawPredict": {
            "model": "m-1"
        },
    }.items(),
)
def test_what_a_path_names_is_found(request_line, ids):
    assert match(*request_line.split(" ", 1)).ids == ids


def test_an_endpoint_that_runs_a_model_is_read_both_ways():
    for found in TABLE:
        if found.is_inference:
            assert found.request
            assert found.to_input
            assert found.content is not None
            assert found.response
            assert found.to_answer


def test_a_row_that_reads_a_stream_knows_its_end():
    for found in TABLE:
        assert bool(found.chunk) == bool(found.fold)
        if found.chunk and not found.is_lines:
            assert found.has_content
            assert found.is_last
