"""Which process is which, and whether it is gone."""

import os
import subprocess
import sys

import pytest

from interceptor.store._processes import is_gone, pid_of, this_process

HERE = this_process().split("/")
needs_proc = pytest.mark.skipif(not HERE[0], reason="this system has no /proc")


def named(*, boot=HERE[0], space=HERE[1], pid=HERE[2], start=HERE[3]):
    return f"{boot}/{space}/{pid}/{start}"


@pytest.fixture
def dead_pid():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
        return str(process.pid)


def test_this_process_is_here():
    assert pid_of(this_process()) == os.getpid()
    assert not is_gone(this_process())


def test_a_dead_process_is_gone(dead_pid):
    assert is_gone(named(pid=dead_pid))


def test_where_starts_are_not_told_the_number_decides(dead_pid):
    assert not is_gone(named(start=""))
    assert is_gone(named(pid=dead_pid, start=""))


@needs_proc
def test_its_number_may_be_used_again():
    assert is_gone(named(start="1"))


@needs_proc
def test_no_process_outlives_its_boot():
    assert is_gone(named(boot="another"))


@needs_proc
def test_another_container_counts_its_own_numbers(dead_pid):
    assert not is_gone(named(space="another", pid=dead_pid))


@needs_proc
def test_a_dead_process_is_gone_before_its_parent_has_seen_it():
    code = "import interceptor.store._processes as p; print(p.this_process())"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    name = process.communicate()[0].strip()
    with process:
        assert is_gone(name)
