"""A web application that asks the SDK at each request, and answers with its process's id.

The client is made when the module is imported, which with `gunicorn --preload` is before the
workers are forked. `WEB_URL` is where the SDK goes.
"""

import os

from call import MODEL, sdk

MISTRAL = sdk(os.environ["WEB_URL"])
ASKED = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}]}


def wsgi(_environ, start_response):
    MISTRAL.chat.complete(**ASKED)
    start_response("200 OK", [("content-type", "text/plain")])
    return [str(os.getpid()).encode()]


async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        while (await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    await MISTRAL.chat.complete_async(**ASKED)
    body = str(os.getpid()).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
