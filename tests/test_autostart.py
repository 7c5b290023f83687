"""`interceptor autostart`: one line in an environment's site-packages, on its user's word."""

import os
import sysconfig
from pathlib import Path

import pytest

from interceptor.errors import InterceptorError
from interceptor.installing import autostart
from interceptor.installing.environment import missing, way_in
from tests.environments import Environment, environ, run


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Give a folder that stands for this environment's site-packages."""
    paths = dict(sysconfig.get_paths(), purelib=str(tmp_path))
    monkeypatch.setattr(sysconfig, "get_path", paths.__getitem__)
    return tmp_path


def test_a_command_for_each_step(tmp_path):
    venv = Environment(tmp_path)

    def said(word):
        return run(venv.interceptor("autostart", word), env=environ())[0].splitlines()

    files = [f"  {venv.packages / name}" for name in autostart.FILES]
    enabled = ["autostart is enabled: INTERCEPTOR=1 switches recording on", *files]
    before = set(venv.packages.iterdir())
    assert said("status") == ["autostart is not enabled"]
    assert said("enable") == enabled
    assert said("enable") == said("status") == enabled
    assert said("disable") == [f"removed {line.strip()}" for line in files]
    assert said("disable") == ["autostart was not enabled"]
    assert set(venv.packages.iterdir()) == before


def test_one_line_is_run_and_it_says_what_it_does(packages):
    pth, _ = autostart.enable()
    comment, line = pth.read_text("utf-8").splitlines()
    assert comment.startswith("# Written by `interceptor autostart enable`;")
    assert line.startswith("import os, sys; os.environ.get(")


STARTS = {
    "unset": ({}, False),
    "on": ({"INTERCEPTOR": "1"}, True),
    "on, in a word": ({"INTERCEPTOR": "True"}, True),
    "on, with spaces around": ({"INTERCEPTOR": " 1 "}, True),
    "off": ({"INTERCEPTOR": "0"}, False),
    "disabled": ({"INTERCEPTOR": "1", "OTEL_SDK_DISABLED": "true"}, False),
}


@pytest.mark.parametrize(("changes", "is_started"), STARTS.values(), ids=STARTS)
def test_a_python_is_started_as_the_variables_say(tmp_path, changes, is_started):
    venv = Environment(tmp_path)
    run(venv.interceptor("autostart", "enable"), env=environ())
    code = (
        "import sys; boot = sys.modules.get('interceptor.installing.boot');"
        "print(boot is not None and boot.is_started())"
    )
    assert run([venv.python, "-c", code], env=environ(**changes)) == (f"{is_started}\n", "")


def test_what_is_left_of_it_when_interceptor_has_gone_does_nothing(tmp_path):
    venv = Environment(tmp_path)
    run(venv.interceptor("autostart", "enable"), env=environ())
    (venv.packages / "a-test.pth").unlink()  # by which it is found
    assert run([venv.python, "-c", ""], env=environ(INTERCEPTOR="1")) == ("", "")


def test_the_file_for_newer_pythons_names_what_there_is(packages):
    _, start = autostart.enable()
    module, _, function = start.read_text("utf-8").strip().partition(":")
    assert callable(getattr(__import__(module, fromlist=[function]), function))


def test_it_is_what_the_switch_alone_goes_by(packages):
    switch = {"INTERCEPTOR": "1"}
    assert missing(switch) is not None
    pth, _ = autostart.enable()
    assert way_in(switch) == f"INTERCEPTOR, and {pth}"
    assert missing(switch) is None


@pytest.mark.skipif(os.name == "nt", reason="folders have no such modes there")
def test_a_folder_that_cannot_be_written_is_said(packages, monkeypatch):
    nowhere = packages / "missing"
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(nowhere))
    with pytest.raises(InterceptorError, match=r"cannot be written to '.*\.pth' \(No such file"):
        autostart.enable()


def test_a_file_that_cannot_be_removed_is_said(packages, monkeypatch):
    autostart.enable()

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(InterceptorError, match=r"cannot be removed \(Permission denied\)"):
        autostart.disable()
