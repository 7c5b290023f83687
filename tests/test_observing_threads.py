"""Threads that know where they were started from."""

import pytest

import interceptor
from tests import kept

pytestmark = pytest.mark.usefixtures("in_memory")


@interceptor.observe
def work(number, *, times=1):
    return number * times


def test_its_tasks_are_children_of_their_submitter():
    with interceptor.ContextThreadPoolExecutor(4) as pool, interceptor.context(user_id="u"):
        with interceptor.span("root"):
            futures = [pool.submit(work, one, times=2) for one in range(20)]
        assert [future.result() for future in futures] == [2 * one for one in range(20)]
        assert list(pool.map(work, range(3))) == [0, 1, 2]
    assert kept.parents() == {("work", "root"): 20, ("work", None): 3, ("root", None): 1}
    assert {span.attributes["user.id"] for span in kept.spans()} == {"u"}


def test_it_is_an_executor_like_any_other():
    def fails():
        raise LookupError("no")

    with interceptor.ContextThreadPoolExecutor(max_workers=1) as pool:
        with pytest.raises(LookupError):
            pool.submit(fails).result()
        assert pool.submit(dict, fn=1).result() == {"fn": 1}
