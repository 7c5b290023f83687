"""`interceptor env`: variables for a shell, a Dockerfile, and anything else."""

import json
import os
import shlex
import shutil
import sys
from pathlib import Path

import pytest

import interceptor
from interceptor.installing.environment import SITE, missing, variables, way_in
from tests.environments import environ, run

ENV = [sys.executable, "-m", "interceptor", "env"]

PATHS = {
    "nothing on it": "",
    "one folder": "one",
    "two, with a space": os.pathsep.join(["one", "two words"]),
    "an empty part, which is the current folder": os.pathsep.join(["one", ""]),
    "nothing but empty parts": os.pathsep,
    "ours already": SITE,
    "ours behind another": os.pathsep.join(["one", SITE]),
}


def others(path):
    """Give the parts of a PYTHONPATH that are not ours."""
    return [one for one in path.split(os.pathsep) if one != SITE] if path else []


@pytest.mark.parametrize("before", PATHS.values(), ids=PATHS)
def test_a_shell_that_evaluates_it_has_them(before):
    env = environ(PYTHONPATH=before) if before else environ()
    shell = 'eval "$("$0" -m interceptor env)"; echo "$INTERCEPTOR"; echo "$PYTHONPATH"'
    switch, path = run(["sh", "-c", shell, sys.executable], env=env)[0].splitlines()
    assert switch == "1"
    assert path.split(os.pathsep).count(SITE) == 1
    assert others(path) == others(before)


@pytest.mark.parametrize("before", PATHS.values(), ids=PATHS)
def test_json_is_the_variables_themselves(before):
    printed = run([*ENV, "--json"], env=environ(PYTHONPATH=before))[0]
    found = json.loads(printed)
    assert found == variables({"PYTHONPATH": before})
    assert found["PYTHONPATH"].split(os.pathsep)[0] == SITE
    assert others(found["PYTHONPATH"]) == others(before)


@pytest.mark.parametrize("before", ["", SITE], ids=["", "where a shell has it already"])
def test_a_dockerfile_reads_what_the_image_has(before):
    printed = run([*ENV, "--docker"], env=environ(PYTHONPATH=before))[0]
    assert printed == (f'ENV INTERCEPTOR=1\nENV PYTHONPATH="{SITE}${{PYTHONPATH:+:$PYTHONPATH}}"\n')
    shlex.split(printed)  # the quotes are closed


def test_a_dockerfile_reads_a_path_as_it_is(tmp_path):
    odd = tmp_path / 'a "$HOME" \\ b'
    shutil.copytree(Path(interceptor.__file__).parent, odd / "interceptor")
    lines = run([*ENV, "--docker"], env=environ(), cwd=odd)[0].splitlines()
    quoted = lines[1].removeprefix("ENV PYTHONPATH=")  # as a shell quotes, so far
    path = run(["sh", "-c", f"printf %s {quoted}"], env=environ(PATH=os.defpath))[0]
    assert path == str(odd / "interceptor" / "installing" / "site")


def test_a_bad_setting_is_said():
    _, errors = run(ENV, env=environ(INTERCEPTOR_METRICS="all"), status=1)
    assert errors.startswith("interceptor: INTERCEPTOR_METRICS is 'all'; use one of: ")
    _, errors = run(ENV, env=environ(INTERCEPTOR_OPERATIONS="embedding"), status=1)
    assert errors.startswith("interceptor: INTERCEPTOR_OPERATIONS names 'embedding'; use all, ")
    assert run(ENV, env=environ(INTERCEPTOR_OPERATIONS="embeddings, chat"))[1] == ""


WAYS = {
    "nothing is set": ({}, False, False),
    "only the switch": ({"INTERCEPTOR": "1"}, False, True),
    "the switch and the path": ({"INTERCEPTOR": "on", "PYTHONPATH": SITE}, True, False),
    "the path alone": ({"PYTHONPATH": SITE}, False, False),
    "off": ({"INTERCEPTOR": "0", "PYTHONPATH": SITE}, False, False),
    "disabled": (
        {"INTERCEPTOR": "1", "PYTHONPATH": SITE, "OTEL_SDK_DISABLED": "TRUE"},
        False,
        False,
    ),
    "no switch that we know": ({"INTERCEPTOR": "yes", "PYTHONPATH": SITE}, False, False),
}


@pytest.mark.parametrize(("given", "is_on", "lacks"), WAYS.values(), ids=WAYS)
def test_what_switches_recording_on_and_what_is_missing(given, is_on, lacks):
    assert (way_in(given) is not None) == is_on
    assert (missing(given) is not None) == lacks


def test_ls_says_what_is_missing_too(tmp_path):
    env = environ(INTERCEPTOR="1", XDG_STATE_HOME=tmp_path)
    _, errors = run([sys.executable, "-m", "interceptor", "ls"], env=env)
    assert errors == f"interceptor: {missing({'INTERCEPTOR': '1'})}\n"
