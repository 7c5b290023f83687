"""The client that every story is given. Only its import differs between the SDK's release lines."""

import importlib
from contextlib import asynccontextmanager
from importlib.metadata import version

import interceptor

if version("mistralai").startswith("1."):
    from mistralai import Mistral
else:
    from mistralai.client import Mistral

__all__ = ["traced", "untraced"]


def traced(url):
    """Give a client whose calls are recorded."""
    return _client(url, interceptor.clients())


def untraced(url):
    """Give a client as it is without interceptor."""
    http = importlib.import_module(interceptor.transports.sdk_library())
    return _client(url, {"client": http.Client(), "async_client": http.AsyncClient()})


@asynccontextmanager
async def _client(url, clients):
    try:
        yield Mistral(api_key="invented", server_url=url, **clients)
    finally:  # a program may leave this to its end; a test may not
        clients["client"].close()
        await clients["async_client"].aclose()
