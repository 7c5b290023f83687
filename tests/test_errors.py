"""The exceptions that can be caught, and how they quote what was given."""

import pytest

import interceptor
from interceptor import errors

KINDS = {
    "ArgumentError": (TypeError, ValueError),
    "SettingsError": (ValueError,),
    "StoreError": (),
    "TransportError": (TypeError,),
}


@pytest.mark.parametrize(("name", "kinds"), KINDS.items(), ids=KINDS)
def test_each_is_ours_and_what_it_would_be_elsewhere(name, kinds):
    error = getattr(interceptor, name)
    assert all(issubclass(error, kind) for kind in (interceptor.InterceptorError, *kinds))


class Mute:
    def __repr__(self):
        raise RuntimeError("I cannot say")


QUOTED = {
    "a text": ("x", "'x'"),
    "a long text": ("x" * 100, f"'{'x' * 78}…"),
    "what cannot say what it is": (Mute(), "<Mute>"),
    "a number too long for a text": (10**5000, "<int>"),
}


@pytest.mark.parametrize(("value", "text"), QUOTED.values(), ids=QUOTED)
def test_a_value_is_quoted_whatever_it_is(value, text):
    assert errors.quoted(value) == text
