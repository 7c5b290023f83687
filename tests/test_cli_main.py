"""The command line as a whole: how commands are found, and how what they yield is said."""

import contextlib
import importlib
import io
import os
import pkgutil
import re
import signal
import subprocess
import sys
import types

import pytest
from rich.text import Text

from interceptor import __version__, cli
from interceptor.cli import COMMANDS, main
from interceptor.cli._output import Note
from interceptor.errors import InterceptorError
from tests.cli_store import call, keep, messages
from tests.store_spans import span

INTERCEPTOR = [sys.executable, "-m", "interceptor"]


def run(*arguments, **options):
    return subprocess.run(
        [*INTERCEPTOR, *arguments], text=True, capture_output=True, check=False, **options
    )


@pytest.fixture
def command(monkeypatch):
    """Give a function that makes a command `try` of a generator."""

    def make(generate):
        module = types.ModuleType("interceptor.cli.try", "Try something.")
        module.add_arguments = lambda parser: parser.add_argument("word", nargs="?")
        module.run = generate
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setitem(COMMANDS, "try", "try something")

    return make


def test_every_module_is_a_command_and_every_command_a_module():
    modules = {found.name for found in pkgutil.iter_modules(cli.__path__)}
    assert {name for name in modules if not name.startswith("_")} == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_what_it_is(name, capsys):
    assert main([name, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"usage: interceptor {name}" in out
    said = importlib.import_module(f"interceptor.cli.{name}").__doc__
    assert " ".join(said.split()) in " ".join(out.split())


@pytest.mark.parametrize("arguments", [[], ["--help"]], ids=["nothing", "--help"])
def test_help_lists_all_commands(arguments, capsys):
    assert main(arguments) == 0
    out = capsys.readouterr().out
    listed = dict(re.findall(r"^  (\w+)  +(.+)$", out.partition("commands:")[2], re.MULTILINE))
    assert listed == COMMANDS
    assert all(len(line) < 80 for line in out.splitlines())


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"interceptor {__version__}\n"


def test_python_m_interceptor_is_interceptor():
    assert run("--version").stdout == f"interceptor {__version__}\n"


def test_help_loads_no_command():
    code = "import sys; from interceptor.cli import main; main(['--help']); print(*sys.modules)"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    out = subprocess.check_output([sys.executable, "-c", code], text=True, env=environ)
    loaded = out.splitlines()[-1].split()
    assert not {"rich", "sqlite3", "opentelemetry", "msgspec", "httpx"}.intersection(loaded)


BAD = {
    "an unknown command": (["nothing"], "", "invalid choice: 'nothing'"),
    "an option before a command": (["--nothing", "ls"], "", "unrecognized arguments: --nothing"),
    "an unknown option": (["ls", "--limit", "3"], "ls ", "unrecognized arguments: --limit 3"),
    "an unknown argument": (["show", "a", "b"], "show ", "unrecognized arguments: b"),
    "an option without its value": (["ls", "-n"], "ls ", "argument -n: expected one argument"),
    "an argument that is missing": (
        ["autostart"],
        "autostart ",
        "the following arguments are required: {enable,status,disable}",
    ),
}


@pytest.mark.parametrize(("arguments", "command", "said"), BAD.values(), ids=BAD)
def test_what_is_typed_wrongly_is_one_line(arguments, command, said, capsys):
    """It points to the help of the command that was typed."""
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("interceptor: ")
    assert said in line
    assert line.endswith(f"; `interceptor {command}--help` says what there is")


def test_an_error_comes_after_what_was_said_before(command, capsys):
    def generate(args):
        yield f"got {args.word}"
        raise InterceptorError("no more of it")

    command(generate)
    assert main(["try", "this"]) == 1
    assert capsys.readouterr() == ("got this\n", "interceptor: no more of it\n")


def test_our_own_mistakes_are_not_hidden(command):
    def generate(args):
        yield "well so far"
        raise RuntimeError("a mistake")

    command(generate)
    with pytest.raises(RuntimeError, match="a mistake"):
        main(["try"])


def test_a_note_goes_to_stderr(command, capsys):
    command(lambda args: (item for item in ["data", Note("by the way")]))
    assert main(["try"]) == 0
    assert capsys.readouterr() == ("data\n", "interceptor: by the way\n")


def test_text_is_printed_as_it_is(command, capsys):
    said = "[bold]x[/bold] :smile: " + "long " * 40 + "end"
    command(lambda args: (item for item in [said, Text(said)]))
    assert main(["try"]) == 0
    assert capsys.readouterr().out == f"{said}\n{said}\n"


@pytest.mark.parametrize(("leaving", "status"), [(3, 3), (None, 0)])
def test_a_command_may_have_a_status_of_its_own(leaving, status, command):
    def generate(args):
        yield from ()
        raise SystemExit(leaving)

    command(generate)
    assert main(["try"]) == status


def test_ctrl_c_is_quiet_and_lets_the_command_clean_up(command, capsys):
    cleaned = []

    def generate(args):
        try:
            yield "begun"
            raise KeyboardInterrupt
        finally:
            cleaned.append(True)

    command(generate)
    assert main(["try"]) == 128 + signal.SIGINT
    assert capsys.readouterr() == ("begun\n", "")
    assert cleaned


def test_a_reader_that_leaves_is_no_error(tmp_path):
    store = keep(tmp_path / "traces.db", [call(trace=n, at=n) for n in range(1, 2000)])
    command = [*INTERCEPTOR, "ls", "-n", "2000", "--json", "--store", store]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline().startswith(b'{"trace_id"')
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 128 + signal.SIGPIPE


ENCODINGS = {
    "ascii": ["ok chat mistral-Gr??e ~", "x 2  |- tide", "* 3  `- ferry", "running  | -", "===="],
    "cp1252": ["ok chat mistral-Größe …", "x 2  |- tide", "* 3  `- ferry", "running  · –", "===="],
    "utf-8": ["✓ chat mistral-Größe …", "✗ 2  ├─ tide", "● 3  └─ ferry", "running  · –", "━━━━"],
}


@pytest.mark.parametrize(("encoding", "said"), ENCODINGS.items(), ids=ENCODINGS)
def test_a_terminal_that_cannot_say_a_sign_gets_another(encoding, said, tmp_path):
    """None of ours becomes a question mark, which is the sign of what was lost."""
    spans = [
        span("chat mistral-Größe …", trace=1, number=1),
        span("tide", trace=1, number=2, parent=1, lasts=0.3, error="running  · –"),
        span("ferry", trace=1, number=3, parent=1, lasts=None),
    ]
    store = keep(tmp_path / "traces.db", spans)
    environ = {**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "80"}
    out = run("show", "--store", store, env=environ, encoding=encoding).stdout
    assert [one for one in said if one not in out] == []
    assert "?" not in out.replace("Gr??e", "")


WIDTHS = {"COLUMNS=60": 60, "COLUMNS=200": 200, "COLUMNS=1": 1, "COLUMNS=0": None, "": None}


@pytest.mark.parametrize(("setting", "width"), WIDTHS.items(), ids=WIDTHS)
def test_a_pipe_is_as_wide_as_somebody_says(setting, width, tmp_path):
    """And lines are as long as they are where nobody says."""
    said = {"gen_ai.output.messages": messages(("assistant", "word " * 100))}
    store = keep(tmp_path / "traces.db", [call("a name of a step " * 20, trace=1, said=said)])
    environ = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    environ |= dict([setting.split("=")]) if setting else {}
    for command in ("ls", "show"):
        done = run(command, "--store", store, env=environ)
        assert done.returncode == 0
        longest = max(map(len, done.stdout.splitlines()))
        # A text has at least so much room, and a list one for its id.
        limit = max(width, {"ls": 1, "show": 34}[command]) if width else 1000
        assert longest <= limit
        assert width or longest > 200


def test_output_goes_to_whatever_stdout_is(command):
    command(lambda args: (item for item in ["a line", Text("a text")]))
    with contextlib.redirect_stdout(io.StringIO()) as stdout:
        assert main(["try"]) == 0
    assert stdout.getvalue() == "a line\na text\n"
