"""A streamed completion, its chunks passed on by a generator.

verses                             lasts until its reader has the last chunk; gave them all
└─ chat mistral-small-latest
"""

import interceptor

TREE = ["verses", "  chat mistral-small-latest"]
ANSWERED_BY = ("chat.completions/streamed",)


@interceptor.observe
def verses(mistral, about):
    events = mistral.chat.stream(
        model="mistral-small-latest",
        messages=[
            {"role": "user", "content": f"Write four lines about {about}. End with one emoji."}
        ],
    )
    for event in events:
        yield event.data.choices[0].delta.content


def tell(mistral):
    return "".join(chunk or "" for chunk in verses(mistral, "a lighthouse at dawn"))
