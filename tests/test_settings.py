"""Where each setting comes from, what wins, and what is said of a value that cannot be used."""

from pathlib import Path

import msgspec
import pytest

from interceptor.errors import InterceptorError, SettingsError
from interceptor.settings import VARIABLES, Content, Metrics, Native, Settings, doubts

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACES_ENDPOINT = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
OTLP = {"destinations": ("otlp",), "follows_otel": True}

DEFAULTS = {
    "on": None,
    "destinations": ("store",),
    "store": None,
    "store_max_mb": 1024,
    "content": None,
    "hosts": (),
    "operations": ("all",),
    "native": "keep-ours",
    "metrics": "v1.41",
    "body_limit_mb": 32,
    "queue_mb": 64,
    "attribute_limit_kb": 256,
    "phases": True,
    "redact": None,
    "disabled": False,
    "follows_otel": False,
}


def test_the_defaults():
    assert msgspec.structs.asdict(Settings.from_env({})) == DEFAULTS
    assert Settings.from_env({}) == Settings()


READ = {
    "on": ({"INTERCEPTOR": "1"}, {"on": True}),
    "on, in a word": ({"INTERCEPTOR": "TRUE"}, {"on": True}),
    "off": ({"INTERCEPTOR": "0"}, {"on": False}),
    "off, in a word": ({"INTERCEPTOR": "off"}, {"on": False}),
    "a destination": ({"INTERCEPTOR_DESTINATIONS": "console"}, {"destinations": ("console",)}),
    "destinations": (
        {"INTERCEPTOR_DESTINATIONS": "store, otlp,,console"},
        {"destinations": ("store", "otlp", "console")},
    ),
    "one destination twice": (
        {"INTERCEPTOR_DESTINATIONS": "console,store,console"},
        {"destinations": ("console", "store")},
    ),
    "no destination": ({"INTERCEPTOR_DESTINATIONS": ","}, {"destinations": ()}),
    "the store's path": ({"INTERCEPTOR_STORE": "some/traces.db"}, {"store": "some/traces.db"}),
    "no store": ({"INTERCEPTOR_STORE": "off"}, {"store": "off"}),
    "no store, in capitals": ({"INTERCEPTOR_STORE": "OFF"}, {"store": "off"}),
    "a store of that name": ({"INTERCEPTOR_STORE": "./OFF"}, {"store": "./OFF"}),
    "the store's size": ({"INTERCEPTOR_STORE_MAX_MB": "5"}, {"store_max_mb": 5}),
    "all content": ({"INTERCEPTOR_CONTENT": "full"}, {"content": Content.FULL}),
    "no content": ({"INTERCEPTOR_CONTENT": "metadata"}, {"content": Content.METADATA}),
    "hosts": (
        {"INTERCEPTOR_HOSTS": "llm.example,*.gw.example, fd00::1"},
        {"hosts": ("llm.example", "*.gw.example", "fd00::1")},
    ),
    "operations": ({"INTERCEPTOR_OPERATIONS": "chat, files"}, {"operations": ("chat", "files")}),
    "native": ({"INTERCEPTOR_NATIVE": "defer"}, {"native": Native.DEFER}),
    "the latest metrics": ({"INTERCEPTOR_METRICS": "latest"}, {"metrics": Metrics.LATEST}),
    "no metrics": ({"INTERCEPTOR_METRICS": "off"}, {"metrics": Metrics.OFF}),
    "a body's limit": ({"INTERCEPTOR_BODY_LIMIT_MB": "4"}, {"body_limit_mb": 4}),
    "the queue": ({"INTERCEPTOR_QUEUE_MB": "8"}, {"queue_mb": 8}),
    "an attribute's limit": ({"INTERCEPTOR_ATTRIBUTE_LIMIT_KB": "2"}, {"attribute_limit_kb": 2}),
    "no phases": ({"INTERCEPTOR_PHASES": "0"}, {"phases": False}),
    "spaces around": ({"INTERCEPTOR_QUEUE_MB": " 8 "}, {"queue_mb": 8}),
    "nothing but spaces": ({"INTERCEPTOR_QUEUE_MB": " ", "INTERCEPTOR": ""}, {}),
    "OTLP": ({ENDPOINT: "http://collector.example:4318"}, OTLP),
    "OTLP for traces": ({TRACES_ENDPOINT: "http://collector.example/v1/traces"}, OTLP),
    "OTLP, with nothing but spaces": ({ENDPOINT: " ", TRACES_ENDPOINT: ""}, {}),
    "ours before OTLP": (
        {ENDPOINT: "http://collector.example:4318", "INTERCEPTOR_DESTINATIONS": "store"},
        {"destinations": ("store",)},
    ),
    "capture nothing": ({CAPTURE: "NO_CONTENT"}, {"content": Content.METADATA}),
    "capture nothing, as it was": ({CAPTURE: "false"}, {"content": Content.METADATA}),
    "capture on spans": ({CAPTURE: "span_only"}, {"content": Content.FULL}),
    "capture on spans, as it was": ({CAPTURE: " true "}, {"content": Content.FULL}),
    "capture in events": ({CAPTURE: "EVENT_ONLY"}, {"content": Content.FULL}),
    "capture in both": ({CAPTURE: "SPAN_AND_EVENT"}, {"content": Content.FULL}),
    "capture what nobody knows": ({CAPTURE: "SOMETIMES"}, {}),
    "ours before capture": (
        {CAPTURE: "SPAN_ONLY", "INTERCEPTOR_CONTENT": "metadata"},
        {"content": Content.METADATA},
    ),
    "OpenTelemetry disabled": ({"OTEL_SDK_DISABLED": " True"}, {"disabled": True}),
    "OpenTelemetry not disabled": ({"OTEL_SDK_DISABLED": "1"}, {}),  # its specification: only true
    "variables of others": ({"INTERCEPTOR_COLOR": "red", "PATH": "/bin"}, {}),
}


@pytest.mark.parametrize(("environ", "changes"), READ.values(), ids=READ)
def test_a_variable_sets_its_setting_and_no_other(environ, changes):
    expected = DEFAULTS | changes
    assert msgspec.structs.asdict(Settings.from_env(environ)) == expected
    assert Settings.from_env_or_default(environ) == (Settings.from_env(environ), ())


def test_every_variable_is_tested():
    tested = set().union(*(environ for environ, _ in READ.values()))
    assert set(VARIABLES) <= tested


BAD = {
    "INTERCEPTOR": ("yes", "use 1 or 0"),
    "INTERCEPTOR_DESTINATIONS": (
        "store,jaeger",
        (
            "INTERCEPTOR_DESTINATIONS names 'jaeger'; use any of: store, otlp, console, "
            "with commas between"
        ),
    ),
    "INTERCEPTOR_STORE_MAX_MB": ("1.5", "use a whole number above 0"),
    "INTERCEPTOR_CONTENT": ("none", "use one of: full, metadata"),
    "INTERCEPTOR_HOSTS": (
        "llm.example,http://a.b/c",
        "INTERCEPTOR_HOSTS names 'http://a.b/c'; use host names, not URLs: 'a.b'",
    ),
    "INTERCEPTOR_NATIVE": ("both", "use one of: keep-ours, defer"),
    "INTERCEPTOR_METRICS": ("v2", "use one of: v1.41, latest, off"),
    "INTERCEPTOR_BODY_LIMIT_MB": ("0", "use a whole number above 0"),
    "INTERCEPTOR_QUEUE_MB": ("many", "use a whole number above 0"),
    "INTERCEPTOR_ATTRIBUTE_LIMIT_KB": ("-1", "use a whole number above 0"),
    "INTERCEPTOR_PHASES": ("2", "use 1 or 0"),
}
TAKES_ANY_TEXT = {"INTERCEPTOR_STORE", "INTERCEPTOR_OPERATIONS"}


@pytest.mark.parametrize(("variable", "case"), BAD.items(), ids=BAD)
def test_a_bad_value_is_named_with_what_would_do(variable, case):
    value, sentence = case
    if not sentence.startswith(variable):
        sentence = f"{variable} is {value!r}; {sentence}"
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({variable: value})
    assert str(caught.value) == sentence
    assert isinstance(caught.value, InterceptorError)
    assert isinstance(caught.value, ValueError)


def test_every_variable_that_can_be_wrong_is_tested():
    assert set(VARIABLES) == set(BAD) | TAKES_ANY_TEXT


def test_a_traced_program_goes_on_with_the_default_of_each_bad_variable():
    environ = {variable: value for variable, (value, _) in BAD.items()}
    settings, errors = Settings.from_env_or_default(environ | {"INTERCEPTOR_STORE": "kept.db"})
    assert settings == Settings(store="kept.db", content=Content.METADATA)
    assert [str(error).split()[0] for error in errors] == list(BAD)
    assert environ["INTERCEPTOR"] == "yes"  # the program's own mapping is left alone


def test_whoever_misspells_how_much_may_be_kept_has_less_kept():
    environ = {"INTERCEPTOR_CONTENT": "none", CAPTURE: "SPAN_ONLY"}
    settings, (error,) = Settings.from_env_or_default(environ)
    assert settings.content is Content.METADATA
    assert str(error).endswith("use one of: full, metadata; going on with metadata")


@pytest.mark.parametrize("value", ["METADATA", "Metadata", " metadata "])
def test_a_choice_is_read_in_any_case(value):
    assert Settings.from_env({"INTERCEPTOR_CONTENT": value}).content is Content.METADATA


DOUBTS = {
    "nothing said": ({}, ()),
    "nothing": ({CAPTURE: "NO_CONTENT"}, ()),
    "spans": ({CAPTURE: "SPAN_ONLY"}, ()),
    "events": (
        {CAPTURE: "EVENT_ONLY"},
        (f"{CAPTURE} is 'EVENT_ONLY'; content goes on spans only, as with SPAN_ONLY",),
    ),
    "both": (
        {CAPTURE: "span_and_event"},
        (f"{CAPTURE} is 'span_and_event'; content goes on spans only, as with SPAN_ONLY",),
    ),
    "what nobody knows": (
        {CAPTURE: "SOMETIMES"},
        (f"{CAPTURE} is 'SOMETIMES', which is ignored; use NO_CONTENT or SPAN_ONLY",),
    ),
    "overruled": ({CAPTURE: "EVENT_ONLY", "INTERCEPTOR_CONTENT": "full"}, ()),
    "a variable that is misspelt": (
        {"INTERCEPTOR_CONTNET": "metadata"},
        ("INTERCEPTOR_CONTNET is no setting, and is ignored; there is INTERCEPTOR_CONTENT",),
    ),
    "one of one thing too few": (
        {"INTERCEPTOR_HOST": "llm.example"},
        ("INTERCEPTOR_HOST is no setting, and is ignored; there is INTERCEPTOR_HOSTS",),
    ),
    "a variable of somebody else's": ({"INTERCEPTOR_COLOR": "red", "INTERCEPTOR_MODE": "x"}, ()),
}


@pytest.mark.parametrize(("environ", "said"), DOUBTS.values(), ids=DOUBTS)
def test_what_is_asked_for_and_not_given_is_said(environ, said):
    assert doubts(environ) == said


# In code


CHANGED = {
    "on": (True, True),
    "destinations": (["otlp", "store"], ("otlp", "store")),
    "store": (Path("some", "traces.db"), str(Path("some", "traces.db"))),
    "store_max_mb": (5.0, 5),
    "content": ("metadata", Content.METADATA),
    "hosts": ("llm.example", ("llm.example",)),
    "operations": (("chat",), ("chat",)),
    "native": (Native.DEFER, Native.DEFER),
    "metrics": ("off", Metrics.OFF),
    "body_limit_mb": ("4", 4),
    "queue_mb": (8, 8),
    "attribute_limit_kb": (2, 2),
    "phases": (False, False),
    "redact": ("pii", "pii"),
    "disabled": (True, True),
}


@pytest.mark.parametrize(("name", "case"), CHANGED.items(), ids=CHANGED)
def test_a_setting_is_changed_in_code(name, case):
    given, expected = case
    before = Settings()
    after = before.changed(**{name: given})
    assert msgspec.structs.asdict(after) == DEFAULTS | {name: expected}
    assert before == Settings()


def test_every_setting_can_be_changed_in_code():
    assert set(CHANGED) == set(DEFAULTS) - {"follows_otel"}


@pytest.mark.parametrize("name", ["on", "store", "content", "redact"])
def test_none_takes_a_setting_back(name):
    assert Settings(**{name: "something"}).changed(**{name: None}) == Settings()


def test_code_wins_over_the_environment():
    environ = {"INTERCEPTOR_CONTENT": "full", ENDPOINT: "http://collector.example:4318"}
    settings = Settings.from_env(environ).changed(content="metadata", destinations=("store",))
    assert settings == Settings(content=Content.METADATA)


def test_destinations_that_code_names_follow_no_variable():
    settings = Settings.from_env({ENDPOINT: "http://collector.example:4318"})
    assert not settings.changed(destinations=("otlp",)).follows_otel
    assert settings.changed(content="full").follows_otel


WRONG_IN_CODE = {
    "an unknown name": (
        {"colour": "red"},
        "no setting is called 'colour'; there are: on, destinations, store,",
    ),
    "what only variables say": ({"follows_otel": True}, "no setting is called 'follows_otel'"),
    "a truth value as a count": ({"queue_mb": True}, "queue_mb is True; use a whole number"),
    "a part of one": ({"queue_mb": 0.5}, "queue_mb is 0.5; use a whole number"),
    "nothing as a count": ({"queue_mb": None}, "queue_mb is None; use a whole number"),
    "more than any machine has": ({"queue_mb": 10**400}, "queue_mb is 1000"),
    "no end": ({"queue_mb": float("inf")}, "queue_mb is inf; use a whole number"),
    "no number": ({"queue_mb": float("nan")}, "queue_mb is nan; use a whole number"),
    "an unknown choice": ({"content": 1}, "content is 1; use one of: full, metadata"),
    "no choice": ({"native": None}, "native is None; use one of: keep-ours, defer"),
    "no switch": ({"phases": None}, "phases is None; use 1 or 0"),
    "no path": ({"store": 1}, "store is 1; use text or a path"),
    "no names": ({"hosts": 1}, "hosts is 1; use a tuple of names"),
    "no name": ({"hosts": (1,)}, "hosts is 1; use text or a path"),
    "no destination": ({"destinations": ("nowhere",)}, "destinations names 'nowhere'; use any of"),
    "a URL": (
        {"hosts": "https://me@a.b:8080/v1"},
        "hosts names 'https://me@a.b:8080/v1'; use host names, not URLs: 'a.b'",
    ),
    "a path": ({"hosts": ["a.b/v1"]}, "hosts names 'a.b/v1'; use host names, not URLs: 'a.b'"),
    "a port": ({"hosts": "*.b:80"}, "hosts names '*.b:80'; use host names without a port: '*.b'"),
    "too long to be said": ({"queue_mb": 10**5000}, "queue_mb is <int>; use"),
    "no policy": ({"redact": 1}, "redact is 1; use a callable from Record to Record, or a"),
}


@pytest.mark.parametrize(("changes", "sentence"), WRONG_IN_CODE.values(), ids=WRONG_IN_CODE)
def test_a_wrong_change_is_named_with_what_would_do(changes, sentence):
    with pytest.raises(SettingsError) as caught:
        Settings().changed(**changes)
    assert str(caught.value).startswith(sentence)


HOSTS = ("a.b", "*.corp.example", "[ab].c", "localhost", "10.0.0.1", "::1", "fe80::1:80")


@pytest.mark.parametrize("host", HOSTS)
def test_what_names_hosts_is_taken(host):
    assert Settings().changed(hosts=(host,)).hosts == (host,)


OFF = {
    "nothing said": ({}, False),
    "switched on": ({"INTERCEPTOR": "1"}, False),
    "switched off": ({"INTERCEPTOR": "0"}, True),
    "OpenTelemetry disabled": ({"OTEL_SDK_DISABLED": "true"}, True),
    "both": ({"INTERCEPTOR": "1", "OTEL_SDK_DISABLED": "true"}, True),
}


@pytest.mark.parametrize(("environ", "is_off"), OFF.values(), ids=OFF)
def test_off(environ, is_off):
    assert Settings.from_env(environ).is_off is is_off
