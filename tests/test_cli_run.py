"""`interceptor run`: what it makes of its words, and what it becomes."""

import os
import signal
import sys
from pathlib import Path

import pytest

from interceptor.cli import main
from interceptor.installing.environment import SITE
from tests.environments import environ, run

RUN = [sys.executable, "-m", "interceptor", "run"]
SAYS = "import sys, os; print(sys.argv[1:], os.environ['INTERCEPTOR'], os.environ['PYTHONPATH'])"


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "says.py"
    path.write_text(f"{SAYS}\n", "utf-8")
    return path


def said(*words, **changes):
    return run([*RUN, *map(str, words)], env=environ(**changes))


def test_a_script_and_all_its_words(program):
    words = ["--help", "-m", "--", "-x", "a b"]
    assert said(program, *words) == (f"{words} 1 {SITE}\n", "")


def test_a_module_and_all_its_words(program):
    words = ["--help", "-m", "-x", "a b"]
    before = str(program.parent)
    printed = f"{words} 1 {os.pathsep.join([SITE, before])}\n"
    assert said("-m", "says", *words, PYTHONPATH=before) == (printed, "")


def test_a_folder_with_a_main(program):
    program.rename(program.parent / "__main__.py")
    assert said(program.parent, "x")[0] == f"['x'] 1 {SITE}\n"


def test_a_command_on_the_path():
    assert said("sh", "-c", 'echo "$0 $INTERCEPTOR"', "-x")[0] == "-x 1\n"


def commands(folder, **texts):
    """Write commands, and give the PATH on which they are."""
    folder.mkdir()
    for name, text in texts.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    return os.pathsep.join([str(folder), os.defpath])


def test_a_folder_that_only_bears_a_commands_name(tmp_path):
    (tmp_path / "alembic").mkdir()
    path = commands(tmp_path / "bin", alembic="echo the command $1")
    printed, _ = run([*RUN, "alembic", "upgrade"], env=environ(PATH=path), cwd=tmp_path)
    assert printed == "the command upgrade\n"


def test_a_command_that_is_named_as_a_script(tmp_path):
    path = commands(tmp_path / "bin", **{"rst2html.py": "echo the command $1"})
    assert said("rst2html.py", "-x", PATH=path)[0] == "the command -x\n"


def test_a_script_comes_before_a_command_of_its_name(program, tmp_path):
    path = commands(tmp_path / "bin", **{program.name: "echo the command"})
    printed, _ = run([*RUN, program.name], env=environ(PATH=path), cwd=tmp_path)
    assert printed == f"[] 1 {SITE}\n"


def test_signals_do_to_a_command_what_they_do_without_us():
    """Python ignores some, and what it becomes would go on ignoring them."""
    written = ["sh", "-c", "kill -PIPE $$; echo ignored"]
    assert run([*RUN, *written], env=environ(), status=-signal.SIGPIPE) == ("", "")


def test_a_script_without_a_suffix(program):
    path = program.rename(program.parent / "says")
    assert said(path)[0] == f"[] 1 {SITE}\n"


def test_the_exit_status_and_the_process_are_the_programs(program):
    program.write_text("import os, sys; print(os.getppid()); sys.exit(7)")
    printed, _ = run([*RUN, str(program)], env=environ(), status=7)
    assert printed == f"{os.getpid()}\n"  # no process stands between


def test_its_usage_names_what_its_text_speaks_of(capsys):
    assert main(["run", "--help"]) == 0
    usage = capsys.readouterr().out.partition("\n\n")[0]
    assert usage == "usage: interceptor run [-h] [-m MODULE | COMMAND] [ARG …]"


REFUSED = {
    "nothing": ([], {}, "nothing to run"),
    "neither file nor command": (["no-such"], {}, "there is no file and no command 'no-such'"),
    "a missing script": (["no/such.py"], {}, "can't open file"),
    "no operation": (
        ["-m", "this"],
        {"INTERCEPTOR_OPERATIONS": "inference,chta"},
        "INTERCEPTOR_OPERATIONS names 'chta'; use all, inference, or names such as ",
    ),
    "a bad setting": (
        ["-m", "this"],
        {"INTERCEPTOR_CONTENT": "some"},
        "INTERCEPTOR_CONTENT is 'so",
    ),
}


@pytest.mark.parametrize(("words", "changes", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_run_is_said(words, changes, reason):
    status = 2 if words == ["no/such.py"] else 1  # Python itself says that one
    _, errors = run([*RUN, *words], env=environ(**changes), status=status)
    assert reason in errors
    assert errors.count("\n") == 1


def test_a_command_that_cannot_be_executed_is_said(tmp_path):
    path = tmp_path / "odd"
    path.write_bytes(b"\0neither a script nor a program")
    path.chmod(0o755)
    _, errors = run([*RUN, str(path)], env=environ(), status=1)
    assert errors == f"interceptor: {str(path)!r} cannot be run: Exec format error\n"


@pytest.mark.parametrize(
    ("off", "why"),
    [({"INTERCEPTOR": "0"}, "INTERCEPTOR is 0"), ({"OTEL_SDK_DISABLED": "true"}, "OTEL_SDK_DIS")],
    ids=["INTERCEPTOR", "OTEL_SDK_DISABLED"],
)
def test_what_is_off_stays_off(program, off, why):
    printed, errors = said(program, **off)
    assert printed == f"[] 0 {SITE}\n"
    assert errors.startswith(f"interceptor: {why}")
    assert Path(SITE, "sitecustomize.py").is_file()
