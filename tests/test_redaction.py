"""What a policy strikes out of a record, and what is left where a policy fails."""

import msgspec
import pytest

from interceptor.errors import SettingsError
from interceptor.record import (
    Blob,
    Failure,
    FileRef,
    Generic,
    Input,
    Link,
    Message,
    Output,
    Reasoning,
    Record,
    Text,
    Times,
    ToolCall,
    ToolResult,
    ToolRun,
    Usage,
)
from interceptor.redaction import mapped, policy, redact, without_content

WORD = "secret"
PARTS = (
    Text(WORD),
    Reasoning(WORD),
    ToolCall("call-1", "lookup", f'{{"who":"{WORD}"}}'),
    ToolResult("call-1", WORD),
    Generic("new", f'{{"new":"{WORD}"}}'),
    Generic("silent"),
    Blob(modality="image", sha256="0" * 64, name=f"{WORD}.png"),
    Blob(modality="image"),
    Link("image", f"https://host.example/{WORD}"),
    FileRef("image", "file-1"),
)
RECORD = Record(
    endpoint="chat.completions",
    operation="chat",
    times=Times(started_unix_ns=1, ended_after_ns=2),
    input=Input(
        model="m",
        messages=(Message(role="user", name=WORD, parts=PARTS), Message(role="user")),
        system=(Text(WORD),),
        tools=f'[{{"description":"{WORD}"}}]',
        stop=(WORD,),
        parameters={"metadata": {"who": [WORD, 1, None]}},
    ),
    output=Output(
        id="1",
        messages=(Message(role="assistant", parts=PARTS, finish_reason="stop"),),
        guardrails=f'[{{"found":"{WORD}"}}]',
    ),
    usage=Usage(input_tokens=3),
    failure=Failure(kind="429", message=WORD),
    tool_runs=(ToolRun(name="search", id="2", arguments=WORD, result=WORD),),
)
BARE = Record(endpoint="other", operation="other", times=Times(started_unix_ns=0))


def said(record):
    return msgspec.json.encode(record).decode()


def raising(record):
    raise KeyboardInterrupt


def test_without_a_policy_a_record_is_as_it_was():
    assert redact(RECORD, None) is RECORD


def test_a_policy_gives_the_record_to_keep():
    assert redact(RECORD, lambda record: BARE) is BARE


def test_a_policy_that_gives_nothing_keeps_counts_and_times():
    assert redact(RECORD, lambda record: None) == without_content(RECORD)


FAILING = {
    "raises": (lambda record: 1 / 0, "the redact policy raised ZeroDivisionError: words left out"),
    "raises what nobody catches": (
        raising,
        "the redact policy raised KeyboardInterrupt: words left out",
    ),
    "gives another thing": (
        lambda record: "record",
        "the redact policy gave a str: words left out",
    ),
}


@pytest.mark.parametrize(("failing", "note"), FAILING.values(), ids=FAILING)
def test_a_policy_that_fails_keeps_no_words(failing, note):
    kept = redact(RECORD, failing)
    assert kept == msgspec.structs.replace(without_content(RECORD), notes=(note,))


def test_a_record_without_content_has_no_words_left():
    kept = without_content(RECORD)
    assert WORD not in said(kept)
    assert (kept.input.model, kept.output.id, kept.usage, kept.times) == (
        "m",
        "1",
        RECORD.usage,
        RECORD.times,
    )
    assert [run.name for run in kept.tool_runs] == ["search"]


def test_every_text_is_mapped():
    assert WORD in said(RECORD)
    changed = mapped(RECORD, lambda text: text.replace(WORD, "***"))
    assert said(changed) == said(RECORD).replace(WORD, "***")


def test_a_record_without_texts_is_mapped_to_itself():
    assert mapped(BARE, str.upper) == BARE


MASKED = {
    "an address": ("write to ann.o+list@mail.example.org.", "write to [email]."),
    "two addresses": ("<a@b.example>,c-d@e.example", "<[email]>,[email]"),
    "an account": ("IBAN FR76 3000 6000 0112 3456 7890 189, please", "IBAN [iban], please"),
    "an account in one piece": ("DE89370400440532013000", "[iban]"),
    "a card": ("card 4111 1111 1111 1111.", "card [card]."),
    "a card in one piece": ("378282246310005", "[card]"),
    "a number abroad": ("call +33 1 42 68 53 00 now", "call [phone] now"),
    "a number abroad, with brackets": ("+44 (0)20 7946 0958", "[phone]"),
    "a number at home": ("Tel. 030/901820-12 or (030) 9018 2012", "Tel. [phone] or [phone]"),
    "a number at home, in pairs": ("Appelez 01 42 68 53 00.", "Appelez [phone]."),
    "a number in America": ("(555) 123-4567, 555-123-4567.", "[phone], [phone]."),
}
KEPT = (
    "2026-11-22",
    "02.11.2026 10:00:00",
    "02-11-2026, 03/2026",
    "2026-11-22T10:00:00.123456Z",
    "192.168.100.200",
    "version 10.20.30",
    "1,234,567.89",
    "1700000000000000001",  # nanoseconds, and no card by its check digit
    "0.12345678901234",
    "a @ b",
    "3.14159265358979",
)


@pytest.mark.parametrize(("text", "masked"), MASKED.values(), ids=MASKED)
def test_pii_masks(text, masked):
    assert said(redact(spoken(text), policy("pii"))) == said(spoken(masked))


@pytest.mark.parametrize("text", KEPT)
def test_pii_keeps(text):
    assert redact(spoken(text), policy("pii")) == spoken(text)


def spoken(text):
    asked = Input(messages=(Message(role="user", parts=(Text(text),)),))
    return msgspec.structs.replace(BARE, input=asked)


@pytest.mark.parametrize("one", ["a", "1", "a.", "+1 ", "A0", "a@", "(0"])
def test_pii_takes_a_long_text_in_its_stride(one):
    text = one * (400_000 // len(one))  # with an open repetition this would take minutes
    assert redact(spoken(text), policy("pii")) == spoken(text)


def test_a_policy_is_a_function_or_a_name():
    assert policy(None) is None
    assert policy(without_content) is without_content
    assert policy("pii") is not None
    with pytest.raises(SettingsError) as caught:
        policy("gdpr")
    assert str(caught.value) == (
        "redact is 'gdpr'; use a function from Record to Record, or one of: pii"
    )
