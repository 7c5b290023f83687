"""A policy made for records, applied to what an observed function was given and gave."""

import msgspec
import pytest

from interceptor.dialects.observed import ABSENT
from interceptor.redaction import mapped
from interceptor.said import Said, redacted

SAID = Said({"a": "one", "b": ["two", {"c": "three"}], "n": 4}, ["five", None], "six")


def apply(policy, said=SAID):
    return redacted(said, policy, operation="invoke_workflow", started_unix_ns=7)


def test_without_a_policy_all_is_as_it_was():
    assert apply(None) == (SAID, ())


def test_texts_come_back_in_their_places():
    said, notes = apply(lambda record: mapped(record, str.upper))
    assert said == Said({"a": "ONE", "b": ["TWO", {"c": "THREE"}], "n": 4}, ["FIVE", None], "SIX")
    assert notes == ()


def test_a_policy_is_told_what_it_looks_at():
    seen = []
    apply(lambda record: seen.append(record) or record)
    (record,) = seen
    assert (record.endpoint, record.operation) == ("observe", "invoke_workflow")
    assert record.times.started_unix_ns == 7
    assert [part.content for part in record.input.messages[0].parts] == ["one", "two", "three"]
    assert [part.content for part in record.output.messages[0].parts] == ["five"]
    assert record.failure.message == "six"


def without_a_message(record):
    return msgspec.structs.replace(record, failure=None)


def without_a_part(record):
    (message,) = record.input.messages
    shorter = msgspec.structs.replace(message, parts=message.parts[1:])
    asked = msgspec.structs.replace(record.input, messages=(shorter,))
    return msgspec.structs.replace(record, input=asked)


def test_a_policy_may_strike_out_the_error():
    assert apply(without_a_message)[0].message is None


def test_a_policy_that_leaves_a_text_out_leaves_nothing():
    assert apply(without_a_part) == (None, ())


@pytest.mark.parametrize("value", [ABSENT, None, 5, "text"])
def test_what_was_not_said_stays_so(value):
    said, _ = apply(lambda record: record, Said(value, ABSENT))
    assert said == Said(value, ABSENT)
