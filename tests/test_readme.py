"""What the front door says is so: its snippets run, its commands and settings exist, and all do."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import interceptor
from interceptor import endpoints
from interceptor.cli import COMMANDS
from interceptor.replay import Server
from interceptor.settings import VARIABLES

README = Path(__file__).parent.parent / "README.md"
TEXT = README.read_text("utf-8")
SNIPPETS = re.findall(r"^```python\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)

# A reader has a key and the network; here every Mistral client speaks to a server of ours, which
# takes the place of the SDK's own default.
PRELUDE = """
import sys, types
try:
    from mistralai.client import Mistral as Original
except ImportError:  # mistralai 1.x
    from mistralai import Mistral as Original

class Mistral(Original):
    def __init__(self, **options):
        super().__init__(server_url=sys.argv[1], **options)

sys.modules["sdk"] = types.SimpleNamespace(Mistral=Mistral)
"""


@pytest.fixture
def server(snippet):
    turns = (
        ("payments_first_turn", "payments_second_turn") if "get_trace" in snippet else ("plain",)
    )
    with Server.of(*(f"chat.completions/{turn}" for turn in turns)) as found:
        yield found


def ran(snippet: str, server: Server, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a snippet as it stands, in a program and a folder of its own."""
    if "interceptor.get_trace" in snippet and "Mistral(" not in snippet:
        snippet = next(s for s in SNIPPETS if "PAYMENTS" in s) + snippet
    program = folder / "program.py"
    program.write_text(PRELUDE + snippet.replace("from mistralai.client import", "from sdk import"))
    environ = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("INTERCEPTOR", "OTEL_"))},
        "XDG_STATE_HOME": str(folder),
    }
    return subprocess.run(
        [sys.executable, program, server.url],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.sdk
@pytest.mark.parametrize("snippet", SNIPPETS, ids=range(len(SNIPPETS)))
def test_snippets_run(snippet, server, tmp_path):
    """Each Python snippet runs as it stands."""
    if "httpx2" in snippet:
        pytest.importorskip("httpx2")
    done = ran(snippet, server, tmp_path)
    assert done.returncode == 0, done.stderr


SHOWN = re.findall(r"^\$ interceptor (ls|show)\n(.*?)^(?=\$|```)", TEXT, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(
    ("snippet", "command", "says"),
    [
        (SNIPPETS[0], *SHOWN[0]),
        (SNIPPETS[0], *SHOWN[1]),
        (next(s for s in SNIPPETS if "PAYMENTS" in s), *SHOWN[2]),
    ],
    ids=["ls", "show", "payments"],
)
def test_what_the_commands_print_is_so(snippet, command, says, server, tmp_path):
    """After a snippet, a command prints what stands below it here; times and ids aside."""
    assert ran(snippet, server, tmp_path).returncode == 0
    environ = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "COLUMNS": "80"}
    done = subprocess.run(
        [sys.executable, "-m", "interceptor", command],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    printed = constant_words(done.stdout)
    assert [word for word in constant_words(says) if word not in printed] == []


def constant_words(text: str) -> list[str]:
    """Give the words of an output that do not differ from run to run, nor with its width."""
    changing = r"\b[0-9a-f]{8,32}\b|[\d:.-]*\d+(ms|s|B|:\d\d)?\b|[━╸╺]+|\w*…|api\.mistral\.ai|tls"
    return re.findall(r"[A-Za-z'][\w'-]*", re.sub(changing, " ", text))


def test_the_first_snippet_is_short():
    lines = [line for line in SNIPPETS[0].splitlines() if line.strip()]
    assert len(lines) <= 8


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_documented(command):
    assert f"interceptor {command}" in TEXT


@pytest.mark.parametrize("variable", VARIABLES)
def test_settings_are_documented(variable):
    field, _ = VARIABLES[variable]
    assert re.search(rf"^\|.*`{variable}[` =]", TEXT, re.MULTILINE), variable
    assert f"`{field}`" in TEXT


def test_an_unknown_setting_is_answered_with_those_that_are_documented():
    """Each that the table of settings has, and no other."""
    table = TEXT.partition("## Settings")[2].partition("Honoured besides")[0]
    columns = [line.split("|")[2] for line in table.splitlines() if line.startswith("|")]
    documented = {name for column in columns for name in re.findall(r"`(\w+)`", column)}
    with pytest.raises(interceptor.SettingsError) as caught:
        interceptor.configure(contents="full")
    listed = str(caught.value).partition("there are: ")[2]
    assert sorted(listed.split(", ")) == sorted(documented)


def test_endpoints_are_documented():
    """Every endpoint that runs a model has its line, and no line is of one that is not there."""
    known = {row.name for row in endpoints.TABLE if row.is_inference}
    said = set(re.findall(r"^\| `([a-z_.]+)` \|", TEXT, re.MULTILINE))
    assert said == known
