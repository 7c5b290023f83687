"""Which requests are Mistral's whatever they ask for: told by their host, or by the SDK's name.

Nothing of the recorder is needed to tell, so that a tap on every client of a program can pass on
the requests of others before anything of ours is loaded.
"""

import fnmatch
import functools
import re
from collections.abc import Callable, Iterable

__all__ = ["Knows", "knower"]

_MISTRAL = ("mistral.ai", "*.mistral.ai")
# The SDK's own name, and the one that its clients for Azure and Google kept from their generator.
_SDK_AGENT = re.compile(r"mistral-client-python/|speakeasy-sdk/python .*\bmistralai")
_MOST_REMEMBERED = 256

Knows = Callable[[str, Callable[[], str]], bool]
"""Tells by host and User-Agent; the second gives the User-Agent, and is asked only if it counts."""


def knower(hosts: Iterable[str] = ()) -> Knows:
    """Give what tells Mistral's requests: by Mistral's hosts, by these globs, by the SDK's name."""
    globs = "|".join(fnmatch.translate(glob.lower()) for glob in (*_MISTRAL, *hosts))
    is_host = functools.lru_cache(maxsize=_MOST_REMEMBERED)(re.compile(globs).fullmatch)

    def knows(host: str, agent: Callable[[], str]) -> bool:
        return is_host(host) is not None or _SDK_AGENT.match(agent()) is not None

    return knows
