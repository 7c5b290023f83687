"""The small programs that the demo runs: calls to Mistral's API through the installed SDK.

A story gives the line that its user would read. What it asks stands in the fixtures, where the
replay server finds the same question with its answer; the real API can be asked it as well.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine
from importlib import import_module, metadata
from typing import Any, NamedTuple

from interceptor.observing import span
from interceptor.replay import named

__all__ = ["PAYMENT", "STORIES", "Caller", "Story", "sdk"]

PAYMENT = "answer about a payment"
"""The name of the span around the tool call and its second turn."""

PAYMENTS = {
    "P-1001": {"status": "paid", "date": "2026-09-14"},
    "P-1002": {"status": "refunded", "date": "2026-09-30"},
    "P-1003": {"status": "pending", "date": "2026-10-05"},
}
LANGUAGES = ("german", "italian", "spanish")


class Caller(NamedTuple):
    """A Mistral client, and the model to ask where it is not the recorded one."""

    mistral: Any
    model: str | None = None

    def asking(self, name: str) -> dict[str, Any]:
        """Give what a recorded request asks, as the SDK's arguments."""
        asked: dict[str, Any] = named(name).request.json()
        asked.pop("stream", None)
        if "input" in asked:
            return {"model": asked["model"], "inputs": asked["input"]}
        return asked | {"model": self.model or asked["model"]}


class Story(NamedTuple):
    """A program, and the recorded exchanges that it goes through."""

    title: str
    tell: Callable[[Caller], str | Coroutine[Any, Any, str]]
    fixtures: tuple[str, ...]
    only_replayed: bool = False


def sdk(part: str = "") -> Any:
    """Import the SDK's module of the client, or one below it; 1.x keeps the client at the top."""
    is_first = metadata.version("mistralai").startswith("1.")
    return import_module(f"mistralai{part}" if is_first else f"mistralai.client{part}")


def _chat(caller: Caller) -> str:
    answer = caller.mistral.chat.complete(**caller.asking("chat.completions/plain"))
    return str(answer.choices[0].message.content)


def _streamed(caller: Caller) -> str:
    events = caller.mistral.chat.stream(**caller.asking("chat.completions/streamed"))
    return "".join(_delta(event) for event in events)


async def _streamed_async(caller: Caller) -> str:
    asking = caller.asking("chat.completions/streamed_async")
    events = await caller.mistral.chat.stream_async(**asking)
    return "".join([_delta(event) async for event in events])


def _payment(caller: Caller) -> str:
    """Let the model call two functions over a table, and answer from what they found."""
    asking = caller.asking("chat.completions/payments_first_turn")
    with span(PAYMENT, kind="agent") as agent:
        agent.set_input(asking["messages"][-1]["content"])
        message = caller.mistral.chat.complete(**asking).choices[0].message
        asking["messages"] += [message, *map(_run_tool, message.tool_calls)]
        asking["tool_choice"] = "auto"
        answer = caller.mistral.chat.complete(**asking).choices[0].message.content
        agent.set_output(answer)
    return str(answer)


def _run_tool(call: Any) -> dict[str, str]:
    """Look a payment up as `retrieve_payment_status` and `retrieve_payment_date` promise."""
    name, arguments = call.function.name, json.loads(call.function.arguments)
    with span(name, kind="tool", tool_call_id=call.id) as tool:
        tool.set_input(arguments)
        wanted = name.removeprefix("retrieve_payment_")
        result = {wanted: PAYMENTS.get(arguments.get("payment_id"), {}).get(wanted, "unknown")}
        tool.set_output(result)
    return {"role": "tool", "name": name, "content": json.dumps(result), "tool_call_id": call.id}


async def _translations(caller: Caller) -> str:
    """Ask three things at once, under one span."""
    questions = [caller.asking(f"chat.completions/translate_{language}") for language in LANGUAGES]
    with span("translate a notice") as whole:
        answers = await asyncio.gather(
            *(caller.mistral.chat.complete_async(**q) for q in questions)
        )
        texts = [str(answer.choices[0].message.content) for answer in answers]
        whole.set_output(texts)
    return " ".join(texts)


def _embeddings(caller: Caller) -> str:
    found = caller.mistral.embeddings.create(**caller.asking("embeddings/many")).data
    return f"{len(found)} vectors of {len(found[0].embedding)} dimensions"


def _retried(caller: Caller) -> str:
    """Have the SDK itself send a request again that met a 429."""
    utils = sdk(".utils")
    backoff = utils.BackoffStrategy(
        initial_interval=100, max_interval=400, exponent=1.5, max_elapsed_time=10_000
    )
    retries = utils.RetryConfig("backoff", backoff, retry_connection_errors=False)
    asking = caller.asking("chat.completions/rate_limited")
    answer = caller.mistral.chat.complete(**asking, retries=retries)
    return str(answer.choices[0].message.content)


def _left_early(caller: Caller) -> str:
    """Read one sentence of a long stream and leave."""
    text = ""
    for event in caller.mistral.chat.stream(**caller.asking("chat.completions/streamed_long")):
        text += _delta(event)
        if "." in text:
            break
    return f"{text} …"


def _delta(event: Any) -> str:
    return event.data.choices[0].delta.content or ""


STORIES = (
    Story("a chat", _chat, ("chat.completions/plain",)),
    Story("a streamed chat", _streamed, ("chat.completions/streamed",)),
    Story("an async stream", _streamed_async, ("chat.completions/streamed_async",)),
    Story(
        "a tool call, with its second turn",
        _payment,
        ("chat.completions/payments_first_turn", "chat.completions/payments_second_turn"),
    ),
    Story(
        "three calls at once",
        _translations,
        tuple(f"chat.completions/translate_{language}" for language in LANGUAGES),
    ),
    Story("embeddings", _embeddings, ("embeddings/many",)),
    Story(
        "a 429, sent again by the SDK",
        _retried,
        ("chat.completions/rate_limited", "chat.completions/after_rate_limit"),
        only_replayed=True,
    ),
    Story("a stream that is left early", _left_early, ("chat.completions/streamed_long",)),
)
