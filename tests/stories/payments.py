"""Two tools over a table of payments: the model asks for them, and answers from what they found.

answer_about_payment
├─ chat mistral-small-latest       asks for both tools
├─ retrieve_payment_status         ran for the model's first tool call…
├─ retrieve_payment_date           …and for its second: linked by their ids to the call above
└─ chat mistral-small-latest       took both results: linked to the call and to the tools
"""

import json

import interceptor

TREE = [
    "answer_about_payment",
    "  chat mistral-small-latest",
    "  retrieve_payment_status",
    "  retrieve_payment_date",
    "  chat mistral-small-latest",
]
ANSWERED_BY = ("chat.completions/payments_first_turn", "chat.completions/payments_second_turn")

PAYMENTS = {
    "P-1001": {"status": "paid", "date": "2026-09-14"},
    "P-1002": {"status": "refunded", "date": "2026-09-30"},
    "P-1003": {"status": "pending", "date": "2026-10-05"},
}


@interceptor.observe(kind="tool")
def retrieve_payment_status(payment_id, tool_call_id):
    return {"status": PAYMENTS[payment_id]["status"]}


@interceptor.observe(kind="tool")
def retrieve_payment_date(payment_id, tool_call_id):
    return {"date": PAYMENTS[payment_id]["date"]}


TOOLS = {tool.__name__: tool for tool in (retrieve_payment_status, retrieve_payment_date)}
DEFINITIONS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": description,
            "parameters": {
                "type": "object",
                "properties": {"payment_id": {"type": "string"}},
                "required": ["payment_id"],
            },
        },
    }
    for name, description in (
        ("retrieve_payment_status", "Tell whether a payment has gone through."),
        ("retrieve_payment_date", "Tell on which day a payment was made."),
    )
]


@interceptor.observe(kind="agent")
def answer_about_payment(mistral, question):
    messages = [{"role": "user", "content": question}]
    message = ask(mistral, messages, tool_choice="any")
    messages += [message, *map(run, message.tool_calls)]
    return ask(mistral, messages, tool_choice="auto").content


def ask(mistral, messages, tool_choice):
    answer = mistral.chat.complete(
        model="mistral-small-latest", messages=messages, tools=DEFINITIONS, tool_choice=tool_choice
    )
    return answer.choices[0].message


def run(call):
    """Run the tool that the model asks for, and give its result as a message."""
    arguments = call.function.arguments
    if isinstance(arguments, str):
        arguments = json.loads(arguments)
    result = TOOLS[call.function.name](**arguments, tool_call_id=call.id)
    return {
        "role": "tool",
        "name": call.function.name,
        "content": json.dumps(result),
        "tool_call_id": call.id,
    }


def tell(mistral):
    question = "Has payment P-1003 gone through, and on which day was it made?"
    return answer_about_payment(mistral, question)
