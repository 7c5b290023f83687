"""What `interceptor doctor` runs in a process of its own: one call of the SDK to a given server.

    python -m interceptor.cli._probe URL [in-code]

The call is recorded by whatever that process's environment has switched on; `in-code` gives the
SDK clients of ours instead.
"""

import sys

from interceptor.cli._stories import sdk
from interceptor.replay import named

__all__ = ["QUESTION", "main"]

QUESTION = "chat.completions/plain"
"""The recorded exchange that is asked for."""


def main(url: str, *how: str) -> None:
    """Make the call."""
    import interceptor

    clients = interceptor.clients() if "in-code" in how else {}
    mistral = sdk().Mistral(api_key="invented", server_url=url, **clients)
    asked = named(QUESTION).request.json()
    mistral.chat.complete(model=asked["model"], messages=asked["messages"])


if __name__ == "__main__":
    main(*sys.argv[1:])
