"""A stream read asynchronously, its chunks passed on by an async generator.

explain
└─ chat mistral-small-latest
"""

import interceptor

TREE = ["explain", "  chat mistral-small-latest"]
ANSWERED_BY = ("chat.completions/streamed_async",)


@interceptor.observe
async def explain(mistral, question):
    events = await mistral.chat.stream_async(
        model="mistral-small-latest",
        messages=[{"role": "user", "content": f"In two sentences: {question}"}],
    )
    async for event in events:
        yield event.data.choices[0].delta.content


async def tell(mistral):
    chunks = [chunk async for chunk in explain(mistral, "why is the sky red in the evening?")]
    return "".join(chunk or "" for chunk in chunks)
