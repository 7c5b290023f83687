"""Every recorded exchange is read as its `record.json` says.

`pytest tests/test_fixtures.py --bless` writes what is read there instead: look at the difference.
"""

import json

import pytest

from interceptor.endpoints import TABLE
from interceptor.reading import read
from interceptor.record import Usage
from interceptor.replay.fixtures import all_fixtures
from tests.recorded_exchanges import CREDENTIAL, as_json, of_fixture

FIXTURES = {fixture.name: fixture for fixture in all_fixtures()}
SECRETS = (CREDENTIAL, "an-invented-client-secret", "an-invented-secret")
UNKEPT = ("an invented input", "an invented thought", "You are the harbour office", "Name a knot")


def lines(value):
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


@pytest.mark.parametrize("fixture", FIXTURES.values(), ids=FIXTURES)
def test_a_fixture_is_read_as_its_record_says(fixture, bless):
    record = lines(as_json(read(of_fixture(fixture))))
    path = fixture.folder / "record.json"
    if bless:
        path.write_text(record, "utf-8")
    assert record == path.read_text("utf-8")


@pytest.mark.parametrize("fixture", FIXTURES.values(), ids=FIXTURES)
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_packets_do_not_matter(fixture, size):
    body = fixture.response.body
    pieces = [body[i : i + size] for i in range(0, len(body), size)]
    whole, cut = read(of_fixture(fixture)), read(of_fixture(fixture, pieces))
    for field in ("input", "output", "usage", "failure", "tool_runs", "handoffs", "notes"):
        assert getattr(cut, field) == getattr(whole, field)


@pytest.mark.parametrize("fixture", FIXTURES.values(), ids=FIXTURES)
def test_no_secret_is_read(fixture):
    said = repr(read(of_fixture(fixture)))
    assert not [secret for secret in SECRETS if secret in said]


# Their total counts the classifier's own prompt, which nobody else is told of.
MODERATIONS = ("moderations", "chat.moderations")


@pytest.mark.parametrize("fixture", FIXTURES.values(), ids=FIXTURES)
def test_usage_is_what_can_be(fixture):
    """What is invented is to be believed: the input has the cached in it, and totals are sums."""
    record = read(of_fixture(fixture))
    for used in (record.usage or Usage(), *record.usage_by_model.values()):
        of_input, of_output = used.input_tokens or 0, used.output_tokens or 0
        assert (used.cache_read_tokens or 0) + (used.cache_write_tokens or 0) <= of_input
        assert (used.reasoning_tokens or 0) <= of_output
        # Of audio, the prompt's tokens leave out what was heard.
        parts = of_input + of_output + (used.audio_tokens or 0) + (used.connector_tokens or 0)
        if record.endpoint in MODERATIONS:
            assert used.total_tokens >= parts
        else:
            assert (used.total_tokens or 0) == parts


@pytest.mark.parametrize(
    "name",
    ["agents.crud/created", "batch.jobs/created", "client.sessions/created", "other/unknown"],
)
def test_what_runs_no_model_is_read_without_words(name):
    record = read(of_fixture(FIXTURES[name]))
    assert not record.input.messages + record.output.messages
    assert not [words for words in UNKEPT if words in repr(record)]


def test_every_endpoint_that_runs_a_model_has_a_fixture():
    inference = {row.name for row in TABLE if row.is_inference}
    assert inference <= {name.partition("/")[0] for name in FIXTURES}
