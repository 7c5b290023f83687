"""The installed SDK under `install()`: nothing of it changes, all its clients are recorded."""

import asyncio
import importlib
import importlib.metadata
import inspect
import pkgutil
import subprocess
import sys
import types
from pathlib import Path

import pytest

import interceptor
from interceptor import testing
from interceptor.replay import Rule, Server, named, script
from tests.environments import environ

pytestmark = pytest.mark.sdk

MAJOR = int(importlib.metadata.version("mistralai").partition(".")[0])
SDK = importlib.import_module("mistralai" if MAJOR == 1 else "mistralai.client")
ASKED = {"model": "mistral-small-latest", "messages": [{"role": "user", "content": "Hello"}]}
PLAIN, STREAMED = "chat.completions/plain", "chat.completions/streamed"


@pytest.fixture(autouse=True)
def _uninstalled():
    yield
    interceptor.uninstall()


@pytest.fixture
def server():
    answers = [script(named(name).response) for name in (PLAIN, STREAMED)]
    streams = [lambda request: not request.json().get("stream"), lambda _: True]
    rules = [
        Rule("POST", path, (answer,), when)
        for path in ("/chat/completions", ":rawPredict", ":streamRawPredict")
        for answer, when in zip(answers, streams, strict=True)
    ]
    with Server(rules) as one:
        yield one


def close(mistral):
    """Close what the oldest SDKs leave open; the async client was closed on the loop it had."""
    mistral.sdk_configuration.client.close()


# Nothing of the SDK is touched


def everything():
    """Give every attribute of every module, class and function of the SDK that is loaded."""
    found = {}
    seen = set()
    queue = [(name, one) for name, one in sys.modules.items() if name.startswith("mistralai")]
    while queue:
        path, one = queue.pop()
        if id(one) in seen or isinstance(one, dict):
            continue
        seen.add(id(one))
        for name, value in {**getattr(one, "__dict__", {})}.items():
            here = f"{path}.{name}"
            found[here] = value
            queue += [(f"{part.__module__}.{part.__qualname__}", part) for part in parts(value)]
        if isinstance(one, types.FunctionType):
            found[f"{path}()"] = one, one.__code__, one.__defaults__, one.__kwdefaults__
    return found


def parts(value):
    """Give what an attribute holds that is the SDK's, and may have attributes of its own."""
    if isinstance(value, staticmethod | classmethod):
        value = value.__func__
    if isinstance(value, property):
        return [one for one in (value.fget, value.fset, value.fdel) if one is not None]
    is_whole = inspect.isclass(value) or inspect.isfunction(value)
    is_theirs = str(getattr(value, "__module__", "")).startswith("mistralai")
    return [value] if is_whole and is_theirs else []


def load_all():
    """Import each module of the SDK that can be imported here; some want extras."""
    for module in pkgutil.walk_packages(SDK.__path__, f"{SDK.__name__}."):
        try:
            importlib.import_module(module.name)
        except ImportError:
            continue


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_no_attribute_of_the_sdk_is_another_afterwards():
    load_all()
    mistral = SDK.Mistral(api_key="invented")
    before = everything()
    state = dict(vars(mistral)), dict(vars(mistral.sdk_configuration))
    assert isinstance(before[f"{SDK.__name__}.chat.Chat.complete"], types.FunctionType)
    assert isinstance(before[f"{SDK.__name__}.basesdk.BaseSDK.do_request"], types.FunctionType)
    interceptor.install(existing=True)
    interceptor.instrument(mistral)
    after = everything()
    changed = [name for name in before.keys() | after.keys() if not same(name, before, after)]
    assert changed == []
    assert (dict(vars(mistral)), dict(vars(mistral.sdk_configuration))) == state
    close(mistral)


def same(name, before, after):
    if name not in before or name not in after:
        return False
    one, other = before[name], after[name]
    if isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
        return all(a is b for a, b in zip(one, other, strict=True))
    return one is other


# All its clients


async def each_form(mistral, model=ASKED["model"]):
    """Call the SDK in every form."""
    chat, asked = mistral.chat, ASKED | {"model": model}
    chat.complete(**asked)
    list(chat.stream(**asked))
    await chat.complete_async(**asked)
    [event async for event in await chat.stream_async(**asked)]
    await mistral.sdk_configuration.async_client.aclose()


def assert_four(records, server, model=ASKED["model"]):
    assert [record.usage.total_tokens > 0 for record in records] == [True] * 4
    assert {record.input.model for record in records} == {model}
    assert {record.endpoint for record in records} == {"chat.completions"}
    assert len(server.requests) == 4


def test_a_client_of_the_sdk_is_recorded_in_every_form(server):
    interceptor.install()
    mistral = SDK.Mistral(api_key="invented", server_url=server.url)
    with testing.recorded() as records:
        asyncio.run(each_form(mistral))
    assert_four(records, server)
    close(mistral)


def test_a_gateway_with_any_prefix_is_recorded(server):
    interceptor.install()
    mistral = SDK.Mistral(api_key="invented", server_url=f"{server.url}/team/llm/mistral")
    with testing.recorded() as records:
        asyncio.run(each_form(mistral))
    assert_four(records, server)
    assert {request.path for request in server.requests} == {
        "/team/llm/mistral/v1/chat/completions"
    }
    close(mistral)


def test_an_older_client_is_recorded_once_it_is_instrumented(server):
    mistral = SDK.Mistral(api_key="invented", server_url=server.url)
    assert interceptor.instrument(mistral) is mistral
    with testing.recorded() as records:
        asyncio.run(each_form(mistral))
    assert_four(records, server)
    interceptor.uninstrument(mistral)
    with testing.recorded() as records:
        mistral.chat.complete(**ASKED)
    assert records == []
    close(mistral)


def test_a_closed_client_is_refused():
    mistral = SDK.Mistral(api_key="invented")
    config = mistral.sdk_configuration
    close(mistral)
    config.client = config.async_client = None  # as the SDK leaves it when its block has ended
    with pytest.raises(interceptor.TransportError, match="the Mistral client is closed"):
        interceptor.instrument(mistral)
    interceptor.uninstrument(mistral)


def azure(url):
    """Make the SDK's client for Azure."""
    if MAJOR == 1:
        kind = pytest.importorskip("mistralai_azure").MistralAzure
        return kind(azure_api_key="invented", azure_endpoint=url)
    kind = pytest.importorskip("mistralai.azure.client").MistralAzure
    # 2.0 asks for `/chat/completions` below the user's own address, later ones below `/models`.
    return kind(api_key="invented", server_url=f"{url}/v1")


def google(url):
    """Make the SDK's client for Google's Vertex, with a token of ours."""
    pytest.importorskip("google.auth.transport.requests")
    if MAJOR == 1:
        kind = pytest.importorskip("mistralai_gcp").MistralGoogleCloud
        mistral = kind(access_token="invented", project_id="ours")  # noqa: S106
        mistral.sdk_configuration.server_url = url
        return mistral
    kind = pytest.importorskip("mistralai.gcp.client").MistralGCP
    return kind(access_token="invented", project_id="ours", server_url=url)  # noqa: S106


@pytest.mark.parametrize("make", [azure, google])
def test_clients_of_other_clouds_are_recorded_by_the_sdks_name(server, make):
    interceptor.install()
    mistral = make(server.url)
    model = "mistral-large-2411" if make is google else ASKED["model"]
    with testing.recorded() as records:
        asyncio.run(each_form(mistral, model))
    assert_four(records, server, records[0].input.model)
    close(mistral)


# Beside what others put around calls


def test_an_http_instrumentation_nests_inside_ours(server, tmp_path):
    """opentelemetry-instrumentation-httpx, switched on before and after us."""
    pytest.importorskip("opentelemetry.instrumentation.httpx")
    program = Path(__file__).parent / "programs" / "nested.py"
    for order in ("before", "after"):
        command = [sys.executable, program, server.url, order]
        env = environ(
            INTERCEPTOR_STORE=tmp_path / f"{order}.db", OTEL_SEMCONV_STABILITY_OPT_IN="http"
        )
        said = subprocess.check_output(command, text=True, env=env)
        assert said.splitlines() == [
            "chat mistral-small-latest <- None",
            "POST <- chat mistral-small-latest",
        ], order
