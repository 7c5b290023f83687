"""Recording switched off, and on again: what happens in between leaves no trace."""

import interceptor
from tests.stories import simple

TREE = simple.TREE
ANSWERED_BY = simple.ANSWERED_BY * 3


def tell(mistral):
    before = simple.tell(mistral)
    interceptor.configure(on=False)
    simple.tell(mistral)
    interceptor.configure()
    return before + simple.tell(mistral)
