"""Three completions at once, under one function.

translate                          asks in three languages at the same time
├─ into                            each call under the function that made it
│  └─ chat mistral-small-latest
├─ into
│  └─ chat mistral-small-latest
└─ into
   └─ chat mistral-small-latest
"""

import asyncio

import interceptor

TREE = ["translate", *["  into", "    chat mistral-small-latest"] * 3]
LANGUAGES = ("German", "Italian", "Spanish")
ANSWERED_BY = tuple(f"chat.completions/translate_{language.lower()}" for language in LANGUAGES)


@interceptor.observe
async def translate(mistral, text):
    return await asyncio.gather(*(into(mistral, language, text) for language in LANGUAGES))


@interceptor.observe
async def into(mistral, language, text):
    messages = [{"role": "user", "content": f"Translate into {language}: {text}"}]
    answer = await mistral.chat.complete_async(model="mistral-small-latest", messages=messages)
    return answer.choices[0].message.content


async def tell(mistral):
    notice = "The sea is calm today, and the ferry leaves at eight."
    return " ".join(await translate(mistral, notice))
