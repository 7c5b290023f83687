"""For your own tests: the records of the calls that a block makes.

    with interceptor.testing.recorded() as records:
        answer = my_function(mistral)
    assert records[0].input.model == "mistral-small-latest"

With pytest, the fixture `interceptor_records` is such a list for the whole test. Every run of
pytest imports this package, so that it loads nothing by itself.
"""

TYPE_CHECKING = False

if TYPE_CHECKING:
    from interceptor.testing.records import recorded

__all__ = ["recorded"]


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name not in __all__:
        raise AttributeError(f"module 'interceptor.testing' has no attribute {name!r}")
    found: object = getattr(import_module("interceptor.testing.records"), name)
    return found
