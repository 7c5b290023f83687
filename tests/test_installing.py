"""Taps in clients that exist and in all that will, over real sockets and both HTTP libraries."""

import asyncio
import copy
import dataclasses
import gc
import importlib
import logging
import os
import subprocess
import sys
import textwrap
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import interceptor
from interceptor import testing
from interceptor.errors import TransportError
from interceptor.installing import arming, boot
from interceptor.installing.clients import live_clients
from interceptor.installing.identity import ByIdentity
from interceptor.installing.otel import Instrumentor
from interceptor.installing.turns import turn
from interceptor.replay import Server
from tests.ways import ASKED, LIBRARIES, Way

WAYS = [Way(library, is_async) for library in LIBRARIES for is_async in (False, True)]
every_way = pytest.mark.parametrize("way", WAYS, ids=str)
every_library = pytest.mark.parametrize("library", LIBRARIES)

CHAT = "/v1/chat/completions"
AGENT = {"user-agent": "mistral-client-python/3.7.0"}


@pytest.fixture(scope="module")
def server():
    with Server.of("chat.completions/plain") as one:
        yield one


@pytest.fixture(autouse=True)
def _uninstalled():
    yield
    interceptor.uninstall()


def make(way, **options):
    """Make a client; it will see no certificate, and does not load those it could check one by."""
    kind = way.http.AsyncClient if way.is_async else way.http.Client
    return kind(**{"verify": False} | options)


def ask(client, url, headers=AGENT, **options):
    """Send a question through a client, sync or async, and give the answer's status.

    Connections are closed: an async one belongs to a loop that the next question has no more.
    """
    transports = [client._transport, *filter(None, client._mounts.values())]
    if not hasattr(client, "aclose"):
        answer = client.post(url, json=ASKED, headers=headers, **options)
        for transport in transports:
            transport.close()
        return answer.status_code

    async def asked():
        answer = await client.post(url, json=ASKED, headers=headers, **options)
        for transport in transports:
            await transport.aclose()
        return answer.status_code

    return asyncio.run(asked())


def records(client, url, **options):
    """Give how often a question is recorded."""
    with testing.recorded() as found:
        assert ask(client, url, **options) == 200
    return len(found)


# Every client from now on


@every_way
def test_a_client_made_afterwards_is_recorded(way, server):
    interceptor.install()
    assert records(make(way), server.url + CHAT) == 1


@every_way
def test_it_builds_the_librarys_own_transports(way):
    interceptor.install()
    kind = way.http.AsyncHTTPTransport if way.is_async else way.http.HTTPTransport
    transport = make(way)._transport
    assert isinstance(transport, kind)
    assert type(transport) is not kind
    assert type(transport).__name__ == kind.__name__


@every_way
def test_a_client_made_before_is_left_alone(way, server):
    client = make(way)
    interceptor.install()
    assert records(client, server.url + CHAT) == 0


@every_way
def test_a_client_made_before_is_found_where_that_is_asked_for(way, server):
    client = make(way)
    interceptor.install(existing=True)
    assert records(client, server.url + CHAT) == 1


@every_way
def test_a_transport_of_the_users_own_is_left_alone(way, server):
    interceptor.install()
    client = make(way, transport=way.real())
    assert records(client, server.url + CHAT) == 0


MISTRALS = {
    "the SDK's": ("mistral-client-python/1.0.0", 1),
    "its Azure client's, 2 and 3": ("speakeasy-sdk/python 2.2.0 2.935.1 1.0.0 mistralai-azure", 1),
    "its Azure client's, 1": ("speakeasy-sdk/python 1.8.1 2.794.1 1.0.0 mistralai_azure", 1),
    "its Google client's": ("speakeasy-sdk/python 2.2.0 2.935.1 1.0.0 mistralai-gcp", 1),
    "another generated client's": ("speakeasy-sdk/python 2.2.0 2.935.1 1.0.0 other", 0),
    "anybody's": ("python-httpx/0.28.1", 0),
}


@pytest.mark.parametrize(("agent", "count"), MISTRALS.values(), ids=MISTRALS)
def test_a_request_is_mistrals_by_its_user_agent(server, agent, count):
    interceptor.install()
    client = make(Way(LIBRARIES[-1]))
    assert records(client, f"{server.url}/any/prefix{CHAT}", headers={"user-agent": agent}) == count


HOSTS = {
    "Mistral's": ("http://api.mistral.ai", "", 1),
    "a region's": ("http://api.eu.mistral.ai", "", 1),
    "one that only looks so": ("http://api.mistral.ai.example.org", "", 0),
    "another": ("http://llm.example.org", "", 0),
    "one of the setting": ("http://llm.example.org", "other.net, *.example.org", 1),
}


@pytest.mark.parametrize(("host", "hosts", "count"), HOSTS.values(), ids=HOSTS)
def test_a_request_is_mistrals_by_its_host(server, monkeypatch, host, hosts, count):
    monkeypatch.setenv("HTTP_PROXY", server.url)  # it answers for any host
    monkeypatch.setenv("INTERCEPTOR_HOSTS", hosts)
    interceptor.install()
    program = f"""
        import interceptor, {LIBRARIES[-1]} as http
        interceptor.install()
        interceptor.configure(destinations=())
        http.post("{host}{CHAT}", json={{}})
        interceptor.flush()
        print(len(interceptor.search()))
    """
    assert run(program) == str(count)


@every_way
def test_the_environments_proxies_are_recorded(way, server, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.setenv("NO_PROXY", "direct.example.org")
    interceptor.install()
    client = make(way)
    before = len(server.requests)
    assert records(client, f"http://api.mistral.ai{CHAT}", headers={}) == 1
    (request,) = server.requests[before:]
    assert request.path == f"http://api.mistral.ai{CHAT}"
    assert {type(one).__name__ for one in client._mounts.values()} == {
        type(client._transport).__name__,
        "NoneType",
    }


@every_library
def test_other_requests_load_nothing_of_ours(server, library):
    program = f"""
        import sys, interceptor, {library} as http
        interceptor.install()
        with http.Client() as client:
            assert client.get("{server.url}/elsewhere").status_code == 404
        loaded = ("interceptor.recorder", "interceptor.transports", "opentelemetry.sdk", "sqlite3")
        print(*(name for name in loaded if name in sys.modules))
    """
    assert run(program, env=unmeasured()) == ""


# Undoing


@every_library
def test_two_names_are_rebound_and_bound_back(library):
    public = importlib.import_module(library)
    private = importlib.import_module(f"{library}._client")
    before = dict(vars(private))
    public_before = dict(vars(public))
    interceptor.install()
    changed = {name for name in before if vars(private)[name] is not before[name]}
    assert changed == {"HTTPTransport", "AsyncHTTPTransport"}
    assert vars(public) == public_before
    interceptor.uninstall()
    assert vars(private) == before
    assert not boot.is_started()


def test_a_name_that_somebody_else_has_rebound_since_stays_so(monkeypatch):
    private = importlib.import_module(f"{LIBRARIES[0]}._client")
    monkeypatch.setattr(private, "HTTPTransport", private.HTTPTransport)  # to be bound back to it
    interceptor.install()
    private.HTTPTransport = theirs = type("Theirs", (private.HTTPTransport,), {})
    interceptor.uninstall()
    assert private.HTTPTransport is theirs


@every_library
def test_names_that_are_not_what_they_were_change_nothing(library, monkeypatch, caplog):
    private = importlib.import_module(f"{library}._client")
    theirs = type("HTTPTransport", (), {})
    monkeypatch.setattr(private, "HTTPTransport", theirs)
    before = dict(vars(private))
    with caplog.at_level(logging.WARNING, logger="interceptor"):
        interceptor.install()
    assert vars(private) == before
    (warning,) = caplog.messages
    assert warning.startswith(f"{library}._client.HTTPTransport is <class")
    assert not arming.is_armed(library)


DONE_BY = {
    "install": interceptor.install,
    "install, existing": lambda: interceptor.install(existing=True),
    "uninstall": interceptor.uninstall,
}


@every_way
@settings(deadline=None, max_examples=30)
@given(
    is_born_late=st.booleans(),
    steps=st.lists(st.sampled_from([*DONE_BY, "instrument", "uninstrument"]), max_size=7),
)
def test_every_order_of_doing_and_undoing(way, server, is_born_late, steps):
    """A call is recorded once while anything taps its client, and never afterwards."""
    interceptor.uninstall()
    if is_born_late:
        interceptor.install()
    client = make(way, mounts={"all://elsewhere": None})
    before = client._transport, dict(client._mounts)
    is_installed, is_known, is_by_hand = is_born_late, is_born_late, False
    for step in steps:
        if step == "instrument":
            assert interceptor.instrument(client) is client
        elif step == "uninstrument":
            interceptor.uninstrument(client)
        else:
            DONE_BY[step]()
        is_by_hand = {"instrument": True, "uninstrument": False}.get(step, is_by_hand)
        is_installed = {"uninstall": False}.get(step, is_installed or step.startswith("install"))
        is_known = is_known or step == "install, existing"
        assert records(client, server.url + CHAT) == (is_by_hand or (is_installed and is_known))
    interceptor.uninstrument(client)
    interceptor.uninstall()
    assert (client._transport, client._mounts) == before


def a_dataclass(kind):
    """Give a class of clients that are equal to their like, and have no hash."""

    class Named(kind):
        name: str

        def __post_init__(self):
            kind.__init__(self, verify=False)

    return dataclasses.dataclass(Named)


@every_way
def test_clients_that_are_equal_and_have_no_hash_are_told_apart(way, server):
    kind = a_dataclass(way.http.AsyncClient if way.is_async else way.http.Client)
    one, other = clients = kind("same"), kind("same")
    assert one == other
    before = [client._transport for client in clients]
    interceptor.instrument(one)
    interceptor.instrument(other)
    interceptor.uninstrument(one)
    assert [records(client, server.url + CHAT) for client in clients] == [0, 1]
    interceptor.install(existing=True)
    assert [records(client, server.url + CHAT) for client in clients] == [1, 1]
    interceptor.uninstall()
    interceptor.uninstrument(other)
    assert [client._transport for client in clients] == before


def test_a_client_that_has_gone_is_forgotten():
    client = make(Way(LIBRARIES[0]))
    found = ByIdentity()
    assert found.of(client, list) is found.of(client, list)
    assert [*found] == [client]
    del client
    gc.collect()
    assert [*found] == []
    assert not found


@every_way
def test_a_client_that_is_still_being_made_is_left_alone(way, server):
    kind = way.http.AsyncClient if way.is_async else way.http.Client
    unmade, made = kind.__new__(kind), make(way)
    interceptor.install(existing=True)
    assert vars(unmade) == {}
    assert records(made, server.url + CHAT) == 1


@every_way
def test_a_client_of_a_class_that_derives_from_one_of_another_is_found(way, server):
    kind = way.http.AsyncClient if way.is_async else way.http.Client
    client = type("Inner", (type("Outer", (kind,), {}),), {})(verify=False)
    interceptor.install(existing=True)
    assert records(client, server.url + CHAT) == 1


def test_looking_for_clients_does_not_hold_what_other_threads_are_making():
    """A tuple that somebody else refers to before it is complete cannot be completed."""
    looked, failures = threading.Event(), []

    def make_tuples():
        while not looked.is_set():
            try:
                tuple(number for number in range(300))
            except SystemError as error:
                failures.append(error)

    client = make(Way(LIBRARIES[0]))
    threads = [threading.Thread(target=make_tuples) for _ in range(2)]
    for thread in threads:
        thread.start()
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for _ in range(10):
            assert client in live_clients()
    finally:
        sys.setswitchinterval(before)
        looked.set()
        for thread in threads:
            thread.join()
    assert failures == []


@every_way
def test_a_client_with_what_is_no_transport_is_left_as_it_is(way, server, caplog):
    neither = object()
    broken, whole = make(way, mounts={"all://elsewhere": neither}), make(way)
    before = broken._transport
    with pytest.raises(TransportError, match=r"cannot wrap builtins\.object"):
        interceptor.instrument(broken)
    interceptor.install(existing=True)
    assert (broken._transport, [*broken._mounts.values()]) == (before, [neither])
    assert records(whole, server.url + CHAT) == 1
    assert "a client is left as it is: " in caplog.text


@every_way
def test_threads_that_do_and_undo_at_once_leave_no_tap(way, server):
    client = make(way)
    before = client._transport

    def do_and_undo(number):
        interceptor.install(existing=number % 3 == 0)
        interceptor.instrument(client)
        interceptor.uninstrument(client)
        interceptor.uninstall()

    switching = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(do_and_undo, range(300)))
    finally:
        sys.setswitchinterval(switching)
    assert not boot.is_started()
    assert client._transport is before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks there")
def test_a_child_takes_its_turn_whoever_had_it_in_the_parent():
    held, forked = threading.Event(), threading.Event()

    def hold():
        with turn():
            held.set()
            forked.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    child = os.fork()
    if not child:
        os._exit(0 if turn().acquire(timeout=5) else 1)
    forked.set()
    thread.join()
    assert os.waitpid(child, 0)[1] == 0


class Theirs:
    """A transport of somebody else's around another."""

    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        return getattr(self.inner, name)


@every_way
def test_a_tap_that_is_wrapped_by_others_is_put_off(way, server):
    client = make(way)
    interceptor.instrument(client)
    client._transport = theirs = Theirs(client._transport)
    interceptor.uninstrument(client)
    assert client._transport is theirs
    assert records(client, server.url + CHAT) == 0
    interceptor.instrument(client)
    assert records(client, server.url + CHAT) == 1


@every_way
def test_a_tap_that_others_have_given_a_method_is_put_off(way, server):
    """As OpenTelemetry's instrumentation of one client does."""
    client = make(way)
    interceptor.instrument(client)
    method = "handle_async_request" if way.is_async else "handle_request"
    tap, sent = client._transport, []
    handle = getattr(tap, method)
    setattr(tap, method, lambda request: sent.append(request) or handle(request))
    interceptor.uninstrument(client)
    assert client._transport is tap
    assert records(client, server.url + CHAT) == 0
    interceptor.instrument(client)
    assert records(client, server.url + CHAT) == 1
    assert len(sent) == 2
    delattr(tap, method)
    interceptor.uninstrument(client)
    assert records(client, server.url + CHAT) == 0


# One call, one record


@every_way
def test_nested_taps_record_once(way, server):
    interceptor.install()
    client = make(way, transport=interceptor.wrap(interceptor.wrap(make(way)._transport)))
    interceptor.install(existing=True)
    interceptor.instrument(client)
    assert records(client, server.url + CHAT) == 1


@every_way
def test_mounts_are_tapped_and_those_without_a_transport_are_not(way, server):
    transport = way.real()
    client = make(way, mounts={"http://": transport, "https://": transport, "all://x": None})
    interceptor.instrument(client)
    tapped = [one for one in client._mounts.values() if one is not None]
    assert [one.inner for one in tapped] == [transport, transport]
    assert tapped[0] is tapped[1]
    assert None in client._mounts.values()
    assert records(client, server.url + CHAT) == 1


@every_way
def test_an_instrumented_client_records_any_host_by_its_path(way, server):
    client = interceptor.instrument(make(way))
    assert records(client, f"{server.url}/gateway{CHAT}", headers={}) == 1


@every_way
def test_a_client_that_is_dropped_goes_at_once(way, server):
    interceptor.install()
    client = make(way)
    assert records(client, server.url + CHAT) == 1
    gone = weakref.ref(client._transport)
    gc.disable()
    try:
        del client
        assert gone() is None
    finally:
        gc.enable()


@every_way
def test_a_copy_of_a_transport_outlives_it(way, server):
    interceptor.install()
    client = make(way)
    assert records(client, server.url + CHAT) == 1
    copied = make(way, transport=copy.copy(client._transport))
    del client
    assert records(copied, server.url + CHAT) == 1
    interceptor.uninstall()
    assert records(copied, server.url + CHAT) == 0


@every_way
def test_a_client_that_asked_nothing_is_closed_as_ever(way):
    interceptor.install()

    async def enter_and_leave(client):
        async with client:
            pass

    if way.is_async:
        asyncio.run(enter_and_leave(make(way)))
        asyncio.run(make(way).aclose())
        return
    with make(way) as client:
        pass
    assert client.is_closed
    make(way).close()


@every_way
def test_closing_ends_what_is_open(way, server):
    interceptor.install()

    async def leave(client):
        async with client:
            request = client.build_request("POST", server.url + CHAT, json=ASKED, headers=AGENT)
            await client.send(request, stream=True)

    with testing.recorded() as found:
        if way.is_async:
            asyncio.run(leave(make(way)))
        else:
            with make(way) as client:
                request = client.build_request("POST", server.url + CHAT, json=ASKED, headers=AGENT)
                client.send(request, stream=True)
    assert len(found) == 1


def test_a_mistake_of_ours_is_not_the_callers(server, monkeypatch, caplog):
    interceptor.install()
    client = make(Way(LIBRARIES[-1]))
    with testing.recorded() as found, monkeypatch.context() as patched:
        patched.setattr("interceptor.slot.knows", lambda *_: 1 / 0)
        assert ask(client, server.url + CHAT) == 200
    assert found == []
    assert "the call itself is unaffected" in caplog.text


# What cannot be instrumented


def closed(way):
    client = make(way)
    asyncio.run(client.aclose()) if way.is_async else client.close()
    return client


REFUSED = {
    "a transport": (lambda: Way(LIBRARIES[0]).real(), "use interceptor.wrap(transport)"),
    "nothing": (lambda: None, "None is no client; use a Mistral, httpx or httpx2 client"),
    "anything": (object, "builtins.object is none"),
    "a class": (lambda: Way(LIBRARIES[0]).http.Client, "builtins.type is none"),
    "a closed client": (lambda: closed(Way(LIBRARIES[0])), "is closed and sends nothing more"),
    "a closed async client": (lambda: closed(Way(LIBRARIES[0], True)), "is closed"),
}


@pytest.mark.parametrize(("given_", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_instrumented_is_refused(given_, said):
    with pytest.raises(TransportError, match=said.replace("(", r"\(").replace(")", r"\)")):
        interceptor.instrument(given_())


def test_nothing_is_no_client_to_give_back_either():
    with pytest.raises(TransportError, match="None is no client; use a Mistral, httpx or httpx2"):
        interceptor.uninstrument(None)


# Before the library is there


def unmeasured():
    """Give this environment without what has coverage loaded, and with it SQLite."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COV")}


def run(program, **options):
    """Give what a program prints in a process of its own."""
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, **options
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip() + done.stderr.strip()


@every_library
def test_a_library_is_armed_when_it_is_imported(library):
    program = f"""
        import sys, interceptor
        interceptor.install()
        assert "{library}" not in sys.modules
        import {library}, {library}._client
        assert {library}._client.HTTPTransport is not {library}.HTTPTransport
        loader = {library}.__spec__.loader
        assert "exec_module" not in vars(loader) and {library}.__loader__ is loader
        interceptor.uninstall()
        assert {library}._client.HTTPTransport is {library}.HTTPTransport
    """
    assert run(program) == ""


@every_library
def test_our_own_transports_may_be_what_imports_the_library(library):
    program = f"""
        import interceptor
        interceptor.install()
        import interceptor.transports.{library}
        import {library}
        assert type({library}.Client()._transport) is not {library}.HTTPTransport
    """
    assert run(program) == ""


@every_library
def test_a_library_imported_after_uninstall_is_left_alone(library):
    program = f"""
        import interceptor
        interceptor.install()
        interceptor.uninstall()
        import {library}
        assert type({library}.Client()._transport) is {library}.HTTPTransport
    """
    assert run(program) == ""


def test_a_library_that_is_missing_is_missing_as_before():
    program = """
        import sys, interceptor
        interceptor.install()
        sys.meta_path[1:] = []
        try:
            import httpx
        except ModuleNotFoundError as error:
            print(error)
    """
    assert run(program) == "No module named 'httpx'"


def test_a_folder_of_a_librarys_name_is_imported_as_before(tmp_path):
    """It is a package without a loader, where the library itself is not installed."""
    (tmp_path / "httpx2").mkdir()
    program = f"""
        import sys, interceptor
        interceptor.install()
        sys.path[:] = [{str(tmp_path)!r}]
        import httpx2
        print(*httpx2.__path__)
    """
    assert run(program) == str(tmp_path / "httpx2")


def test_a_loader_that_takes_no_attributes_is_said_once():
    program = """
        import sys, interceptor
        from importlib.machinery import ModuleSpec

        class Loader:
            __slots__ = ()
            create_module = exec_module = lambda *_: None

        class Finder:
            def find_spec(self, name, path=None, target=None):
                return ModuleSpec(name, Loader()) if name == "httpx" else None

        interceptor.install()
        sys.meta_path.insert(1, Finder())
        import httpx
    """
    assert run(program).endswith("load; nothing is recorded")


@pytest.mark.skipif(LIBRARIES != ("httpx", "httpx2"), reason="one stands in for the other")
def test_httpx_may_be_httpx2():
    program = """
        import interceptor
        interceptor.install()
        import httpx2
        httpx2.alias_httpx()
        import httpx
        assert httpx is httpx2
        assert type(httpx.Client()._transport) is not httpx2.HTTPTransport
        interceptor.uninstall()
        assert type(httpx.Client()._transport) is httpx2.HTTPTransport
    """
    assert run(program) == ""


@pytest.mark.parametrize(
    ("value", "is_armed"),
    [("1", True), ("true", True), (None, True), ("0", False), ("off", False)],
    ids=str,
)
def test_importing_auto_installs_unless_it_is_off(monkeypatch, value, is_armed):
    monkeypatch.delenv("INTERCEPTOR", raising=False)
    if value is not None:
        monkeypatch.setenv("INTERCEPTOR", value)
    program = "import interceptor.auto, interceptor.installing.boot as b; print(b.is_started())"
    assert run(program) == str(is_armed)


def test_a_library_that_is_not_as_it_was_is_said_and_imported_all_the_same(tmp_path):
    (tmp_path / "httpx.py").write_text("Client = None\n")
    program = "import interceptor; interceptor.install(); import httpx; print(httpx.Client)"
    said = run(program, env=os.environ | {"PYTHONPATH": str(tmp_path)})
    assert said.startswith("None")
    assert "interceptor: httpx could not be armed: ModuleNotFoundError(" in said


def test_opentelemetry_may_take_it_back(monkeypatch):
    monkeypatch.delenv("INTERCEPTOR", raising=False)
    Instrumentor().instrument(tracer_provider=None)
    assert boot.is_started()
    Instrumentor().uninstrument()
    assert not boot.is_started()
    monkeypatch.setenv("INTERCEPTOR", "0")
    Instrumentor().instrument()
    assert not boot.is_started()


# Off means off

OFF = {
    "INTERCEPTOR=0": ({"INTERCEPTOR": "0"}, "pass"),
    "OTEL_SDK_DISABLED": ({"OTEL_SDK_DISABLED": "true"}, "pass"),
    "uninstall": ({}, "interceptor.uninstall()"),
    "uninstrument": ({}, "interceptor.uninstall(); interceptor.uninstrument(client)"),
    "shutdown": ({}, "interceptor.shutdown()"),
}


@pytest.mark.parametrize(("environ", "undo"), OFF.values(), ids=OFF)
@every_library
def test_off_leaves_no_trace(server, tmp_path, monkeypatch, library, environ, undo):
    """Nothing is kept, started or said; of ours, at most the tap's own frame runs for a call."""
    monkeypatch.setenv("INTERCEPTOR_STORE", str(tmp_path / "traces.db"))
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    program = f"""
        import sys, threading
        import interceptor, {library} as http
        interceptor.install()
        clients = [http.Client()]
        client = http.Client(transport=http.HTTPTransport())
        if "uninstall" not in {undo!r}:
            clients.append(http.Client(transport=interceptor.wrap(http.HTTPTransport())))
        if {undo!r} != "interceptor.uninstall()":
            clients.append(interceptor.instrument(client))
        {undo}

        def ask():
            for one in clients:
                one.post("{server.url}{CHAT}", json={{}}, headers={AGENT})

        ask()  # the first call finds out
        frames = []
        def seen(frame, event, _):
            if event == "call" and "/interceptor/" in frame.f_code.co_filename:
                frames.append(frame.f_code.co_name)
        sys.setprofile(seen)
        ask()
        sys.setprofile(None)
        assert len(frames) <= 3 and {{*frames}} <= {{"handle_request"}}, frames
        assert threading.active_count() == 1
        assert "opentelemetry.sdk" not in sys.modules or {undo!r} == "interceptor.shutdown()"
    """
    assert run(program) == ""
    assert list(tmp_path.iterdir()) == []
