"""Who may import whom: the table, and the test that holds every module to it.

A new module gets a line in `ROWS`, in the place where it belongs: it may import what stands above
it, what lies in its own folder, and the third parties that its row names.
"""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = "interceptor"


class Row(NamedTuple):
    """What a module, or every module of a folder, may import beside the rows above its own."""

    third: tuple[str, ...] = ()
    lazily: tuple[str, ...] = ()  # third parties too, but inside functions only
    ours: tuple[str, ...] | None = None  # these rows only, where not every row above will do


OTEL_API = tuple(
    f"opentelemetry.{part}" for part in ("context", "metrics", "propagate", "trace", "util.types")
)
OTEL_SDK = (*OTEL_API, "opentelemetry.sdk")

# From the top down. A dotted row says what one module of a folder may have beside the others.
ROWS = {
    "_version": Row(),
    "_resources": Row(),
    "errors": Row(),
    "settings": Row(("msgspec",)),
    "record": Row(("msgspec",)),
    "sse": Row(("msgspec",)),
    "credentials": Row(),
    "decoding": Row(),
    "exchange": Row(),
    "wire": Row(("msgspec",)),
    "endpoints": Row(("msgspec",)),
    "reading": Row(("msgspec",)),
    "metadata": Row(("msgspec",)),
    "redaction": Row(("msgspec",)),
    "pricing": Row(("msgspec",)),
    "dialects": Row(("orjson",)),
    "quiet": Row(),
    "worker": Row(),
    "hosts": Row(),
    "moments": Row(),
    "sink": Row(("msgspec",)),  # a `Start` is a Struct
    "phases": Row(),
    "recording": Row(("msgspec",)),  # to put a status into a record
    "recorder": Row(),
    "metrics": Row(OTEL_API),
    "links": Row(),
    "surroundings": Row(OTEL_API),
    "native": Row(OTEL_API),
    "spans": Row(OTEL_API),
    "said": Row(),
    "scores": Row(OTEL_API),
    "observer": Row(OTEL_API),
    "slot": Row(),
    "observing": Row(OTEL_API),
    "transports": Row(),
    "transports.httpx": Row(("httpx",)),
    "transports.httpx2": Row(("httpx2",)),
    "installing": Row(("httpx", "httpx2"), lazily=("mistralai",)),
    "auto": Row(),
    "store": Row(("msgspec", "orjson", "platformdirs", *OTEL_SDK)),  # what queries give are Structs
    "destinations": Row(OTEL_SDK, lazily=("opentelemetry.exporter",)),
    "traces": Row(("msgspec",)),  # a `Trace` is a Struct
    "assembly": Row(OTEL_SDK),
    "runtime": Row(OTEL_SDK),
    "replay": Row(),
    "testing": Row(),
    "testing.plugin": Row(("pytest",)),
    "viewer": Row(("starlette", "jinja2", "uvicorn"), ours=("store", "traces", "errors")),
    PACKAGE: Row(),  # the package itself: it fills the recorder's slot and re-exports, lazily
    "cli": Row(("rich",), lazily=("mistralai",)),  # the demo is a program that calls the SDK
    "__main__": Row(),  # `python -m interceptor`
}
EVERYWHERE = ("_version", "_resources")  # no row's `ours` needs to name these
MAY_TOUCH_PRIVATE_NAMES = ("installing",)
NOT_LOADED_BY_THE_PACKAGE = ("httpx", "httpx2", "mistralai", "opentelemetry.sdk", "sqlite3")


class Import(NamedTuple):
    """One imported name, in full, and where it stands."""

    name: str
    line: int
    in_function: bool


class Module(NamedTuple):
    """A source file as the checks see it; `folder` is the dotted package that it lies in."""

    path: str
    folder: str
    row: str
    tree: ast.Module
    imports: tuple[Import, ...]


def violations(sources: Mapping[str, str]) -> list[str]:
    """Give a sentence for each import and name that breaks the table; keys are paths."""
    return [
        f"{module.path}:{line}: {sentence}"
        for module in map(parsed, sources, sources.values())
        for line, sentence in broken(module)
    ]


def parsed(path: str, source: str) -> Module:
    parts = path.removesuffix(".py").split("/")
    folder = ".".join(parts[:-1])
    tree = ast.parse(source)
    row = ".".join(part for part in parts[1:] if part != "__init__") or PACKAGE
    return Module(path, folder, row, tree, tuple(imports(tree, folder)))


def imports(node: ast.AST, folder: str, *, in_function: bool = False) -> Iterator[Import]:
    """Walk a tree for imports, `import_module("…")` among them; relative names are made whole."""
    in_function = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    match node:
        case ast.Import(names=names):
            for alias in names:
                yield Import(alias.name, node.lineno, in_function)
        case ast.ImportFrom(module=module, names=names, level=level):
            package = folder.split(".")[: len(folder.split(".")) - level + 1] if level else []
            for alias in names:
                name = ".".join([*package, *filter(None, [module]), alias.name])
                yield Import(name, node.lineno, in_function)
        case ast.Call(func=ast.Name("import_module") | ast.Attribute(attr="import_module")):
            if name := opening(node.args):
                yield Import(name, node.lineno, in_function)
    for child in ast.iter_child_nodes(node):
        yield from imports(child, folder, in_function=in_function)


def opening(arguments: list[ast.expr]) -> str:
    """Give the text that the first argument begins with, where it is a literal."""
    match arguments:
        case [ast.Constant(str(text)), *_] | [ast.JoinedStr([ast.Constant(str(text)), *_]), *_]:
            return text.rstrip(".")
    return ""


def broken(module: Module) -> Iterator[tuple[int, str]]:
    if head(module.row) not in ROWS:
        yield 1, f"{module.row!r} has no row in the table"
        return
    for found in module.imports:
        top = found.name.split(".")[0]
        if top == PACKAGE:
            sentences = ours(module, found)
        elif top in sys.stdlib_module_names:
            continue
        else:
            sentences = theirs(module, found)
        yield from ((found.line, sentence) for sentence in sentences)
    if head(module.row) not in MAY_TOUCH_PRIVATE_NAMES:
        yield from private_attributes(module)
    if ast.get_docstring(module.tree) is None:
        yield 1, "has no docstring"
    if not any(is_all(statement) for statement in module.tree.body):
        yield 1, "has no __all__"


def ours(module: Module, found: Import) -> Iterator[str]:
    """Check an import of this package's own modules."""
    order = list(ROWS)
    own, other = head(module.row), head(found.name.removeprefix(PACKAGE).lstrip("."))
    other = other if other in ROWS else PACKAGE
    allowed = ROWS[own].ours
    if other != own and order.index(other) > order.index(own):
        yield f"row {own!r} may not import {found.name}: row {other!r} is not above it"
    elif other != own and allowed is not None and other not in (*allowed, *EVERYWHERE):
        yield f"row {own!r} may not import {found.name}: of ours it may have {', '.join(allowed)}"
    for folder in private_folders(found.name):
        if folder != module.folder and not module.folder.startswith(f"{folder}."):
            yield f"{found.name} is private to {folder}"


def theirs(module: Module, found: Import) -> Iterator[str]:
    """Check an import of a third party."""
    row = ROWS[longest(module.row)]
    if not is_part(found.name, row.third):
        if not is_part(found.name, row.lazily):
            yield f"row {longest(module.row)!r} may not import {found.name}: not in its row"
        elif not found.in_function:
            yield f"row {longest(module.row)!r} may import {found.name} inside a function only"
    if list(private_folders(found.name)) and head(module.row) not in MAY_TOUCH_PRIVATE_NAMES:
        yield f"{found.name} is another library's private name"


def private_attributes(module: Module) -> Iterator[tuple[int, str]]:
    """Find `library._name`, through every name that the module bound by importing a library."""
    bound = {
        alias.asname or alias.name.split(".")[0]
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if not is_ours_or_standard(node, alias)
    }
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            path = ast.unparse(node)
            if path.split(".")[0] in bound:
                yield node.lineno, f"{path} is another library's private name"


def is_ours_or_standard(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> bool:
    name = alias.name if isinstance(node, ast.Import) else "." * node.level + (node.module or "")
    return name.split(".")[0] in {"", PACKAGE, *sys.stdlib_module_names}


def head(row: str) -> str:
    return row.partition(".")[0]


def longest(row: str) -> str:
    """Give the most particular row of the table for a module."""
    return row if row in ROWS else longest(row.rpartition(".")[0])


def is_part(name: str, allowed: tuple[str, ...]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in allowed)


def private_folders(name: str) -> Iterator[str]:
    """Give the package around each private part of a dotted name."""
    parts = name.split(".")
    return (".".join(parts[:i]) for i, part in enumerate(parts) if i and is_private(part))


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def is_all(statement: ast.stmt) -> bool:
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    if isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    return any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets)


def test_the_package_follows_the_table():
    files = sorted((ROOT / PACKAGE).rglob("*.py"))
    sources = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in files}
    assert sources
    found = violations(sources)
    assert not found, "\n".join(found)


GOOD = {
    "a row above": ("traces.py", "from interceptor.store import queries"),
    "its own folder": ("store/__init__.py", "from interceptor.store._schema import connect"),
    "its own folder, relatively": ("wire/chat.py", "from . import _content"),
    "the folder above, relatively": ("store/a/b.py", "from .._schema import connect"),
    "version, everywhere": ("viewer/pages.py", "from interceptor._version import __version__"),
    "its third party": ("record.py", "import msgspec"),
    "one module's third party": ("transports/httpx2.py", "import httpx2"),
    "the API": ("spans.py", "from opentelemetry import trace"),
    "lazily": ("destinations/otlp.py", "def f():\n    import opentelemetry.exporter.otlp"),
    "private, where it is allowed": ("installing/arm.py", "import httpx\nhttpx._client"),
    "the package, what stands above": ("__init__.py", "from interceptor import runtime"),
    "a command, the package": ("cli/demo.py", "import interceptor"),
}

BAD = {
    "a row below": ("errors.py", "import interceptor.settings", "'settings' is not above"),
    "by name": ("store/rows.py", "from interceptor import traces", "'traces' is not above"),
    "relatively": ("store/rows.py", "from .. import traces", "'traces' is not above"),
    "in a function": ("sse.py", "def f():\n    import interceptor.wire", "'wire' is not above"),
    "in a string": (
        "sse.py",
        "import importlib\nimportlib.import_module('interceptor.wire.chat')",
        "'wire' is not above",
    ),
    "in a string with a hole": (
        "sse.py",
        "from importlib import import_module\nimport_module(f'interceptor.wire.{__name__}')",
        "'wire' is not above",
    ),
    "for types only": (
        "sse.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from interceptor import wire",
        "'wire' is not above",
    ),
    "the package itself": (
        "runtime.py",
        "from interceptor import configure",
        "'interceptor' is not above",
    ),
    "ours, but not for this row": (
        "viewer/pages.py",
        "from interceptor.runtime import flush",
        "of ours it may have store, traces, errors",
    ),
    "another row's third party": ("record.py", "import orjson", "not in its row"),
    "a module's neighbour's": ("transports/_tap.py", "import httpx", "not in its row"),
    "the SDK for the API": ("spans.py", "import opentelemetry.sdk.trace", "not in its row"),
    "not lazily": ("installing/arm.py", "import mistralai", "inside a function only"),
    "another folder's private module": (
        "cli/ls.py",
        "from interceptor.store import _schema",
        "private to interceptor.store",
    ),
    "another module's private name": (
        "store/rows.py",
        "from interceptor.store.schema import _connect",
        "private to interceptor.store.schema",
    ),
    "a library's private module": (
        "transports/httpx.py",
        "from httpx._client import Client",
        "another library's private name",
    ),
    "a library's private attribute": (
        "transports/httpx.py",
        "import httpx as http\nhttp._client.Client",
        "another library's private name",
    ),
    "no row": ("surprise.py", "", "no row in the table"),
}


def module(text: str) -> str:
    return f'"""A module."""\n\n__all__ = []\n\n{text}\n'


@pytest.mark.parametrize(("path", "text"), GOOD.values(), ids=GOOD)
def test_the_checker_lets_pass(path, text):
    assert not violations({f"{PACKAGE}/{path}": module(text)})


@pytest.mark.parametrize(("path", "text", "said"), BAD.values(), ids=BAD)
def test_the_checker_finds(path, text, said):
    (sentence,) = violations({f"{PACKAGE}/{path}": module(text)})
    assert sentence.startswith(f"{PACKAGE}/{path}:")
    assert said in sentence


def test_the_checker_wants_a_docstring_and_all():
    path = f"{PACKAGE}/errors.py"
    assert violations({path: ""}) == [f"{path}:1: has no docstring", f"{path}:1: has no __all__"]


def loaded_by(statement: str) -> set[str]:
    """Give the modules that a fresh interpreter has after a statement."""
    # Coverage would start itself in that interpreter and load sqlite3 before we look.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    command = [sys.executable, "-c", f"{statement}\nimport sys\nprint(*sys.modules)"]
    return set(subprocess.check_output(command, cwd=ROOT, env=environ, text=True).split())


def test_importing_the_package_is_light():
    assert not loaded_by("import interceptor").intersection(NOT_LOADED_BY_THE_PACKAGE)
    assert "sqlite3" in loaded_by("import sqlite3")


MACHINE_PATH = re.compile(rb"(?<![\w.~-])/(?:home|root|tmp|work)/\S*")


@pytest.mark.parametrize("folder", ["home", "root", "tmp", "work"])
def test_a_path_of_a_machine_is_seen(folder):
    assert MACHINE_PATH.search(f"see /{folder}/x.py".encode())
    assert not MACHINE_PATH.search(f"https://host.example/v1/{folder}/x".encode())


def test_no_file_names_a_path_of_a_machine():
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout: git says which files belong to the project")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.check_output(command, cwd=ROOT, text=True)
    paths = [ROOT / name for name in listed.split("\0") if name]
    found = {
        str(path.relative_to(ROOT)): [match.decode() for match in MACHINE_PATH.findall(data)]
        for path in paths
        if path.is_file() and MACHINE_PATH.search(data := path.read_bytes())
    }
    assert not found
