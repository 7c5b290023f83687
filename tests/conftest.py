"""What every test may ask for."""

import pytest


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """Run every async test under both event loops: nothing of ours is bound to one."""
    return request.param
