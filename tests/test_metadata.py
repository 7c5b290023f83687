"""What of a call's JSON is metadata, and what somebody may have said."""

import json

import pytest

from interceptor import metadata

WORDS = "a word that was said"
SCHEMA = {"name": "Menu", "description": WORDS, "schema": {"title": WORDS}, "strict": True}
REQUESTS = {
    "numbers and flags": ({"n": 2, "top_p": 0.5, "safe_prompt": False, "x": None},) * 2,
    "choices": ({"tool_choice": "any", "prompt_mode": "reasoning", "service_tier": "priority"},)
    * 2,
    "ids": ({"model": "ft:open-mistral-7b:daf5e488:2026", "agent_id": "ag_1", "pages": "0-3,5"},)
    * 2,
    "lists of choices": ({"timestamp_granularities": ["segment", "word"], "pages": [0, 2]},) * 2,
    "what we do not know": (
        {"new": WORDS, "news": [WORDS], "newer": {"a": 1}, "newest": 1},
        {"newest": 1},
    ),
    "a known name with words": ({"tool_choice": WORDS, "service_tier": "x" * 200}, {}),
    "a name that is words": ({WORDS: 1, "x" * 65: 1, "": 1}, {}),
    "labels": (
        {"metadata": {"who": WORDS, "age": 40}, "prompt_cache_key": "ada", "user": "ada"},
        {},
    ),
    "names and descriptions": ({"name": "Ada", "description": WORDS}, {}),
    "words of their own": (
        {
            "prediction": {"type": "content", "content": WORDS},
            "context_bias": ["Ada"],
            "stop": ["Ada"],
        },
        {},
    ),
    "a form": ({"temperature": "0.5", "stream": "true", "diarize": "False", "language": "en"},) * 2,
    "words in place of numbers": ({"temperature": "hot", "top_p": "1 more"}, {}),
    "a schema": (
        {"response_format": {"type": "json_schema", "json_schema": SCHEMA}},
        {"response_format": {"type": "json_schema", "json_schema": {"strict": True}}},
    ),
    "a schema for annotations": (
        {"document_annotation_format": {"type": "json_schema", "json_schema": SCHEMA}},
        {"document_annotation_format": {"type": "json_schema", "json_schema": {"strict": True}}},
    ),
    "a schema of a response": (
        {"text": {"format": SCHEMA | {"type": "json_schema"}, "verbosity": "low"}},
        {"text": {"format": {"strict": True, "type": "json_schema"}, "verbosity": "low"}},
    ),
    "a function to be called": (
        {"tool_choice": {"type": "function", "function": {"name": "add", "description": WORDS}}},
        {"tool_choice": {"type": "function", "function": {"name": "add"}}},
    ),
    "guardrails": (
        {
            "guardrails": [
                {"block_on_error": True, "moderation_llm_v2": {"action": "none", "why": WORDS}}
            ]
        },
        {"guardrails": [{"block_on_error": True, "moderation_llm_v2": {"action": "none"}}]},
    ),
    "arguments of a conversation": (
        {"completion_args": {"temperature": 0.1, "stop": "Ada", "prediction": {"content": WORDS}}},
        {"completion_args": {"temperature": 0.1}},
    ),
    "reasoning": ({"reasoning": {"effort": "low", "summary": "auto"}},) * 2,
    "empty ones": ({"guardrails": [], "response_format": {}},) * 2,
    "objects of words alone": ({"response_format": {"schema": WORDS}, "guardrails": [WORDS]}, {}),
}


@pytest.mark.parametrize(("sent", "kept"), REQUESTS.values(), ids=REQUESTS)
def test_of_a_request(sent, kept):
    assert metadata.of_request(sent) == kept
    assert WORDS not in repr(metadata.of_request(sent))


ANSWERS = {
    "nothing": (None, None),
    "null": ("null", "null"),
    "counts": ('{"prompt_tokens": 3, "connectors": {"web_search": 1}}',) * 2,
    "details": ('{"prompt_tokens_details": {"cached_tokens": 0, "messages": []}}',) * 2,
    "a tier": ('{"service_tier": "standard"}',) * 2,
    "what guardrails found": (
        '[{"name": "moderation_llm_v2", "flagged": ["criminal"], "action": "none"}]',
    )
    * 2,
    "words": (f'[{{"action": "none", "quote": "{WORDS}"}}]', '[{"action":"none"}]'),
    "words deeper down": (f'{{"a": {{"b": ["{WORDS}"]}}, "n": 1}}', '{"n":1}'),
    "words for a name": (f'{{"a": {{"{WORDS}": 1}}, "n": 1}}', '{"n":1}'),
    "words alone": (f'"{WORDS}"', None),
    "no JSON": (WORDS, None),
    "too deep": ("[" * 50 + "]" * 50, None),
    "far too deep": ("[" * 5000 + "]" * 5000, None),
}


@pytest.mark.parametrize(("sent", "kept"), ANSWERS.values(), ids=ANSWERS)
def test_of_an_answer(sent, kept):
    assert metadata.of_answer(sent) == kept


CHOICES = {"auto": "auto", "json_schema": "json_schema", WORDS: None, "": None, None: None}


@pytest.mark.parametrize(("text", "kept"), CHOICES.items())
def test_a_choice(text, kept):
    assert metadata.choice(text) == kept


def test_a_request_nested_too_deeply_keeps_what_is_above():
    sent = {"guardrails": json.loads('{"guardrails":' * 50 + "1" + "}" * 50)}
    assert metadata.of_request(sent) == {}
