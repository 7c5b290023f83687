"""Our mistakes are logged, once loudly, and never reach the program that is recorded."""

import logging

import pytest

from interceptor import quiet


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.DEBUG, logger="interceptor")
    return caplog


@pytest.fixture
def span(request):
    """Give a name for what is lost that no other test has used."""
    return f"a span of {request.node.name}"


def lost(what, error):
    with quiet.quietly(what):
        raise error


def test_what_was_lost_is_named_and_the_caller_goes_on(log, span):
    lost(span, ValueError("no such thing"))
    (said,) = log.records
    assert said.name == "interceptor"
    assert said.levelno == logging.WARNING
    assert said.getMessage() == (
        f"{span} was lost; the call itself is unaffected (ValueError: no such thing)"
    )
    assert said.exc_info[0] is ValueError


def test_a_block_that_goes_well_says_nothing(log):
    with quiet.quietly("a span"):
        pass
    assert not log.records


def test_a_mistake_that_comes_with_every_call_is_a_warning_once(log, span):
    for _ in range(3):
        lost(span, ValueError())
    lost(span, TypeError())
    lost(f"another than {span}", ValueError())
    levels = [said.levelname for said in log.records]
    assert levels == ["WARNING", "DEBUG", "DEBUG", "WARNING", "WARNING"]


def test_a_sentence_is_a_warning_once_a_kind(log, span):
    for name in ("first", "second"):
        quiet.warn_once(span, f"{name} is 5% odd")
    said = [(one.levelname, one.getMessage()) for one in log.records]
    assert said == [("WARNING", "first is 5% odd"), ("DEBUG", "second is 5% odd")]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_is_no_mistake_goes_through(log, kind):
    with pytest.raises(kind):
        lost("a span", kind())
    assert not log.records


def test_a_worker_may_report_what_is_no_mistake_too(log, span):
    quiet.report(span, KeyboardInterrupt())
    assert f"{span} was lost" in log.text


class Unspeakable(Exception):  # noqa: N818 - what it cannot do is its name
    def __str__(self):
        raise RuntimeError("I cannot say")


class Raising(logging.Handler):
    def emit(self, record):
        raise OSError("the log's disk is full")


def test_a_programs_own_handler_that_raises_harms_nobody(span):
    handler = Raising()
    logging.getLogger("interceptor").addHandler(handler)
    try:
        lost(span, ValueError())
        quiet.warn_once(span, "odd")
    finally:
        logging.getLogger("interceptor").removeHandler(handler)


def test_an_error_that_cannot_say_what_it_is_harms_nobody(monkeypatch, span):
    monkeypatch.setattr(logging, "raiseExceptions", False)  # else it is printed, as in development
    lost(span, Unspeakable())
