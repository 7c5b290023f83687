"""What counts as a credential, and what only sounds like one."""

import pytest

from interceptor.credentials import is_credential, is_credential_of_query, may_name_one

CREDENTIALS = (
    "api_key",
    "apiKey",
    "apikey",
    "API-Key",
    "x-api-key",
    "X-API-Key",
    "x-goog-api-key",
    "Ocp-Apim-Subscription-Key",
    "openai_api_keys",
    "password",
    "passwords",
    "db_password",
    "passwordHash",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "client_secret",
    "clientsecret",
    "signing-secret",
    "secrets",
    "token",
    "access_token",
    "accesstoken",
    "accessToken",
    "refresh_tokens",
    "X-Auth-Token",
    "Authorization",
    "Proxy-Authorization",
    "authorization_code",
    "cookie",
    "Set-Cookie",
    "credential",
    "credentials",
    "private_key",
    "privatekey",
    "bearer",
)
# To strike these out would lose what spans are there for.
HARMLESS = (
    "question",
    "max_tokens",
    "min_tokens",
    "prompt_tokens",
    "completion_tokens",
    "cached_tokens",
    "max_output_tokens",
    "input_tokens",
    "tokens",
    "tokenizer",
    "token_count",
    "token_type",
    "keyboard",
    "key",
    "keys",
    "prompt_cache_key",
    "primary_key_column",
    "idempotency-key",
    "secretary",
    "author",
    "authors",
    "authority",
    "compass",
    "passage",
    "signature",
    "service_tier",
    "x" * 1000 + "_password",
    "",
)
OF_QUERY = (
    "key",
    "sig",
    "signature",
    "X-Amz-Signature",
    "X-Amz-Credential",
    "X-Goog-Signature",
    "subscriptionkey",
    "Key-Pair-Id",
    "pass",
    "auth",
)
HARMLESS_IN_A_QUERY = ("keyword", "author", "design", "passage", "page", "api-version", "tokens")


@pytest.mark.parametrize("name", CREDENTIALS)
def test_a_credentials_name_is_known(name):
    assert is_credential(name)
    assert is_credential_of_query(name)
    assert may_name_one(f'{{"{name}": "x"}}')


@pytest.mark.parametrize("name", HARMLESS)
def test_other_names_are_not_taken_for_a_credentials(name):
    assert not is_credential(name)
    assert not is_credential(name)  # remembered


@pytest.mark.parametrize("name", OF_QUERY)
def test_a_query_names_more(name):
    assert is_credential_of_query(name)


@pytest.mark.parametrize("name", HARMLESS_IN_A_QUERY)
def test_other_names_of_a_query_are_not_taken_for_a_credentials(name):
    assert not is_credential_of_query(name)


def test_a_text_without_any_is_passed_over():
    assert not may_name_one('[{"type": "function", "function": {"name": "add"}}]')


def test_names_are_not_remembered_without_end():
    assert not any(is_credential(f"name{number}") for number in range(10_000))
    assert is_credential("password")
