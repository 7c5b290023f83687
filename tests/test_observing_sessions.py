"""What `context` says stands on every span inside, and on none outside."""

import contextvars
import threading

import anyio
import pytest

import interceptor
from interceptor.errors import ArgumentError
from tests import kept

pytestmark = pytest.mark.usefixtures("in_memory")


def labels(span):
    names = ("session.id", "user.id", "tag.tags", "metadata")
    return {name: span.attributes[name] for name in names if name in span.attributes}


def test_it_stands_on_every_span_inside_and_on_none_outside():
    context = interceptor.context(session_id="s", user_id="u", tags=["a"], metadata={"x": 1})
    with context, interceptor.span("inside"), interceptor.span("deeper"):
        pass
    with interceptor.span("outside"):
        pass
    for name in ("inside", "deeper"):
        assert labels(kept.named(name)) == {
            "session.id": "s",
            "user.id": "u",
            "tag.tags": ["a"],
            "metadata": '{"x":1}',
        }
    assert labels(kept.named("outside")) == {}
    (trace,) = interceptor.search(session_id="s")
    assert (trace.session_id, trace.user_id) == ("s", "u")


def test_nested_ones_add_up_and_the_inner_session_replaces():
    outer = interceptor.context(session_id="s", user_id="u", tags=["a", "b"], metadata={"x": 1})
    inner = interceptor.context(session_id="t", tags="b", metadata={"x": 2, "y": 2})
    with outer, inner:
        interceptor.observe(lambda: None)()
    assert labels(kept.only()) == {
        "session.id": "t",
        "user.id": "u",
        "tag.tags": ["a", "b"],
        "metadata": '{"x":2,"y":2}',
    }


def test_what_is_no_text_becomes_text_and_secrets_are_struck_out():
    metadata = {"api_key": "k", "at": {1}}
    with interceptor.context(session_id=7, user_id=8, tags=(1, 2), metadata=metadata):
        interceptor.observe(lambda: None)()
    assert labels(kept.only()) == {
        "session.id": "7",
        "user.id": "8",
        "tag.tags": ["1", "2"],
        "metadata": '{"api_key":"[redacted]","at":[1]}',
    }


async def test_it_holds_across_tasks():
    async def work():
        with interceptor.span("inside"):
            await anyio.lowlevel.checkpoint()

    with interceptor.context(user_id="u"):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(work)
            tasks.start_soon(work)
    assert [labels(span) for span in kept.spans()] == [{"user.id": "u"}] * 2


async def test_it_holds_in_anyios_worker_threads():
    def work():
        with interceptor.span("inside"):
            pass

    with interceptor.context(user_id="u"):
        await anyio.to_thread.run_sync(work)
    assert labels(kept.only()) == {"user.id": "u"}


def test_a_thread_that_is_given_a_copy_of_the_context_has_it():
    def work():
        with interceptor.span("inside"):
            pass

    with interceptor.context(user_id="u"):
        inside = contextvars.copy_context()
    thread = threading.Thread(target=inside.run, args=(work,))
    thread.start()
    thread.join()
    assert labels(kept.only()) == {"user.id": "u"}


def test_it_is_over_when_the_block_is_whatever_happened():
    with pytest.raises(LookupError), interceptor.context(user_id="u"):
        raise LookupError
    with interceptor.span("outside"):
        pass
    assert labels(kept.only()) == {}


WRONG = {
    "a number as tags": ({"tags": 5}, "tags is 5; use a list of words"),
    "bytes as tags": ({"tags": b"ab"}, "tags is b'ab'; use a list of words"),
    "names as tags": ({"tags": {"a": 1}}, "tags is {'a': 1}; use a list of words"),
    "a list as metadata": ({"metadata": ["abc"]}, "metadata is ['abc']; use a dict"),
    "a text as metadata": ({"metadata": ""}, "metadata is ''; use a dict"),
}


@pytest.mark.parametrize(("labels", "sentence"), WRONG.values(), ids=WRONG)
def test_what_can_be_no_label_is_an_error_where_it_is_written(labels, sentence):
    with pytest.raises(ArgumentError) as caught, interceptor.context(**labels):
        pass
    assert str(caught.value) == sentence


class Mute:
    def __str__(self):
        raise RuntimeError("I cannot say")


MISSING = {
    "nothing": ({"tags": None, "metadata": None, "user_id": None}, {}),
    "a word": ({"tags": "tea"}, {"tag.tags": ["tea"]}),
    "nothing among words": ({"tags": [None, "tea", ""]}, {"tag.tags": ["tea"]}),
    "words one by one": ({"tags": (word for word in "ab")}, {"tag.tags": ["a", "b"]}),
    "what cannot say what it is": ({"tags": [Mute()], "metadata": {"a": Mute()}}, {}),
}


@pytest.mark.parametrize(("given", "found"), MISSING.values(), ids=MISSING)
def test_what_is_missing_or_mute_is_no_error(given, found):
    with interceptor.context(**given), interceptor.span("inside"):
        pass
    assert labels(kept.only()) == found


def test_what_groups_traces_is_kept_whatever_the_policy_is():
    mail = "ada@lovelace.org"
    interceptor.configure(destinations=(), content="full", redact="pii")
    said = interceptor.context(session_id=mail, user_id=mail, tags=[mail], metadata={"at": mail})
    with said, interceptor.span(f"to {mail}") as span:
        span.set(at=mail)
        span.set_input(mail)
        interceptor.score("from", mail, comment=mail)
    found = kept.only()
    assert labels(found) == {
        "session.id": mail,
        "user.id": mail,
        "tag.tags": [mail],
        "metadata": f'{{"at":"{mail}"}}',
    }
    assert (found.name, found.attributes["at"], found.input) == (f"to {mail}", mail, "[email]")
    (score,) = interceptor.get_trace().scores
    assert (score.label, score.comment) == (mail, "[email]")
