"""What a tap sees of a request, what it leaves alone, and which requests are one call."""

import gzip
import importlib
import io
import json

import anyio
import pytest

from interceptor import slot
from interceptor.decoding import decoded
from interceptor.sink import asked
from tests.ways import ASKED, LIBRARIES, URL, every_async_way, every_way, only, recording

PIECES = (b'data: {"choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n', b"data: [DONE]\n\n")
KEY = "sk-invented-0123456789"


@pytest.fixture
def anyio_backend(way):
    return way.backend


@pytest.fixture
def tapped(way):
    """Give a function that makes a client over an answer, its recorder and its records."""

    def make(answer, **options):
        recorder, kept = recording()
        return way.client(way.tap(way.inner(answer), recorder), **options), recorder, kept

    return make


@every_way
async def test_a_call_is_told_before_it_is_sent(way, tapped):
    recorder, kept = recording(unix_ns=lambda: 5)
    begun = []
    client = way.client(
        way.tap(way.inner(lambda _: begun.append(kept.starts[0]) or way.response()), recorder)
    )
    await way.send(
        client, way.request("https://api.mistral.ai:8443/v1/chat/completions?a=b#stream")
    )
    (start,) = begun
    assert asked(start.row, start.request) == (
        "chat",
        "mistral-small-latest",
        None,
        "api.mistral.ai",
        8443,
        "POST",
        "/v1/chat/completions",
    )
    assert (start.attempt, start.started_unix_ns, start.first) == (1, 5, None)
    record = only(recorder, kept)
    assert record.path == "/v1/chat/completions"  # no query, and no fragment of the SDK's
    assert record.method == "POST"


@every_way
async def test_the_request_is_the_callers_own(way, tapped):
    """Nothing of it is assigned to, but for our key among its extensions."""
    request = way.request(headers={"authorization": f"Bearer {KEY}"}, extensions={"mine": 1})
    before = {name: value for name, value in vars(request).items() if name != "extensions"}
    headers = request.headers.raw
    seen = []
    client, recorder, kept = tapped(lambda got: seen.append(got) or way.response(PIECES))
    await way.send(client, request)
    assert seen == [request]
    after = {name: value for name, value in vars(request).items() if name != "extensions"}
    assert all(after[name] is before[name] for name in before)
    assert request.headers.raw == headers
    assert request.extensions.keys() - {"timeout"} == {"mine", "interceptor"}
    only(recorder, kept)


HOSTS = {
    "Mistral's": (URL, {}, True),
    "Mistral's, in capitals": ("https://API.MISTRAL.AI/v1/chat/completions", {}, True),
    "Mistral's, a path that no row knows": ("https://api.mistral.ai/v9/new", {}, True),
    "one that ends alike": ("https://notmistral.ai/v9/new", {}, False),
    "a gateway's, with a path that a row knows": ("https://a.example/x/v1/embeddings", {}, True),
    "another, with another path": ("https://a.example/v9/new", {}, False),
    "the SDK's own": (
        "https://a.example/v9/new",
        {"user-agent": "mistral-client-python/3.7.0 x"},
        True,
    ),
    "one of the setting": ("https://gate.corp.example/v9/new", {}, True),
}


@every_way
@pytest.mark.parametrize(("url", "headers", "is_recorded"), HOSTS.values(), ids=HOSTS)
async def test_which_requests_are_recorded(way, url, headers, is_recorded):
    recorder, kept = recording(hosts=("*.corp.example",))
    client = way.client(way.tap(way.inner(lambda _: way.response(PIECES)), recorder))
    await way.send(client, way.request(url, headers=headers))
    assert recorder.flush(10)
    assert len(kept) == is_recorded


@every_way
async def test_a_tap_for_known_hosts_leaves_others_alone(way, monkeypatch):
    recorder, kept = recording()
    monkeypatch.setattr(slot, "knows", recorder.knows)
    tap = way.tap(way.inner(lambda _: way.response(PIECES)), recorder)
    tap.any_host = False
    client = way.client(tap)
    for url in ("https://a.example/v1/embeddings", URL):
        await way.send(client, way.request(url))
    assert only(recorder, kept).server.host == "api.mistral.ai"


OPERATIONS = {
    "all": (("all",), 4),
    "inference": (("inference",), 2),
    "by the endpoint's name": (("embeddings", "models"), 2),
    "by the operation": (("chat",), 1),
}


@every_way
@pytest.mark.parametrize(("operations", "count"), OPERATIONS.values(), ids=OPERATIONS)
async def test_which_operations_are_recorded(way, operations, count):
    recorder, kept = recording(operations=operations)
    client = way.client(way.tap(way.inner(lambda _: way.response()), recorder))
    for path in ("chat/completions", "embeddings", "models", "new"):
        await way.send(client, way.request(f"https://api.mistral.ai/v1/{path}"))
    assert recorder.flush(10)
    assert len(kept) == count


@every_way
async def test_a_tap_that_is_off_looks_at_nothing(way):
    recorder, kept = recording()
    tap = way.tap(way.inner(lambda request: request), recorder)
    tap.is_on = False
    assert await way.handle(tap, "anything") == "anything"
    assert not kept


@every_way
async def test_recording_that_is_off_looks_at_nothing(way, monkeypatch):
    monkeypatch.setattr(slot, "is_off", True)
    tap = way.tap(way.inner(lambda request: request), None)
    assert await way.handle(tap, "anything") == "anything"


@every_way
async def test_without_a_recorder_in_force_a_call_is_only_sent(way, monkeypatch):
    monkeypatch.setattr(slot, "recorder", lambda: None)
    tap = way.tap(way.inner(lambda _: way.response(PIECES)), None)
    response = await way.handle(tap, way.request())
    assert await way.read(response) == b"".join(PIECES)


@every_way
async def test_a_sink_that_declines_leaves_the_response_alone(way):
    recorder, kept = recording()
    kept.begin = lambda _: None
    response = way.response(PIECES)
    stream = response.stream
    got = await way.handle(way.tap(way.inner(lambda _: response), recorder), way.request())
    assert got.stream is stream


@every_way
async def test_a_call_that_is_not_sampled_is_not_taped(way):
    recorder, kept = recording()
    kept.is_taped = False
    request = way.request()
    response = way.response(PIECES)
    stream, traces = response.stream, []

    def answer(got):
        traces.append(got.extensions.get("trace"))
        return response

    got = await way.handle(way.tap(way.inner(answer), recorder), request)
    assert got.stream is stream
    assert traces == [None]
    assert recorder.flush(10)
    assert not kept


@every_way
async def test_nested_taps_record_once(way):
    outer, kept = recording()
    inner, kept_inside = recording()

    class Again(way.http.AsyncBaseTransport if way.is_async else way.http.BaseTransport):
        """A transport that retries, between the two."""

        def __init__(self, around):
            self.around = around

        def handle_request(self, request):
            self.around.handle_request(request).close()
            return self.around.handle_request(request)

        async def handle_async_request(self, request):
            await (await self.around.handle_async_request(request)).aclose()
            return await self.around.handle_async_request(request)

    nested = way.tap(Again(way.tap(way.inner(lambda _: way.response(PIECES)), inner)), outer)
    client = way.client(nested)
    for _ in range(2):  # and the mark is gone after each
        await way.send(client, way.request())
    assert outer.flush(10)
    assert inner.flush(10)
    assert [record.attempt for record in kept] == [1, 1]
    assert not kept_inside


@every_way
async def test_the_same_request_again_is_another_attempt(way, tapped):
    client, recorder, kept = tapped(lambda _: way.response(PIECES))
    request = way.request()
    for _ in range(3):
        await way.send(client, request)
    await way.send(client, way.request())
    assert recorder.flush(10)
    assert [record.attempt for record in kept] == [1, 2, 3, 1]
    assert [start.first for start in kept.starts] == [None, "the first", "the first", None]


@every_way
async def test_a_redirect_is_another_attempt(way, tapped):
    def answer(request):
        if request.url.path == "/old/v1/chat/completions":
            return way.response(status=307, headers={"location": "/v1/chat/completions"})
        return way.response(PIECES)

    client, recorder, kept = tapped(answer, follow_redirects=True)
    await way.send(client, way.request("https://api.mistral.ai/old/v1/chat/completions"))
    assert recorder.flush(10)
    assert [(record.status, record.attempt) for record in kept] == [(307, 1), (200, 2)]
    assert kept.starts[1].first == "the first"


@every_async_way
async def test_a_request_sent_twice_at_a_time_is_two_calls(way):
    """As by a client that hedges."""
    recorder, kept = recording()
    both = []
    together = anyio.Event()

    async def answer(_):
        both.append(1)
        if len(both) == 2:
            together.set()
        await together.wait()
        return way.response(PIECES)

    tap = way.tap(way.tap(way.inner(answer), recorder), recorder)
    client, request = way.client(tap), way.request()
    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(way.send, client, request)
    assert recorder.flush(10)
    assert sorted(record.attempt for record in kept) == [1, 2]


@every_way
async def test_an_upload_goes_by_unread(way, tapped):
    """Of a form its text fields are kept, and the names of its files; of files, nothing."""
    sent = []

    class Watched(io.BytesIO):
        def read(self, *args):
            sent.append("read")
            return super().read(*args)

    async def sending(request):
        assert not sent
        sent.append(await request.aread())
        return way.response((b'{"text":"Hello","model":"m"}',))

    def answer(request):
        if way.is_async:
            return sending(request)
        assert not sent
        sent.append(request.read())
        return way.response((b'{"text":"Hello","model":"m"}',))

    client, recorder, kept = tapped(answer)
    request = way.request(
        "https://api.mistral.ai/v1/audio/transcriptions",
        json=None,
        data={
            "model": "voxtral-mini-latest",
            "language": "fr",
            "timestamp_granularities": ["segment", "word"],
        },
        files={"file": ("speech.wav", Watched(b"RIFF-and-the-rest"), "audio/wav")},
    )
    await way.send(client, request)
    assert b"RIFF-and-the-rest" in sent[-1]
    record = only(recorder, kept)
    assert record.input.model == "voxtral-mini-latest"
    assert record.input.parameters["timestamp_granularities"] == ["segment", "word"]
    assert "RIFF" not in repr(record)


@every_way
async def test_a_body_from_an_iterator_goes_by_unread(way, tapped):
    pulled = []

    def pieces():
        for piece in (b'{"model":', b'"m"}'):
            pulled.append(piece)
            yield piece

    async def async_pieces():
        for piece in pieces():
            yield piece

    async def sending(request):
        assert not pulled
        return way.response((await request.aread(),))

    def answer(request):
        if way.is_async:
            return sending(request)
        assert not pulled
        return way.response((request.read(),))

    client, recorder, kept = tapped(answer)
    request = way.request(json=None, content=async_pieces() if way.is_async else pieces())
    response = await way.send(client, request)
    assert response.content == b'{"model":"m"}'
    record = only(recorder, kept)
    assert record.input.model is None
    assert record.request_bytes is None


FORMS = {
    "no list": "text",
    "fields of another kind": [object()],
    "bytes": [type("Field", (), {"name": "model", "value": b"m\xff"})()],
}


@every_way
@pytest.mark.parametrize("fields", FORMS.values(), ids=FORMS)
async def test_a_form_of_another_shape(way, tapped, fields):
    client, recorder, kept = tapped(lambda _: way.response(PIECES))
    request = way.request(json=None, content=None)
    request.stream = way.body(())
    request.stream.fields = fields
    del request._content
    await way.send(client, request)
    only(recorder, kept)


@every_way
async def test_headers_are_kept_by_a_list_of_names(way, tapped):
    answered = [
        ("Content-Type", "application/json"),
        ("MISTRAL-CORRELATION-ID", "one"),
        ("mistral-correlation-id", "two"),
        ("x-ratelimit-remaining-tokens-minute", "7"),
        ("X-RateLimit-Limit-Tokens-Minute", "9"),
        ("x-envoy-upstream-service-time", "12"),
        ("set-cookie", f"session={KEY}"),
        ("x-surprise", KEY),
    ]
    client, recorder, kept = tapped(lambda _: way.response((b"{}",), headers=answered))
    await way.send(client, way.request(headers={"cookie": f"session={KEY}", "x-mine": KEY}))
    record = only(recorder, kept)
    assert record.server.correlation_id == "one"
    assert record.server.ratelimit == {"remaining-tokens-minute": 7, "limit-tokens-minute": 9}
    assert record.server.upstream_ns == 12_000_000
    assert KEY not in repr(record)


@every_way
async def test_headers_that_the_caller_changes_later_were_what_they_were(way):
    """Who passes an answer on takes its encoding away."""
    recorder, kept = recording()
    body = gzip.compress(b'{"id":"1"}')
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    client = way.client(
        way.tap(way.inner(lambda _: way.response((body,), headers=headers)), recorder)
    )
    response = await way.send(client, way.request(), stream=True)
    del response.headers["content-encoding"]
    assert [piece async for piece in way.raw(response)] == [body]
    assert only(recorder, kept).output.id == "1"


@every_way
async def test_names_of_headers_are_remembered_up_to_a_limit(way, tapped):
    headers = [(f"x-{number}", "1") for number in range(3000)]
    headers.append(("mistral-correlation-id", "last"))
    client, recorder, kept = tapped(lambda _: way.response((b"{}",), headers=headers))
    await way.send(client, way.request())
    assert only(recorder, kept).server.correlation_id == "last"


SECRETS = {
    "a bearer's token": {"headers": {"authorization": f"Bearer {KEY}"}},
    "a token with a line end": {"headers": {"authorization": f"Bearer {KEY}\n"}},
    "an API key": {"headers": {"x-api-key": KEY}},
    "Azure's key": {"headers": {"api-key": KEY}},
    "a gateway's key": {"headers": {"Ocp-Apim-Subscription-Key": KEY}},
    "a client's secret": {"headers": {"cf-access-client-secret": KEY}},
    "a proxy's": {"headers": {"proxy-authorization": f"Basic {KEY}"}},
    "in the query": {"params": {"api_key": KEY, "page": "1"}},
    "in the query, a signature": {"params": {"sig": KEY}},
    "in the query, a token": {"params": {"access_token": KEY}},
}


@every_way
@pytest.mark.parametrize("options", SECRETS.values(), ids=SECRETS)
async def test_a_secret_is_struck_out_wherever_it_comes_back(way, tapped, caplog, options):
    """Servers echo keys in errors, callers in messages, h11 in what it raises."""
    echo = {"message": f"wrong key {KEY}", "type": "unauthorized", "code": KEY}

    def failing(_):
        raise way.http.LocalProtocolError(f"Illegal header value b'Bearer {KEY}\\n'")

    answers = [
        lambda _: way.response((json.dumps(echo).encode(),), status=401),
        lambda _: way.response((f"data: {json.dumps({'error': echo})}\n\n".encode(),)),
        failing,
    ]

    def answer(request):
        return answers.pop(0)(request)

    client, recorder, kept = tapped(answer)
    asked = ASKED | {"messages": [{"role": "user", "content": f"my key is {KEY}"}], "api_key": KEY}
    for _ in range(2):
        await way.send(client, way.request(json=asked, **options))
    with pytest.raises(way.http.LocalProtocolError):
        await way.send(client, way.request(json=asked, **options))
    assert recorder.flush(10)
    assert [record.failure is not None for record in kept] == [True, True, True]
    assert KEY not in repr(list(kept))
    assert KEY not in caplog.text


@every_way
async def test_a_trace_extension_is_ours_only_while_we_send(way, tapped):
    during = []
    client, recorder, kept = tapped(
        lambda request: during.append(request.extensions["trace"]) or way.response(PIECES)
    )
    request = way.request()
    await way.send(client, request)
    assert callable(during[0])
    assert "trace" not in request.extensions
    only(recorder, kept)


@every_way
async def test_a_trace_extension_that_is_there_is_called_as_before(way):
    recorder, _ = recording()
    calls, results = [], []

    def trace(name, info):
        calls.append((name, info))
        return "given back"

    async def async_trace(name, info):
        return trace(name, info)

    theirs = async_trace if way.is_async else trace

    async def answer_async(request):
        results.append(await request.extensions["trace"]("a.b.started", {"x": 1}))
        return way.response(PIECES)

    def answer(request):
        if way.is_async:
            return answer_async(request)
        results.append(request.extensions["trace"]("a.b.started", {"x": 1}))
        return way.response(PIECES)

    request = way.request(extensions={"trace": theirs})
    await way.handle(way.tap(way.inner(answer), recorder), request)
    assert calls == [("a.b.started", {"x": 1})]
    assert results == ["given back"]
    assert request.extensions["trace"] is theirs


@every_way
async def test_a_trace_extension_that_is_set_inside_stays(way, tapped):
    def answer(request):
        request.extensions["trace"] = print
        return way.response(PIECES)

    client, recorder, kept = tapped(answer)
    request = way.request()
    await way.send(client, request)
    assert request.extensions["trace"] is print
    only(recorder, kept)


@every_way
async def test_phases_can_be_switched_off(way):
    recorder, kept = recording(phases=False)
    seen = []
    tap = way.tap(
        way.inner(lambda request: seen.append("trace" in request.extensions) or way.response()),
        recorder,
    )
    await way.close(await way.handle(tap, way.request()))
    assert seen == [False]
    only(recorder, kept)


@every_way
async def test_an_answer_over_the_limit_is_dropped_from_its_middle(way):
    recorder, kept = recording(limit_bytes=4000)
    pieces = [PIECES[0]] * 100 + [PIECES[1]]
    client = way.client(way.tap(way.inner(lambda _: way.response(pieces)), recorder))
    response = await way.send(client, way.request())
    assert response.content == b"".join(pieces)
    record = only(recorder, kept)
    assert record.response_bytes == len(response.content)
    assert record.stream.completed
    assert "dropped" in " ".join(record.notes)


@every_way
async def test_bodies_that_carry_credentials_are_not_looked_at(way, tapped):
    secret = b'{"secret":"whsec-0123456789"}'
    client, recorder, kept = tapped(lambda _: way.response((secret,)))
    url = "https://api.mistral.ai/v1/webhooks"
    response = await way.send(client, way.request(url, json=json.loads(secret)))
    assert response.content == secret
    record = only(recorder, kept)
    assert record.response_bytes == len(secret)
    assert "whsec" not in repr(record)


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_small_body_that_stands_for_a_large_one_is_never_all_there(library):
    brotli = pytest.importorskip("brotli")
    bomb = brotli.compress(bytes(64 << 20), quality=5)
    assert len(bomb) < 1000
    decode = importlib.import_module(f"interceptor.transports.{library}").Transport._decode
    sizes = [len(piece) for piece in decoded(("br",), [bomb], decode)]
    assert sum(sizes) == 64 << 20
    assert max(sizes) <= 32 << 20


@pytest.mark.parametrize("library", LIBRARIES)
def test_an_encoding_that_the_library_does_not_know(library):
    decode = importlib.import_module(f"interceptor.transports.{library}").Transport._decode
    with pytest.raises(LookupError, match="rot13"):
        list(decode("rot13", [b"body"]))
