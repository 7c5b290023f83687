"""What the last trace used: in all, and call by call.

painting_of_the_best_painter
├─ best_painter
│  └─ chat mistral-small-latest    20 tokens in, 4 out
└─ most_famous_painting
   └─ chat mistral-small-latest    23 tokens in, 6 out
"""

import interceptor
from tests.stories import chained

TREE = chained.TREE
ANSWERED_BY = chained.ANSWERED_BY


def tell(mistral):
    chained.tell(mistral)
    trace = interceptor.get_trace(interceptor.last_trace_id())
    used = trace.token_usage
    total = f"{used.input_tokens} + {used.output_tokens} = {used.total_tokens} tokens"
    calls = (
        f"{call.usage.input_tokens} + {call.usage.output_tokens}: {call.name}"
        for call in trace.find("chat *")
    )
    return "\n".join([total, *calls])
