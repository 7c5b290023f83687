"""What every test may ask for."""

import pytest

import interceptor


def pytest_addoption(parser):
    parser.addoption("--bless", action="store_true", help="rewrite record.json of each fixture")


@pytest.fixture(scope="session")
def bless(request):
    """Whether what is read of a fixture is to be taken as right."""
    return request.config.getoption("--bless")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """Run every async test under both event loops: nothing of ours is bound to one."""
    return request.param


@pytest.fixture
def in_memory():
    """Record with all words, and keep the traces in memory."""
    interceptor.configure(destinations=(), content="full")
    yield
    interceptor.shutdown()
