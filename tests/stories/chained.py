"""Two completions, the second about what the first answered: the best painter's best painting.

painting_of_the_best_painter
├─ best_painter
│  └─ chat mistral-small-latest
└─ most_famous_painting
   └─ chat mistral-small-latest
"""

import interceptor

TREE = [
    "painting_of_the_best_painter",
    "  best_painter",
    "    chat mistral-small-latest",
    "  most_famous_painting",
    "    chat mistral-small-latest",
]
ANSWERED_BY = ("chat.completions/best_painter", "chat.completions/famous_painting")


@interceptor.observe
def best_painter(mistral, country):
    return ask(mistral, f"Who is the best painter of {country}? Answer with the name alone.")


@interceptor.observe
def most_famous_painting(mistral, painter):
    question = f"What is the most famous painting by {painter}? Answer with its title alone."
    return ask(mistral, question)


@interceptor.observe
def painting_of_the_best_painter(mistral, country):
    return most_famous_painting(mistral, best_painter(mistral, country))


def ask(mistral, question):
    messages = [{"role": "user", "content": question}]
    answer = mistral.chat.complete(model="mistral-small-latest", messages=messages)
    return answer.choices[0].message.content


def tell(mistral):
    return painting_of_the_best_painter(mistral, "the Netherlands")
