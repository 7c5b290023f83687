"""Each way in that needs no line of code, as its user takes it: in processes, end to end."""

import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.request import urlopen

import pytest

from interceptor.installing.environment import variables
from interceptor.replay import Server
from tests.environments import ANSWER, PROGRAMS, TOKENS, Environment, environ, run, traces
from tests.waiting import until


@pytest.fixture(scope="module")
def venv(tmp_path_factory):
    return Environment(tmp_path_factory.mktemp("venv"))


@pytest.fixture(scope="module")
def autostarted(tmp_path_factory):
    """Give an environment in which `interceptor autostart enable` was said."""
    one = Environment(tmp_path_factory.mktemp("autostarted"))
    run(one.interceptor("autostart", "enable"), env=environ())
    return one


@pytest.fixture
def server():
    with Server.of(ANSWER) as one:
        yield one


@pytest.fixture
def store(tmp_path):
    return tmp_path / "traces.db"


def script(_folder, url, *words):
    return [str(PROGRAMS / "call.py"), url, *words]


def module(_folder, url):
    return ["-m", "call", url]


def installed(folder, url):
    """Write what an installer writes for a console script; a Python runs it by its first line."""
    path = folder / "call-mistral"
    path.write_text(
        f"#!/usr/bin/env python\nimport sys\nsys.path.append({str(PROGRAMS)!r})\n"
        "from call import main\nsys.exit(main(*sys.argv[1:]))\n"
    )
    path.chmod(0o755)
    return [str(path), url]


PROGRAMS_OF = {
    "a script": script,
    "a module": module,
    "a console script": installed,
    "a subprocess": lambda folder, url: script(folder, url, "subprocess"),
    "multiprocessing, spawn": lambda folder, url: script(folder, url, "spawn"),
    "multiprocessing, fork": lambda folder, url: script(folder, url, "fork"),
}
every_program = pytest.mark.parametrize("program", PROGRAMS_OF.values(), ids=PROGRAMS_OF)


def assert_recorded(store, server, printed):
    """Assert that the program had its answer, and that its one call is in the store."""
    assert printed == (f"{TOKENS}\n", printed[1])
    assert printed[1].startswith("interceptor: traces are kept in ")
    (trace,) = traces(store)
    assert len(server.requests) == 1
    assert (trace.name, str(trace.total_tokens)) == ("chat mistral-small-latest", TOKENS)


def on_path(one):
    """Give the PATH on which this environment's Python is the first."""
    return f"{one.packages.parents[2] / 'bin'}:/usr/bin:/bin"


@pytest.mark.sdk
@every_program
def test_run(venv, server, store, tmp_path, program):
    command = venv.interceptor("run", *program(tmp_path, server.url))
    env = environ(INTERCEPTOR_STORE=store, PATH=on_path(venv))
    assert_recorded(store, server, run(command, env=env, cwd=PROGRAMS))


@every_program
def test_the_variables_that_env_prints(venv, server, store, tmp_path, program):
    words = program(tmp_path, server.url)
    start = [] if program is installed else [venv.python]
    shell = 'eval "$("$0" -m interceptor env)" && exec "$@"'
    env = environ(INTERCEPTOR_STORE=store, PATH=on_path(venv))
    command = ["sh", "-c", shell, venv.python, *start, *words]
    assert_recorded(store, server, run(command, env=env, cwd=PROGRAMS))


@every_program
def test_the_bare_variable_where_autostart_is_enabled(
    autostarted, server, store, tmp_path, program
):
    words = program(tmp_path, server.url)
    start = [] if program is installed else [autostarted.python]
    env = environ(INTERCEPTOR="1", INTERCEPTOR_STORE=store, PATH=on_path(autostarted))
    assert_recorded(store, server, run([*start, *words], env=env, cwd=PROGRAMS))


def test_importing_auto(venv, server, store, tmp_path):
    code = "import interceptor.auto, runpy, sys; runpy.run_path(sys.argv[1], run_name='__main__')"
    path, url = script(tmp_path, server.url)
    command = [venv.python, "-c", code.replace("sys.argv[1]", "sys.argv.pop(1)"), path, url]
    assert_recorded(store, server, run(command, env=environ(INTERCEPTOR_STORE=store)))


def test_opentelemetry_instrument(venv, server, store, tmp_path):
    pytest.importorskip("opentelemetry.instrumentation.auto_instrumentation")
    start = "from opentelemetry.instrumentation.auto_instrumentation import run; run()"
    env = environ(
        INTERCEPTOR_STORE=store,
        OTEL_TRACES_EXPORTER="none",
        OTEL_METRICS_EXPORTER="none",
        OTEL_LOGS_EXPORTER="none",
    )
    words = script(tmp_path, server.url)
    command = [venv.python, "-c", start, venv.python, *words]
    assert_recorded(store, server, run(command, env=env))


# Off, and beside others


@pytest.mark.parametrize(
    "off", [{}, {"INTERCEPTOR": "0"}, {"INTERCEPTOR": "1", "OTEL_SDK_DISABLED": "true"}], ids=str
)
def test_nothing_is_recorded_unless_it_is_switched_on(autostarted, server, store, off):
    env = environ(INTERCEPTOR_STORE=store, PYTHONPATH=variables({})["PYTHONPATH"]) | off
    command = [autostarted.python, *script(None, server.url)]
    assert run(command, env=env) == (f"{TOKENS}\n", "")
    assert not store.exists()


def test_the_switch_wins_over_run(venv, server, store):
    env = environ(INTERCEPTOR="0", INTERCEPTOR_STORE=store)
    said = run(venv.interceptor("run", *script(None, server.url)), env=env)
    assert said == (f"{TOKENS}\n", "interceptor: INTERCEPTOR is 0: nothing is recorded\n")
    assert not store.exists()


@pytest.mark.parametrize("switch", ["1", "0"])
def test_the_users_own_sitecustomize_runs_once(venv, tmp_path, switch):
    (tmp_path / "sitecustomize.py").write_text("print('the user’s own', __name__)\n", "utf-8")
    env = environ(PYTHONPATH=tmp_path, PYTHONUTF8="1")
    env |= variables(env) | {"INTERCEPTOR": switch}
    code = "import sys, sitecustomize; print(sitecustomize.__file__, len(sys.path))"
    said, errors = run([venv.python, "-c", code], env=env)
    plain, _ = run([venv.python, "-c", code], env=environ(PYTHONPATH=tmp_path, PYTHONUTF8="1"))
    assert said == plain  # the same file, and the same number of folders to import from
    assert said.startswith("the user’s own sitecustomize\n")
    assert errors == ""


def test_a_mistake_in_the_users_own_sitecustomize_is_said_as_before(venv, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import no_such_module\n")
    env = environ(PYTHONPATH=tmp_path)
    alone = run([venv.python, "-c", ""], env=env)
    assert "no_such_module" in alone[1]
    assert run([venv.python, "-c", ""], env=env | variables(env)) == alone


def test_a_python_without_interceptor_is_left_alone(tmp_path):
    bare = Environment(tmp_path)
    (bare.packages / "a-test.pth").unlink()
    env = environ()
    code = "import sys; print([name for name in sys.modules if 'interceptor' in name])"
    assert run([bare.python, "-c", code], env=env | variables(env)) == ("[]\n", "")


def test_start_up_imports_nothing(venv):
    code = "import sys; print(*sorted(sys.modules))"
    env = environ()
    plain = set(run([venv.python, "-c", code], env=env)[0].split())
    armed = set(run([venv.python, "-c", code], env=env | variables(env))[0].split())
    ours = {"", ".slot", "._version", ".installing", ".installing.boot"}
    assert armed - plain == {f"interceptor{name}" for name in ours} | {"sitecustomize"}


# Servers, which fork, spawn and reload


@contextmanager
def serving(command, env, log):
    """Run a web server; give its URL once it says it. It must end when it is told to."""
    with (
        log.open("w") as out,
        subprocess.Popen(command, env=env, stderr=out, stdout=out) as process,
    ):
        try:
            yield until(
                lambda: re.search(r"(?:at:|on) (http://127\.0\.0\.1:\d+)", log.read_text())
            )[1]
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            finally:
                process.kill()


def get(url):
    """Give what a server answers, None while it is not there yet."""
    try:
        with urlopen(url, timeout=30) as answer:  # noqa: S310 - a server of ours
            return answer.read().decode()
    except OSError:
        return None


def at_once(url):
    """Ask so often at once that each worker has to answer; give their processes."""
    with ThreadPoolExecutor(8) as pool:
        return set(pool.map(get, [url] * 8)) - {None}


SERVERS = {
    "gunicorn -w 2": ("gunicorn", "-w", "2", "-b", "127.0.0.1:0", "web:wsgi"),
    "gunicorn --preload": ("gunicorn", "-w", "2", "--preload", "-b", "127.0.0.1:0", "web:wsgi"),
    "uvicorn --workers 2": ("uvicorn", "--workers", "2", "--port", "0", "web:asgi"),
}


@pytest.mark.parametrize("words", SERVERS.values(), ids=SERVERS)
def test_the_workers_of_a_server(venv, server, store, tmp_path, words):
    pytest.importorskip(words[0])
    env = environ(INTERCEPTOR_STORE=store, WEB_URL=server.url, PYTHONPATH=PROGRAMS)
    command = venv.interceptor("run", "-m", *words)
    with serving(command, env, tmp_path / "log") as url:
        until(lambda: len(at_once(url)) == 2)
        until(lambda: len(traces(store)) == len(server.requests))
    assert {trace.name for trace in traces(store)} == {"chat mistral-small-latest"}
    assert {trace.status for trace in traces(store)} == {"ok"}


def test_a_server_that_reloads(venv, server, store, tmp_path):
    pytest.importorskip("uvicorn")
    for name in ("web.py", "call.py"):
        (tmp_path / name).write_text((PROGRAMS / name).read_text("utf-8"), "utf-8")
    env = environ(INTERCEPTOR_STORE=store, WEB_URL=server.url, PYTHONPATH=tmp_path)
    words = ("uvicorn", "--reload", "--reload-dir", str(tmp_path), "--port", "0", "web:asgi")
    with serving(venv.interceptor("run", "-m", *words), env, tmp_path / "log") as url:
        first = until(lambda: get(url))
        # Changed again until it is seen: what the reloader has not looked at yet is not news to it.
        until(
            lambda: (tmp_path / "web.py").touch() or "Reloading" in (tmp_path / "log").read_text()
        )
        until(lambda: get(url) not in {None, first})
        reloaded_unix_ns = time.time_ns()
        get(url)
        until(lambda: any(one.start_unix_ns > reloaded_unix_ns for one in traces(store)))


if sys.platform == "win32":  # pragma: no cover
    pytest.skip("no shell and no fork", allow_module_level=True)
