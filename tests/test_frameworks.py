"""Frameworks that talk to Mistral, recorded by `install()`: the usage that they report is ours.

They have an environment of their own, `nox -s frameworks`: where one is missing it is skipped.
"""

import asyncio
import importlib
import os

import pytest

import interceptor
from interceptor import testing
from interceptor.replay import Rule, Server, named, script
from tests.ways import LIBRARIES

pytestmark = pytest.mark.frameworks

MODEL = "mistral-small-latest"
HOST = "http://api.mistral.ai"  # what stands for it is the environment's proxy
CHAT = "/v1/chat/completions"
KEY = "invented"
PLAIN, STREAMED = "chat.completions/plain", "chat.completions/streamed"


@pytest.fixture(scope="module")
def server():
    """Give a server for any host; one for all tests, since frameworks keep their clients."""
    plain, streamed = (script(named(name).response) for name in (PLAIN, STREAMED))
    rules = [
        Rule("POST", CHAT, (streamed,), lambda request: request.json().get("stream", False)),
        Rule("POST", CHAT, (plain,)),
    ]
    with Server(rules) as one:
        yield one


@pytest.fixture(autouse=True)
def _alone(server, monkeypatch):
    """Install, and let nothing of these frameworks ask for anything beyond this machine."""
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    monkeypatch.setenv("LANGSMITH_TRACING", "false")
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HTTP_PROXY", server.url)
    interceptor.install()
    yield
    interceptor.uninstall()
    server.requests.clear()


def langchain(stream):
    chat = importlib.import_module("langchain_mistralai").ChatMistralAI
    model = chat(model=MODEL, api_key=KEY, endpoint=f"{HOST}/v1", max_retries=0)
    if stream:
        pieces = list(model.stream("Hello"))
        message = sum(pieces[1:], pieces[0])
    else:
        message = model.invoke("Hello")
    return message.usage_metadata["input_tokens"], message.usage_metadata["output_tokens"]


async def langchain_async(stream):
    chat = importlib.import_module("langchain_mistralai").ChatMistralAI
    model = chat(model=MODEL, api_key=KEY, endpoint=f"{HOST}/v1", max_retries=0)
    if stream:
        pieces = [piece async for piece in model.astream("Hello")]
        message = sum(pieces[1:], pieces[0])
    else:
        message = await model.ainvoke("Hello")
    return message.usage_metadata["input_tokens"], message.usage_metadata["output_tokens"]


async def pydantic_ai(stream):
    agent = importlib.import_module("pydantic_ai").Agent
    model = importlib.import_module("pydantic_ai.models.mistral").MistralModel
    provider = importlib.import_module("pydantic_ai.providers.mistral").MistralProvider
    asked = agent(model(MODEL, provider=provider(api_key=KEY, base_url=HOST)))
    if stream:
        async with asked.run_stream("Hello") as result:
            await result.get_output()
    else:
        result = await asked.run("Hello")
    usage = result.usage() if callable(result.usage) else result.usage
    return usage.input_tokens, usage.output_tokens


def llama_index(stream):
    llm, message = _llama_index()
    if stream:
        *_, last = llm.stream_chat([message])
        usage = last.raw.data.usage
    else:
        usage = llm.chat([message]).raw["usage"]
    return usage.prompt_tokens, usage.completion_tokens


async def llama_index_async(stream):
    llm, message = _llama_index()
    if stream:
        *_, last = [piece async for piece in await llm.astream_chat([message])]
        usage = last.raw.data.usage
    else:
        usage = (await llm.achat([message])).raw["usage"]
    return usage.prompt_tokens, usage.completion_tokens


def _llama_index():
    llm = importlib.import_module("llama_index.llms.mistralai").MistralAI
    message = importlib.import_module("llama_index.core.llms").ChatMessage
    return llm(model=MODEL, api_key=KEY, endpoint=HOST), message(role="user", content="Hello")


def litellm(stream):
    module = importlib.import_module("litellm")
    answer = module.completion(**_litellm(stream))
    if stream:
        answer = module.stream_chunk_builder(list(answer))
    return answer.usage.prompt_tokens, answer.usage.completion_tokens


async def litellm_async(stream):
    module = importlib.import_module("litellm")
    answer = await module.acompletion(**_litellm(stream))
    if stream:
        answer = module.stream_chunk_builder([piece async for piece in answer])
    return answer.usage.prompt_tokens, answer.usage.completion_tokens


def _litellm(stream):
    return {
        "model": f"mistral/{MODEL}",
        "messages": [{"role": "user", "content": "Hello"}],
        "api_base": f"{HOST}/v1",
        "api_key": KEY,
        "stream": stream,
    } | ({"stream_options": {"include_usage": True}} if stream else {})


FRAMEWORKS = {
    "langchain-mistralai": ("langchain_mistralai", langchain),
    "langchain-mistralai, async": ("langchain_mistralai", langchain_async),
    "pydantic-ai-slim[mistral]": ("pydantic_ai.models.mistral", pydantic_ai),
    "llama-index-llms-mistralai": ("llama_index.llms.mistralai", llama_index),
    "llama-index-llms-mistralai, async": ("llama_index.llms.mistralai", llama_index_async),
    "litellm": ("litellm", litellm),
    "litellm, async": ("litellm", litellm_async),
}


@pytest.mark.filterwarnings("default")  # the frameworks' own
@pytest.mark.parametrize("answer", [PLAIN, STREAMED], ids=["plain", "streamed"])
@pytest.mark.parametrize(("module", "ask"), FRAMEWORKS.values(), ids=FRAMEWORKS)
def test_usage_is_what_the_framework_reports(server, monkeypatch, module, ask, answer):
    if ask is litellm_async:
        monkeypatch.setenv("DISABLE_AIOHTTP_TRANSPORT", "True")  # as `interceptor doctor` says
    pytest.importorskip(module)
    with testing.recorded() as records:
        reported = ask(answer == STREAMED)
        if asyncio.iscoroutine(reported):
            reported = asyncio.run(reported)
    (record,) = records
    (request,) = server.requests
    assert request.path == f"{HOST}{CHAT}"
    assert (record.usage.input_tokens, record.usage.output_tokens) == reported
    assert reported[0] > 0 < reported[1]
    assert (record.endpoint, record.input.model) == ("chat.completions", MODEL)


@pytest.mark.parametrize("library", LIBRARIES)
def test_usage_is_what_the_bare_library_receives(library):
    http = importlib.import_module(library)
    asked = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}]}
    with testing.recorded() as records, http.Client() as client:
        usage = client.post(f"{HOST}{CHAT}", json=asked).json()["usage"]
    (record,) = records
    assert record.usage.input_tokens == usage["prompt_tokens"]
    assert record.usage.output_tokens == usage["completion_tokens"]
