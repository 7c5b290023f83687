"""Records for users' own tests."""

import importlib
import importlib.metadata
import os
import subprocess
import sys
import textwrap

import pytest

import interceptor
from interceptor.replay import Server
from interceptor.testing import recorded

http = importlib.import_module(interceptor.transports.sdk_library())
PATH = "/v1/chat/completions"
ASKED = {"model": "mistral-small-latest", "messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture
def server():
    with Server.of("chat.completions/plain", "chat.completions/unauthorized") as server:
        yield server


def client(server):
    return http.Client(
        base_url=server.url, transport=interceptor.wrap(http.HTTPTransport()), timeout=10
    )


def test_a_call_is_in_the_list_as_soon_as_it_has_ended(server):
    with recorded() as records, client(server) as using:
        using.post(PATH, json=ASKED)
        (record,) = records
        assert record.input.model == "mistral-small-latest"
        assert record.usage.total_tokens
        assert record.output.messages[0].parts
        using.post(PATH, json=ASKED)
        assert records[1].failure.kind
        with using.stream("POST", PATH, json=ASKED):
            assert len(records) == 2
        assert len(records) == 3
    assert len(records) == 3


def test_nothing_is_made_of_a_call_but_its_record(server, in_memory):
    with recorded() as records, client(server) as using, interceptor.span("not recorded"):
        using.post(PATH, json=ASKED)
    assert len(records) == 1
    assert interceptor.search() == []
    with client(server) as using:
        using.post(PATH, json=ASKED)
    assert len(interceptor.search()) == len(records) == 1


def test_it_works_where_recording_is_off(server, in_memory):
    interceptor.configure(on=False)
    with recorded() as records, client(server) as using:
        using.post(PATH, json=ASKED)
    assert len(records) == 1
    with client(server) as using:
        using.post(PATH, json=ASKED)
    assert len(records) == 1


def test_a_call_is_in_the_innermost_list(server):
    with recorded() as outer, client(server) as using:
        with recorded() as inner:
            using.post(PATH, json=ASKED)
        assert (len(outer), len(inner)) == (0, 1)
        using.post(PATH, json=ASKED)
        assert (len(outer), len(inner)) == (1, 1)


def test_what_is_open_at_the_end_of_the_block_is_in_the_list(server):
    with client(server) as using:
        with recorded() as records:
            response = using.send(using.build_request("POST", PATH, json=ASKED), stream=True)
        assert len(records) == 1
        response.close()
        assert len(records) == 1


def test_the_fixture_is_such_a_list(server, interceptor_records):
    with client(server) as using:
        using.post(PATH, json=ASKED)
    assert [record.endpoint for record in interceptor_records] == ["chat.completions"]


def test_pytest_finds_the_fixture_by_itself_and_loads_nothing_for_it(tmp_path):
    found = importlib.metadata.entry_points(group="pytest11", name="interceptor")
    assert [point.value for point in found] == ["interceptor.testing.plugin"]
    (tmp_path / "test_users.py").write_text(
        textwrap.dedent("""
            import sys

            def test_loads_nothing():
                assert "interceptor.testing.plugin" in sys.modules
                assert not {"opentelemetry.sdk", "sqlite3", "msgspec"} & set(sys.modules)

            def test_gives_a_list(interceptor_records):
                assert interceptor_records == []
        """)
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:anyio",
        "-p",
        "no:hypothesispytest",
        str(tmp_path),
    ]
    # Coverage would start itself in that interpreter and load what we look for.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    done = subprocess.run(
        command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_other_names_are_none_of_it():
    with pytest.raises(AttributeError, match="no attribute 'replayed'"):
        interceptor.testing.replayed  # noqa: B018 - to look is the test
