"""Which requests are Mistral's, told by their host or by the SDK's name."""

import pytest

from interceptor.hosts import knower

HOSTS = {
    "the API": ("api.mistral.ai", True),
    "a region's": ("api.eu.mistral.ai", True),
    "the bare name": ("mistral.ai", True),
    "somebody else's": ("api.example.org", False),
    "a name that only ends so": ("notmistral.ai", False),
    "a name that only begins so": ("api.mistral.ai.example.org", False),
    "loopback": ("127.0.0.1", False),
    "nobody's": ("", False),
}


@pytest.mark.parametrize(("host", "is_known"), HOSTS.values(), ids=HOSTS)
def test_by_host(host, is_known):
    assert knower()(host, lambda: "") is is_known


AGENTS = {
    "the SDK": ("mistral-client-python/3.7.0", True),
    "the SDK for Azure": ("speakeasy-sdk/python 2.10.1 2.545.0 1.0.0 mistralai-azure", True),
    "the SDK for Google": ("speakeasy-sdk/python 1.8.0 2.687.13 0.0.2 mistralai_gcp", True),
    "another of that generator's": ("speakeasy-sdk/python 1.0.0 2.545.0 0.0.1 acme", False),
    "a name that only ends so": ("my-mistral-client-python/1", False),
    "httpx": ("python-httpx/0.28.1", False),
    "none": ("", False),
}


@pytest.mark.parametrize(("agent", "is_known"), AGENTS.values(), ids=AGENTS)
def test_by_user_agent(agent, is_known):
    assert knower()("gateway.example", lambda: agent) is is_known


GLOBS = {
    "a name": ("llm.example", "llm.example", True),
    "below a name": ("*.llm.example", "eu.llm.example", True),
    "a name is not what is below it": ("llm.example", "eu.llm.example", False),
    "below a name is not the name": ("*.llm.example", "llm.example", False),
    "in capitals": ("LLM.Example", "llm.example", True),
    "one letter": ("llm?.example", "llm1.example", True),
    "a range": ("10.0.0.[0-9]", "10.0.0.7", True),
    "a dot is a dot": ("llm.example", "llmxexample", False),
    "everything": ("*", "anything.example", True),
    "a bracket that is never closed": ("llm[", "llm[", True),
}


@pytest.mark.parametrize(("glob", "host", "is_known"), GLOBS.values(), ids=GLOBS)
def test_globs_are_added_to_mistrals_own(glob, host, is_known):
    knows = knower((glob,))
    assert knows(host, lambda: "") is is_known
    assert knows("api.mistral.ai", lambda: "")


def test_the_user_agent_is_asked_only_where_it_counts():
    def asked():
        raise AssertionError("nobody needs to know")

    assert knower()("api.mistral.ai", asked)
