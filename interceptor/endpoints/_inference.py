"""The endpoints that run a model."""

from interceptor.endpoints._row import Endpoint, also
from interceptor.wire import (
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

__all__ = ["INFERENCE"]

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

_FIM = also(
    _CHAT,
    name="fim.completions",
    operation="text_completion",
    path="/v1/fim/completions",
    request=fim.Request,
    to_input=fim.to_input,
    content=fim.CONTENT,
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

_VERTEX = also(
    _CHAT,
    path="/publishers/mistralai/models/{model}:rawPredict",
    by_member={"prompt": _FIM, "document": _OCR},
)

INFERENCE: tuple[Endpoint, ...] = (
    _CHAT,
    also(_CHAT, path="/models/chat/completions"),  # Azure
    _VERTEX,
    also(_VERTEX, path="/publishers/mistralai/models/{model}:streamRawPredict"),
    _FIM,
    also(
        _CHAT,
        name="agents.completions",
        operation="invoke_agent",
        path="/v1/agents/completions",
    ),
    _CONVERSATION,
    also(_CONVERSATION, name="conversations.append", path="/v1/conversations/{conversation_id}"),
    also(
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
        measured=embeddings.measured,
    ),
    _MODERATION,
    also(
        _MODERATION,
        name="chat.moderations",
        operation="chat.moderations",
        path="/v1/chat/moderations",
    ),
    also(
        _MODERATION,
        name="classifications",
        operation="classifications",
        path="/v1/classifications",
    ),
    also(
        _MODERATION,
        name="chat.classifications",
        operation="chat.classifications",
        path="/v1/chat/classifications",
    ),
    _OCR,
    also(_OCR, path="/providers/mistral/azure/ocr"),
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
)
