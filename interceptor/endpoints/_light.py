"""The endpoints that run no model by themselves: what is read of them is little, and no words.

Most have a row for a family of paths, named by it. What costs money or runs models behind the
scenes has one of its own.
"""

from interceptor.endpoints._row import ANY, Endpoint, also, light
from interceptor.wire import agents, batch, responses

__all__ = ["LIGHT"]

_AGENT = light(
    "/v1/agents",
    "agents.crud",
    method="POST",
    request=agents.Agent,
    to_input=agents.to_input,
    response=agents.Agent,
    to_answer=agents.to_answer,
)

_JOB = light(
    "/v1/batch/jobs",
    method="POST",
    request=batch.Request,
    to_input=batch.to_input,
    content=batch.CONTENT,
    response=batch.Job,
    to_answer=batch.to_answer,
)

LIGHT: tuple[Endpoint, ...] = (
    # What costs money or runs models behind the scenes: light, but under a name of its own.
    light(
        "/v1/responses/input_tokens",
        method="POST",
        request=responses.Request,
        to_input=responses.to_model,
        response=responses.Count,
        to_answer=responses.to_count,
    ),
    _JOB,
    also(_JOB, method="GET", path="/v1/batch/jobs/*", request=None, to_input=None),
    light(
        "/v1/files/*/content",
        "files",
        method="GET",
        response=batch.Line,
        chunk=batch.Line,
        fold=batch.fold,
        to_answer=batch.to_usages,
        is_lines=True,
    ),
    light("/v1/connectors/*/tools/*/call", method="POST"),
    light("/v1/connectors-gateway/**"),
    light("/v1/context/search-indexes/*/documents"),
    light("/v1/context/search-indexes/*/grep", method="POST"),
    light("/v1/context/search-indexes/*/navigate", method="POST"),
    light("/v1/context/search-indexes/*/read", method="POST"),
    light("/v1/context/search-indexes/*/search", method="POST"),
    light("/v1/context/search-indexes/*/summary_field/*"),
    light("/v1/libraries/*/documents/**"),
    light("/v1/observability/chat-completion-events/*/live-judging", method="POST"),
    light("/v1/observability/dataset-records/*/live-judging", method="POST"),
    light("/v1/observability/judges/*/live-judging", method="POST"),
    light("/v1/workflows/*/execute", method="POST"),
    # What the rest of the API is made of, a row for each family of paths.
    _AGENT,
    also(_AGENT, method=ANY, path="/v1/agents/*"),
    light("/v1/agents/**", "agents.crud"),
    light("/v1/audio/agents/**"),
    light("/v1/audio/sessions/**", is_secret=True),  # tokens of participants
    light("/v1/audio/voices/**"),
    light("/v1/audio/workers/**", is_secret=True),  # tokens of workers
    light("/v1/batch/jobs/**"),
    light("/v1/client/sessions/**", is_secret=True),  # keys for browsers
    light("/v1/connectors/**", is_secret=True),  # credentials of users and organizations
    light("/v1/context/search-indexes/**"),
    light("/v1/conversations"),
    light("/v1/conversations/{conversation_id}/**"),
    light("/v1/files/**"),
    light("/v1/fine_tuning/jobs/**"),
    light("/v1/fine_tuning/models/**"),
    light("/v1/libraries/**"),
    light("/v1/models/**"),
    light("/v1/observability/**"),
    light("/v1/rag/**"),
    light("/v1/service-accounts/**", is_secret=True),
    light("/v1/triggers/**"),
    light("/v1/users/**"),
    light("/v1/webhooks/**", is_secret=True),  # signing secrets
    light("/v1/whoami"),
    light("/v1/workflows/**"),
    light("/v2/audio/voices/**"),
    light("/v2/prompts/**"),
    light("/v2/skills/**"),
)
