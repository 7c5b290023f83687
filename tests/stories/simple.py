"""A completion inside a function.

name_bakery                        what the function was given and gave
└─ chat mistral-small-latest       what went over the wire
"""

import interceptor

TREE = ["name_bakery", "  chat mistral-small-latest"]
ANSWERED_BY = ("chat.completions/plain",)


@interceptor.observe
def name_bakery(mistral, what):
    answer = mistral.chat.complete(
        model="mistral-small-latest",
        messages=[
            {"role": "system", "content": "You name things."},
            {"role": "user", "content": what},
        ],
    )
    return answer.choices[0].message.content


def tell(mistral):
    return name_bakery(mistral, "A bakery in Lyon that only makes bread with walnuts.")
