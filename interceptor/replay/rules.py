"""Which requests a server answers, and with what."""

import json
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from interceptor.replay.fixtures import named
from interceptor.replay.messages import Request
from interceptor.replay.scripts import Script, script

__all__ = ["Rule", "by_question", "in_order"]


class Rule(NamedTuple):
    """Requests of one endpoint and their answers, one after the other; the last repeats.

    `path` is compared from its end, so that a gateway's prefix does not matter. `when` may ask
    for more than method and path.
    """

    method: str
    path: str
    scripts: tuple[Script, ...]
    when: Callable[[Request], bool] | None = None

    def holds_for(self, request: Request) -> bool:
        """Tell whether this rule answers the request."""
        return (
            request.method == self.method
            and _path(request).endswith(self.path)
            and (self.when is None or self.when(request))
        )


def in_order(*names: str) -> list[Rule]:
    """Make rules of our fixtures that look at method and path alone.

    Fixtures of the same endpoint answer one after the other, whatever is asked.
    """
    groups: dict[tuple[str, str], list[Script]] = {}
    for fixture in map(named, names):
        key = fixture.request.method, _path(fixture.request)
        groups.setdefault(key, []).append(script(fixture.response))
    return [Rule(*key, tuple(scripts)) for key, scripts in groups.items()]


def by_question(*names: str) -> list[Rule]:
    """Make rules of our fixtures that answer what asks the same as the recorded request.

    The same is the last message, the prompt or the input, and whether a stream is wanted.
    Fixtures that ask the same answer one after the other.
    """
    groups: dict[tuple[str, str, str], list[Script]] = {}
    for fixture in map(named, names):
        key = fixture.request.method, _path(fixture.request), _question(fixture.request)
        groups.setdefault(key, []).append(script(fixture.response))
    return [
        Rule(method, path, tuple(scripts), _asks(question))
        for (method, path, question), scripts in groups.items()
    ]


def _path(request: Request) -> str:
    """Give a request's path without its query, which no answer of ours depends on."""
    return urlsplit(request.path).path


def _asks(question: str) -> Callable[[Request], bool]:
    return lambda request: _question(request) == question


def _question(request: Request) -> str:
    """Give what a request asks as text, for anything that JSON holds to be compared."""
    body = request.json()
    messages = body.get("messages")
    asked = messages[-1]["content"] if messages else body.get("prompt", body.get("input"))
    return json.dumps([asked, body.get("stream", False)])
