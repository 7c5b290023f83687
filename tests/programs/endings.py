"""A program that ends, or forks, with calls under way: what is left is to be in the store.

    python endings.py LIBRARY STORY

The transport answers from memory. Prints what the caller got.
"""

import asyncio
import atexit
import importlib
import os
import sys
import threading

import interceptor

URL = "https://api.mistral.ai/v1/chat/completions"
PIECES = (b'data: {"choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n', b"data: [DONE]\n\n")
STREAMED = {"content-type": "text/event-stream"}

kept = []  # what the program still holds when it ends


def body(http):
    class Body(http.SyncByteStream, http.AsyncByteStream):
        def __iter__(self):
            yield from PIECES

        async def __aiter__(self):
            for piece in PIECES:
                yield piece

    return Body()


def client(http, answer=None):
    def answering(request):
        return http.Response(200, headers=STREAMED, stream=body(http))

    return http.Client(transport=interceptor.wrap(http.MockTransport(answer or answering)))


def asked(model):
    return {"model": model, "messages": [{"role": "user", "content": "Hello"}]}


def fork_inside(http, leave):
    """Fork while the inner transport is at work; the child makes a call of its own."""

    def answer(request):
        child = os.fork()
        if not child:
            client(http).post(URL, json=asked("childs"))
            leave()
        assert os.waitpid(child, 0)[1] == 0
        return http.Response(200, headers=STREAMED, stream=body(http))

    print(len(client(http, answer).post(URL, json=asked("parents")).content))


def fork_with_a_stream(http):
    """Fork with a stream open: the child reads its copy to the end, which is no call of its own."""
    response = open_stream(http, "parents")
    pieces = response.iter_raw()
    print(next(pieces) == PIECES[0], flush=True)
    child = os.fork()
    rest = b"".join(pieces)
    if not child:
        client(http).post(URL, json=asked("childs"))
        sys.exit(rest != PIECES[1])
    assert os.waitpid(child, 0)[1] == 0
    print(rest == PIECES[1])


def open_stream(http, model):
    made = client(http)
    return made.send(made.build_request("POST", URL, json=asked(model)), stream=True)


def leave_a_stream(http):
    kept.append(open_stream(http, "left").iter_raw())
    print(next(kept[0]) == PIECES[0])


def leave_an_async_stream(http):
    async def main():
        tap = interceptor.wrap(http.MockTransport(lambda _: answered(http)))
        made = http.AsyncClient(transport=tap)
        request = made.build_request("POST", URL, json=asked("left"))
        kept.extend((made, await made.send(request, stream=True)))
        print(kept[1].status_code)

    asyncio.run(main())


def answered(http):
    return http.Response(200, headers=STREAMED, stream=body(http))


def leave_a_thread(http):
    """End while a daemon thread is in the midst of a stream."""
    begun, never = threading.Event(), threading.Event()

    class Held(http.SyncByteStream):
        def __iter__(self):
            yield PIECES[0]
            begun.set()
            never.wait()

    def answer(request):
        return http.Response(200, headers=STREAMED, stream=Held())

    def read():
        client(http, answer).post(URL, json=asked("left"))

    threading.Thread(target=read, daemon=True).start()
    print(begun.wait(30))


def end_with_an_error(http):
    leave_a_stream(http)
    raise SystemExit(0)


def call_at_exit(http):
    """An exit handler that was registered before the first call runs after ours."""
    atexit.register(lambda: print(len(client(http).post(URL, json=asked("late")).content)))
    client(http).post(URL, json=asked("early"))


def plain(http):
    """Everything at once, for comparing interpreters."""
    for error in (None, http.ReadError("cut"), ValueError("mine")):

        def answer(request, error=error):
            if error is not None:
                raise error
            return answered(http)

        try:
            print(client(http, answer).post(URL, json=asked("plain")).content)
        except (http.HTTPError, ValueError) as raised:
            print(repr(raised))


def ended():
    interceptor.flush()
    os._exit(0)


STORIES = {
    "fork inside, then exit": lambda http: fork_inside(http, sys.exit),
    "fork inside, then vanish": lambda http: fork_inside(http, ended),
    "fork with a stream": fork_with_a_stream,
    "leave a stream": leave_a_stream,
    "leave an async stream": leave_an_async_stream,
    "leave a thread": leave_a_thread,
    "end with an error": end_with_an_error,
    "call at exit": call_at_exit,
    "plain": plain,
}

if __name__ == "__main__":
    STORIES[sys.argv[2]](importlib.import_module(sys.argv[1]))
