"""The test matrix: each release line of the SDK, on each Python that is installed here.

`make test-matrix` runs all of it; `nox --list` names the sessions, `nox -s 'sdk-3.13(3-newest)'`
runs one. A Python that is not installed is skipped, and nox says so. CI has an hour for all it
does: where the variable CI is set, every release line runs on the oldest Python, and on the others
the newest line alone.
"""

import os
import shutil
import subprocess
import tomllib
from pathlib import Path

import nox

PYTHONS = ("3.11", "3.12", "3.13", "3.14")

# mistralai 1.x and 2.x run on httpx, 3.x on httpx2. The oldest of a line has beside it the oldest
# HTTP libraries that it allows; pip finds the newest for the newest.
LINES = {
    "1-oldest": ("mistralai==1.0.0", "httpx==0.27.0"),
    "1-newest": ("mistralai~=1.0",),
    "2-oldest": ("mistralai==2.0.0", "httpx==0.28.1"),
    "2-newest": ("mistralai~=2.0",),
    "3-oldest": ("mistralai==3.0.0", "httpx2==2.13.0", "httpx==0.27.0"),
    "3-newest": ("mistralai~=3.0",),
}

FRAMEWORKS = (
    "langchain-mistralai",
    "litellm",
    "llama-index-llms-mistralai",
    "pydantic-ai-slim[mistral]",
)

nox.options.error_on_missing_interpreters = False
nox.options.reuse_venv = "yes"
if os.environ.get("CI"):
    nox.options.sessions = (
        *(f"sdk-{PYTHONS[0]}({line})" for line in LINES),
        *(f"sdk-{python}(3-newest)" for python in PYTHONS[1:]),
        f"floors-{PYTHONS[0]}",
        "without_httpx2",
        "without_httpx",
        "frameworks",
    )

if pyenv := shutil.which("pyenv"):
    # Its shims start only the versions that are switched on: switch on all that we may ask for.
    versions = subprocess.check_output([pyenv, "versions", "--bare"], text=True).split()
    wanted = [version for version in versions if version.startswith(PYTHONS)]
    os.environ["PYENV_VERSION"] = ":".join([*wanted, "system"])


@nox.session(python=PYTHONS)
@nox.parametrize("line", list(LINES), ids=list(LINES))
def sdk(session: nox.Session, line: str) -> None:
    """Run the SDK's tests against the oldest or the newest release of a line."""
    install(session, *LINES[line])
    session.run("pytest", "-m", "sdk", *session.posargs)


@nox.session(python=PYTHONS[0])
def floors(session: nox.Session) -> None:
    """Run the SDK's tests on exactly the oldest releases that pyproject.toml allows."""
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
    lowest = [line.split(",")[0].replace(">=", "==") for line in project["dependencies"]]
    install(session, *lowest)
    session.run("pytest", "-m", "sdk", *session.posargs)


@nox.session
def without_httpx2(session: nox.Session) -> None:
    """Run the whole suite where httpx2 is not installed, as beside mistralai 1.x and 2.x."""
    install(session, *LINES["2-newest"], extras="otlp,test")
    session.run("pytest", *session.posargs)


@nox.session
def without_httpx(session: nox.Session) -> None:
    """Run the whole suite where httpx cannot be imported, which mistralai 3.x does not need."""
    install(session, *LINES["3-newest"], extras="otlp,test")
    session.run("pip", "uninstall", "--quiet", "--yes", "httpx")
    session.run("pytest", *session.posargs)


@nox.session
def frameworks(session: nox.Session) -> None:
    """Run the tests of frameworks that talk to Mistral, each in the newest release that fits."""
    install(session, *FRAMEWORKS)
    session.run("pytest", "-m", "frameworks", *session.posargs)


def install(session: nox.Session, *requirements: str, extras: str = "otlp,test") -> None:
    """Install this checkout with what a session wants beside it, in one resolution."""
    session.install("--upgrade", "--editable", f".[{extras}]", *requirements)
