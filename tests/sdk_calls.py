"""The installed SDK, whichever release line it is of, asking what a fixture asks."""

import importlib
import importlib.metadata
import inspect
import json
import operator
from typing import Any

from interceptor.replay.fixtures import Fixture
from interceptor.replay.messages import value
from interceptor.wire import forms

MAJOR, MINOR = map(int, importlib.metadata.version("mistralai").split(".")[:2])
Mistral = importlib.import_module("mistralai" if MAJOR == 1 else "mistralai.client").Mistral
models = importlib.import_module("mistralai.models" if MAJOR == 1 else "mistralai.client.models")
http = importlib.import_module("httpx" if MAJOR < 3 else "httpx2")

METHODS = {  # plain, streamed
    "chat.completions": ("chat.complete", "chat.stream"),
    "fim.completions": ("fim.complete", "fim.stream"),
    "agents.completions": ("agents.complete", "agents.stream"),
    "embeddings": ("embeddings.create", ""),
    "conversations.start": ("beta.conversations.start", "beta.conversations.start_stream"),
    "conversations.append": ("beta.conversations.append", "beta.conversations.append_stream"),
    "conversations.restart": ("beta.conversations.restart", "beta.conversations.restart_stream"),
    "responses": ("responses.create", "responses.create"),
    "responses.input_tokens": ("responses.count_input_tokens", ""),
    "moderations": ("classifiers.moderate", ""),
    "chat.moderations": ("classifiers.moderate_chat", ""),
    "classifications": ("classifiers.classify", ""),
    "chat.classifications": ("classifiers.classify_chat", ""),
    "ocr": ("ocr.process", ""),
    "audio.transcriptions": ("audio.transcriptions.complete", "audio.transcriptions.stream"),
    "audio.speech": ("audio.speech.complete", "audio.speech.complete"),
}
STREAMING = ("responses.create", "audio.speech.complete")  # one method, and a flag


def is_stream(fixture: Fixture) -> bool:
    marks = (b'"stream":true', b'"stream"\r\n\r\ntrue', b"&stream=true")
    return any(mark in fixture.request.body for mark in marks)


def method_name(fixture: Fixture) -> str:
    """Give the SDK's method that asks what a fixture asks."""
    return METHODS[fixture.name.partition("/")[0]][is_stream(fixture)]


def method(sdk: Any, name: str) -> Any:
    """Give a method by its dotted name; None where this release line has none."""
    try:
        return operator.attrgetter(name)(sdk)
    except AttributeError:
        return None


def arguments(fixture: Fixture, called: Any) -> dict[str, Any]:
    """Give what a fixture asks as arguments of a method; what it does not take is left out."""
    asked = _body(fixture)
    taken = inspect.signature(called).parameters
    if "inputs" in taken and "input" in asked:
        asked["inputs"] = asked.pop("input")
    if "conversation_id" in taken:
        asked["conversation_id"] = fixture.request.path.split("/")[3]
    if "model" in taken and taken["model"].default is inspect.Parameter.empty:
        asked.setdefault("model", "the path names it")
    if method_name(fixture) not in STREAMING:
        asked.pop("stream", None)
    return {name: given for name, given in asked.items() if name in taken}


def _body(fixture: Fixture) -> dict[str, Any]:
    kind = value(fixture.request.headers, "content-type") or ""
    if not forms.is_form(kind):
        return json.loads(fixture.request.body)
    fields = forms.fields(fixture.request.body, kind, lambda: None)
    lists = ("timestamp_granularities", "context_bias")
    return {
        name: {"file_name": one.name, "content": b"RIFF", "content_type": one.type}
        if isinstance(one, forms.File)
        else [one]
        if name in lists and isinstance(one, str)
        else one
        for name, one in fields.items()
    }
