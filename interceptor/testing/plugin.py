"""The pytest fixture `interceptor_records`; pytest finds it by itself."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interceptor.record import Record

__all__ = ["interceptor_records"]


@pytest.fixture
def interceptor_records() -> "Iterator[list[Record]]":
    """The records of the calls that the test makes to Mistral's API, as they end."""
    from interceptor.testing import recorded  # not before a test asks for it

    with recorded() as records:
        yield records
