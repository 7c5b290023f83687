"""The neutral account of one call: what was asked, what was answered, when.

A `Record` is made once, after the exchange has ended, by `reading.read`. It speaks no
vocabulary of any backend (that is a dialect's work) and holds no JSON of the wire but
where that JSON is the fact itself (`Usage.raw`, `Input.tools`).

Times named `…_after_ns` are nanoseconds since the exchange began, `…_unix_ns` since the
epoch. None means that the wire did not say; zero is a value.
"""

from typing import Any

import msgspec

__all__ = [
    "Answer",
    "Blob",
    "Failure",
    "FileRef",
    "Generic",
    "Handoff",
    "Input",
    "Link",
    "Message",
    "Output",
    "Part",
    "Phase",
    "Reasoning",
    "Record",
    "Server",
    "Stream",
    "Text",
    "Times",
    "ToolCall",
    "ToolResult",
    "ToolRun",
    "Usage",
]


class Text(msgspec.Struct, frozen=True, tag="text", gc=False):
    """Words, as the caller or the model wrote them."""

    content: str


class Reasoning(msgspec.Struct, frozen=True, tag="reasoning", gc=False):
    """What the model thought before it answered."""

    content: str


class ToolCall(msgspec.Struct, frozen=True, tag="tool_call"):
    """A tool that the model asks the caller to run.

    `arguments` is JSON text as it stood on the wire: it may be cut short.
    """

    id: str | None = None
    name: str | None = None
    arguments: str = ""


class ToolResult(msgspec.Struct, frozen=True, tag="tool_call_response"):
    """What a tool answered, as the caller sends it back."""

    id: str | None = None
    response: str = ""


class Blob(msgspec.Struct, frozen=True, kw_only=True, tag="blob"):
    """Media that travelled with the call: what it was, not the bytes themselves.

    `size_bytes` counts them as sent, which for media inside JSON is base64 text; `sha256` is the
    hex digest of what was counted. `name` is the file's, where it came as one.
    """

    modality: str
    mime_type: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    name: str | None = None


class Link(msgspec.Struct, frozen=True, tag="uri"):
    """Media named by its address."""

    modality: str
    uri: str


class FileRef(msgspec.Struct, frozen=True, tag="file"):
    """Media that was uploaded before, by its id."""

    modality: str
    file_id: str


class Generic(msgspec.Struct, frozen=True, tag="generic"):
    """A part of a kind that we do not know, or that has no text: its name, and its JSON if kept."""

    generic_type: str
    content: str | None = None


Part = Text | Reasoning | ToolCall | ToolResult | Blob | Link | FileRef | Generic


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One turn of a conversation; `finish_reason` only on what a model answered."""

    role: str
    parts: tuple[Part, ...] = ()
    name: str | None = None
    finish_reason: str | None = None


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller sent.

    `parameters` is the rest of the request's JSON: everything but messages, inputs, tools,
    media and secrets. `tools` is the JSON text of the tool definitions. `characters` counts a
    text to be spoken, which is what speech is billed by.
    """

    model: str | None = None
    agent_id: str | None = None
    agent_name: str | None = None
    agent_version: str | None = None
    conversation_id: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    top_k: float | None = None
    choice_count: int | None = None
    stream: bool = False
    reasoning_level: str | None = None
    output_type: str | None = None
    dimensions: int | None = None
    characters: int | None = None
    messages: tuple[Message, ...] = ()
    system: tuple[Part, ...] = ()
    tools: str | None = None
    parameters: dict[str, Any] = {}


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """What the server answered; a stream is folded into the answer it stands for.

    `facts` are what an endpoint says beside its content and has no field here: a status, a
    language, counts. They are words of the API, never of the caller or the model. `guardrails`
    is the JSON text of what the guardrails found. `embeddings_bytes` is the size of one vector,
    where vectors came as base64.
    """

    id: str | None = None
    model: str | None = None
    messages: tuple[Message, ...] = ()
    finish_reasons: tuple[str, ...] = ()
    conversation_id: str | None = None
    agent_id: str | None = None
    agent_name: str | None = None
    embeddings_count: int | None = None
    embeddings_dimensions: int | None = None
    embeddings_bytes: int | None = None
    guardrails: str | None = None
    facts: dict[str, Any] = {}


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What the server says it counted; None where it said nothing.

    `total_tokens` is the server's and not always the sum: audio, connectors and moderation
    add to it. `cache_read_tokens` is a part of `input_tokens`. `raw` is the JSON text as sent.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    audio_tokens: int | None = None
    audio_seconds: float | None = None
    connector_tokens: int | None = None
    connectors: dict[str, int] | None = None
    pages_processed: int | None = None
    doc_size_bytes: int | None = None
    input_characters: int | None = None
    service_tier: str | None = None
    raw: str | None = None


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """How a stream went: its events (`[DONE]` not counted), and the gaps between them.

    `completed` says whether it reached its end: `[DONE]`, a last event, or a finish reason.
    """

    events: int = 0
    completed: bool = False
    gap_p50_ns: int | None = None
    gap_p95_ns: int | None = None
    gap_max_ns: int | None = None


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why the call failed: the server's word for it, or the exception that was raised."""

    kind: str
    message: str | None = None
    code: str | None = None


class ToolRun(msgspec.Struct, frozen=True, kw_only=True):
    """A tool that the server ran by itself; its times are the server's own clock."""

    name: str
    id: str | None = None
    arguments: str | None = None
    result: str | None = None
    started_unix_ns: int | None = None
    ended_unix_ns: int | None = None


class Handoff(msgspec.Struct, frozen=True, kw_only=True):
    """One agent passing the conversation to another."""

    previous_agent_id: str | None = None
    previous_agent_name: str | None = None
    next_agent_id: str | None = None
    next_agent_name: str | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """All that a response's body says: what an endpoint's `to_answer` gives.

    `usage_by_model` is what the answers of a batch used, summed for each model. It is not this
    call's own usage: a job that is asked for twice says it twice.
    """

    output: Output = Output()
    usage: Usage | None = None
    usage_by_model: dict[str, Usage] = {}
    failure: Failure | None = None
    tool_runs: tuple[ToolRun, ...] = ()
    handoffs: tuple[Handoff, ...] = ()


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the call on the network, such as `connect` or `wait`, in nanoseconds."""

    name: str
    started_after_ns: int
    ended_after_ns: int


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """When things happened. The end is that of the caller's reading, not only the server's."""

    started_unix_ns: int
    ended_after_ns: int = 0
    headers_after_ns: int | None = None
    first_byte_after_ns: int | None = None
    first_content_after_ns: int | None = None


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """Who answered, and what its headers say, by allow-list."""

    host: str = ""
    port: int | None = None
    http_version: str | None = None
    correlation_id: str | None = None
    ratelimit: dict[str, int] = {}
    upstream_ns: int | None = None
    deprecated_at: str | None = None


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One call, from the bytes that went over the wire.

    `usage_by_model` is a batch's, as `Answer` says: never to be added to anybody's `usage`.
    """

    endpoint: str
    operation: str
    times: Times
    method: str = ""
    path: str = ""
    attempt: int = 1
    server: Server = Server()
    status: int | None = None
    request_bytes: int | None = None
    response_bytes: int = 0
    input: Input = Input()
    output: Output = Output()
    usage: Usage | None = None
    usage_by_model: dict[str, Usage] = {}
    stream: Stream | None = None
    failure: Failure | None = None
    tool_runs: tuple[ToolRun, ...] = ()
    handoffs: tuple[Handoff, ...] = ()
    phases: tuple[Phase, ...] = ()
    notes: tuple[str, ...] = ()
