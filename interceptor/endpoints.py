"""The table: which requests we can read, and with which Structs.

A new endpoint is a wire module and a row here. A path matches by its end, so that gateways may
put any prefix before it. In a row's path `*` stands for one segment, `{name}` for one that `Input`
has a field for, and `/**` at the end for anything below, or nothing.
"""

import functools
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from interceptor.record import Answer, Input
from interceptor.wire import (
    agents,
    batch,
    chat,
    classifiers,
    conversations,
    embeddings,
    fim,
    ocr,
    responses,
    speech,
    transcriptions,
)
from interceptor.wire.notes import Notes

__all__ = ["OPERATIONS", "OTHER", "TABLE", "Endpoint", "Match", "match"]

ANY = "*"
"""The method of a row that fits every method."""


def _as_it_is(body: bytes, rest: Callable[[], None]) -> bytes:  # noqa: ARG001 - the column's type
    return body


class Endpoint(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One row: how a request is recognised, and what reads it.

    - `operation` is what is done; `agent_operation`, where there is one, what is done if an agent
      is asked to. `is_inference` is false for calls that run no model by themselves.
    - `is_secret` says that the bodies carry credentials: they are never looked at, nor kept.
    - `by_member` names another row by a member of the request's JSON that only it has: where one
      path serves two endpoints.
    - `request` and `to_input` read the request; without them nothing of it is read. `content`
      names the members of its JSON that are words rather than parameters, as `a.b` where one
      stands inside another; None keeps no parameters.
    - `response` and `to_answer` read the answer; without them only the body of a failure is
      read. `prepare` cuts out of it what need not be parsed. `media` is the modality of an
      answer that may be a file itself rather than JSON about it.
    - `chunk`, `fold`, `has_content` and `is_last` read an answer that comes as a stream of
      events or, where `is_lines`, as lines of JSON.
    """

    name: str
    operation: str
    path: str
    method: str = "POST"
    agent_operation: str | None = None
    is_inference: bool = True
    is_secret: bool = False
    by_member: Mapping[str, "Endpoint"] = {}
    request: Any = None
    to_input: Callable[[Any, Notes], Input] | None = None
    content: frozenset[str] | None = None
    response: Any = None
    prepare: Callable[[bytes, Callable[[], None]], bytes] = _as_it_is
    to_answer: Callable[[Any, Notes], Answer] | None = None
    media: str | None = None
    chunk: Any = None
    fold: Callable[[Any, Notes], Any] | None = None
    has_content: Callable[[Any], bool] | None = None
    is_last: Callable[[Any], bool] | None = None
    is_lines: bool = False

    def answer(self, response: Any, notes: Notes) -> Answer:
        """Give what a response says; nothing where the row reads no answers."""
        return self.to_answer(response, notes) if self.to_answer else Answer()

    def folded(self, chunks: Iterable[Any], notes: Notes) -> Answer:
        """Give what a stream says; nothing where the row knows of no streams."""
        return self.answer(self.fold(chunks, notes), notes) if self.fold else Answer()


class Match(NamedTuple):
    """The row that a request belongs to, and the segments of its path that `Input` names."""

    endpoint: Endpoint
    ids: dict[str, str]


def _also(row: Endpoint, **changes: Any) -> Endpoint:
    """Give a row for what is asked, or answered, in the same words elsewhere."""
    return msgspec.structs.replace(row, **changes)


def _light(path: str, name: str | None = None, **columns: Any) -> Endpoint:
    """Give a row for a call that runs no model: its method, path, status, times and errors.

    The row is named by the words of its path, dotted.
    """
    words = [word for word in path.split("/")[2:] if not word.startswith(("*", "{"))]
    name = name or ".".join(words)
    defaults: dict[str, Any] = {"method": ANY, "is_inference": False}
    return Endpoint(name=name, operation=name, path=path, **defaults | columns)


_CHAT = Endpoint(
    name="chat.completions",
    operation="chat",
    path="/v1/chat/completions",
    request=chat.Request,
    to_input=chat.to_input,
    content=chat.CONTENT,
    response=chat.Response,
    to_answer=chat.to_answer,
    chunk=chat.Chunk,
    fold=chat.fold,
    has_content=chat.has_content,
    is_last=chat.is_last,
)

_FIM = _also(
    _CHAT,
    name="fim.completions",
    operation="text_completion",
    path="/v1/fim/completions",
    request=fim.Request,
    to_input=fim.to_input,
    content=fim.CONTENT,
)

_VERTEX = _also(
    _CHAT, path="/publishers/mistralai/models/{model}:rawPredict", by_member={"prompt": _FIM}
)

_CONVERSATION = Endpoint(
    name="conversations.start",
    operation="chat",
    agent_operation="invoke_agent",
    path="/v1/conversations",
    request=conversations.Request,
    to_input=conversations.to_input,
    content=conversations.CONTENT,
    response=conversations.Response,
    to_answer=conversations.to_answer,
    chunk=conversations.Event,
    fold=conversations.fold,
    has_content=conversations.has_content,
    is_last=conversations.is_last,
)

_MODERATION = Endpoint(
    name="moderations",
    operation="moderations",
    path="/v1/moderations",
    request=classifiers.Request,
    to_input=classifiers.to_input,
    content=classifiers.CONTENT,
    response=classifiers.Response,
    to_answer=classifiers.to_answer,
)

_OCR = Endpoint(
    name="ocr",
    operation="ocr",
    path="/v1/ocr",
    request=ocr.Request,
    to_input=ocr.to_input,
    content=ocr.CONTENT,
    response=ocr.Response,
    to_answer=ocr.to_answer,
)

_AGENT = _light(
    "/v1/agents",
    "agents.crud",
    method="POST",
    request=agents.Agent,
    to_input=agents.to_input,
    response=agents.Agent,
    to_answer=agents.to_answer,
)

_JOB = _light(
    "/v1/batch/jobs",
    method="POST",
    request=batch.Request,
    to_input=batch.to_input,
    content=batch.CONTENT,
    response=batch.Job,
    to_answer=batch.to_answer,
)

TABLE: tuple[Endpoint, ...] = (
    _CHAT,
    _also(_CHAT, path="/models/chat/completions"),  # Azure
    _VERTEX,
    _also(_VERTEX, path="/publishers/mistralai/models/{model}:streamRawPredict"),
    _FIM,
    _also(
        _CHAT,
        name="agents.completions",
        operation="invoke_agent",
        path="/v1/agents/completions",
    ),
    _CONVERSATION,
    _also(_CONVERSATION, name="conversations.append", path="/v1/conversations/{conversation_id}"),
    _also(
        _CONVERSATION,
        name="conversations.restart",
        path="/v1/conversations/{conversation_id}/restart",
    ),
    Endpoint(
        name="responses",
        operation="chat",
        path="/v1/responses",
        request=responses.Request,
        to_input=responses.to_input,
        content=responses.CONTENT,
        response=responses.Response,
        to_answer=responses.to_answer,
        chunk=responses.Event,
        fold=responses.fold,
        has_content=responses.has_content,
        is_last=responses.is_last,
    ),
    Endpoint(
        name="embeddings",
        operation="embeddings",
        path="/v1/embeddings",
        request=embeddings.Request,
        to_input=embeddings.to_input,
        content=embeddings.CONTENT,
        response=embeddings.Response,
        prepare=embeddings.slimmed,
        to_answer=embeddings.to_answer,
    ),
    _MODERATION,
    _also(
        _MODERATION,
        name="chat.moderations",
        operation="chat.moderations",
        path="/v1/chat/moderations",
    ),
    _also(
        _MODERATION,
        name="classifications",
        operation="classifications",
        path="/v1/classifications",
    ),
    _also(
        _MODERATION,
        name="chat.classifications",
        operation="chat.classifications",
        path="/v1/chat/classifications",
    ),
    _OCR,
    _also(_OCR, path="/providers/mistral/azure/ocr"),
    Endpoint(
        name="audio.transcriptions",
        operation="audio.transcriptions",
        path="/v1/audio/transcriptions",
        request=transcriptions.Request,
        to_input=transcriptions.to_input,
        content=transcriptions.CONTENT,
        response=transcriptions.Response,
        to_answer=transcriptions.to_answer,
        chunk=transcriptions.Event,
        fold=transcriptions.fold,
        has_content=transcriptions.has_content,
        is_last=transcriptions.is_last,
    ),
    Endpoint(
        name="audio.speech",
        operation="audio.speech",
        path="/v1/audio/speech",
        request=speech.Request,
        to_input=speech.to_input,
        content=speech.CONTENT,
        response=speech.Response,
        to_answer=speech.to_answer,
        media="audio",
        chunk=speech.Event,
        fold=speech.fold,
        has_content=speech.has_content,
        is_last=speech.is_last,
    ),
    # What costs money or runs models behind the scenes: light, but under a name of its own.
    _light(
        "/v1/responses/input_tokens",
        method="POST",
        request=responses.Request,
        to_input=responses.to_model,
        response=responses.Count,
        to_answer=responses.to_count,
    ),
    _JOB,
    _also(_JOB, method="GET", path="/v1/batch/jobs/*", request=None, to_input=None),
    _light(
        "/v1/files/*/content",
        "files",
        method="GET",
        response=batch.Line,
        chunk=batch.Line,
        fold=batch.fold,
        to_answer=batch.to_usages,
        is_lines=True,
    ),
    _light("/v1/connectors/*/tools/*/call", method="POST"),
    _light("/v1/connectors-gateway/**"),
    _light("/v1/context/search-indexes/*/documents"),
    _light("/v1/context/search-indexes/*/grep", method="POST"),
    _light("/v1/context/search-indexes/*/navigate", method="POST"),
    _light("/v1/context/search-indexes/*/read", method="POST"),
    _light("/v1/context/search-indexes/*/search", method="POST"),
    _light("/v1/context/search-indexes/*/summary_field/*"),
    _light("/v1/libraries/*/documents/**"),
    _light("/v1/observability/chat-completion-events/*/live-judging", method="POST"),
    _light("/v1/observability/dataset-records/*/live-judging", method="POST"),
    _light("/v1/observability/judges/*/live-judging", method="POST"),
    _light("/v1/workflows/*/execute", method="POST"),
    # What the rest of the API is made of, a row for each family of paths.
    _AGENT,
    _also(_AGENT, method=ANY, path="/v1/agents/*"),
    _light("/v1/agents/**", "agents.crud"),
    _light("/v1/audio/agents/**"),
    _light("/v1/audio/sessions/**", is_secret=True),  # tokens of participants
    _light("/v1/audio/voices/**"),
    _light("/v1/audio/workers/**", is_secret=True),  # tokens of workers
    _light("/v1/batch/jobs/**"),
    _light("/v1/client/sessions/**", is_secret=True),  # keys for browsers
    _light("/v1/connectors/**", is_secret=True),  # credentials of users and organizations
    _light("/v1/context/search-indexes/**"),
    _light("/v1/conversations"),
    _light("/v1/conversations/{conversation_id}/**"),
    _light("/v1/files/**"),
    _light("/v1/fine_tuning/jobs/**"),
    _light("/v1/fine_tuning/models/**"),
    _light("/v1/libraries/**"),
    _light("/v1/models/**"),
    _light("/v1/observability/**"),
    _light("/v1/rag/**"),
    _light("/v1/service-accounts/**", is_secret=True),
    _light("/v1/triggers/**"),
    _light("/v1/users/**"),
    _light("/v1/webhooks/**", is_secret=True),  # signing secrets
    _light("/v1/whoami"),
    _light("/v1/workflows/**"),
    _light("/v2/audio/voices/**"),
    _light("/v2/prompts/**"),
    _light("/v2/skills/**"),
)

OTHER = Endpoint(name="other", operation="other", path="", method="", is_inference=False)
"""The row of a request that no other row knows."""


OPERATIONS = frozenset(
    {"all", "inference"}.union(*({row.name, row.operation} for row in (*TABLE, OTHER)))
)
"""What a setting may name: every endpoint, every operation, and two words for many."""


@functools.lru_cache(maxsize=4096)
def match(method: str, path: str) -> Match:
    """Give the row for a request, by its method and the end of its path; `OTHER` where none fits.

    Callers ask this for each request they send: answers are kept, and a path that is new costs
    one regular expression at each place where one of the table's paths may begin.
    """
    pattern, rows = _compiled(method)
    for begin in reversed(list(_BEGINS.finditer(path))):
        if found := pattern.fullmatch(path, begin.start()):
            at = found.lastindex or 0
            names = _NAMED.findall(rows[at].path)
            ids = found.groups()[at : at + len(names)]
            return Match(rows[at], dict(zip(names, ids, strict=True)))
    return Match(OTHER, {})


_NAMED = re.compile(r"\{(\w+)\}")
_WILD = re.compile(r"/\\\*\\\*|\\\*|\\\{\w+\\\}")
_TAILS = {r"/\*\*": r"(?:/.*)?", r"\*": r"[^/]+"}
_BEGINS = re.compile(f"/(?:{'|'.join(sorted({row.path.split('/')[1] for row in TABLE}))})(?=/)")


@functools.lru_cache(maxsize=16)
def _compiled(method: str) -> tuple[re.Pattern[str], dict[int, Endpoint]]:
    """Give one pattern for all rows of a method, and the row of each of its outer groups."""
    rows = [row for row in TABLE if row.method in (method, ANY)]
    groups: dict[int, Endpoint] = {}
    at = 1
    for row in rows:
        groups[at] = row
        at += 1 + len(_NAMED.findall(row.path))
    tails = "|".join(f"({_tail(row.path)})" for row in rows)
    return re.compile(f"(?:{tails})/?"), groups


def _tail(path: str) -> str:
    """Give a path as a regular expression; what it names is a group."""
    return _WILD.sub(lambda found: _TAILS.get(found[0], "([^/]+)"), re.escape(path))
