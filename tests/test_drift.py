"""What the installed SDK can call is in our table, traced or knowingly light.

A new release of the SDK may call what no row knows, or what a row of a family would swallow
unseen. `light_operations.txt` names what is known to run no model, over all release lines: what
is new fails here, until it has a row of its own or a line there.
"""

import ast
import functools
import importlib.util
import re
from pathlib import Path

import pytest

from interceptor.endpoints import OTHER, match

PACKAGES = ("mistralai", "mistralai_azure", "mistralai_gcp")  # 1.x ships three packages
LIGHT = {
    tuple(line.split(" "))
    for line in Path(__file__).with_name("light_operations.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
}
VERTEX = "/v1/projects/*/locations/*/publishers/mistralai/models/*"
SENT_AS = {  # what stands in the SDK is not yet what is sent
    "/chat/completions": "/v1/chat/completions",  # 1.x for Azure puts /v1 into the host's address
    "/ocr": "/v1/ocr",
    "/rawPredict": f"{VERTEX}:rawPredict",
    "/streamRawPredict": f"{VERTEX}:streamRawPredict",
}
NOT_HTTP = ("/v1/audio/speech/realtime", "/v1/audio/transcriptions/realtime")  # WebSockets


@functools.cache
def calls_and_texts():
    """Give the calls and the texts in the SDK's modules that name a path."""
    found = [
        node
        for package in PACKAGES
        if (spec := importlib.util.find_spec(package))
        for folder in spec.submodule_search_locations
        for path in sorted(Path(folder).rglob("*.py"))
        if "tests" not in path.parts and '"/' in (source := path.read_text("utf-8"))
        for node in ast.walk(ast.parse(source))
    ]
    calls = [node for node in found if isinstance(node, ast.Call)]
    return calls, [node for node in found if isinstance(node, ast.Constant)]


def operations():
    """Give (method, path) of each request that the SDK builds, its parameters as `*`."""
    for call in calls_and_texts()[0]:
        named = {one.arg: getattr(one.value, "value", None) for one in call.keywords}
        method, path = named.get("method"), named.get("path")
        if isinstance(method, str) and isinstance(path, str):
            path = re.sub(r"\{\w+\}", "*", path.partition("#")[0])
            yield method, SENT_AS.get(path, path)


def paths():
    """Give each text in the SDK that is a path of the API: some requests are built by hand."""
    for text in calls_and_texts()[1]:
        if re.fullmatch(r"/v\d+/[\w/{}-]*[\w}]", str(text.value)):
            yield re.sub(r"\{\w+\}", "*", text.value)


@pytest.mark.sdk
def test_the_sdk_is_looked_into():
    found = set(operations())
    assert ("POST", "/v1/chat/completions") in found
    assert ("POST", SENT_AS["/rawPredict"]) in found


@pytest.mark.sdk
def test_every_operation_is_traced_or_knowingly_light():
    new = {
        operation
        for operation in set(operations()) - LIGHT
        if not match(*operation).endpoint.is_inference
    }
    assert not new, "give each a row, or a line in light_operations.txt"


@pytest.mark.sdk
def test_every_path_has_a_row():
    new = {
        path
        for path in set(paths()) - set(NOT_HTTP)
        if match("POST", path).endpoint is OTHER and match("GET", path).endpoint is OTHER
    }
    assert not new


def test_what_is_light_has_a_row_that_says_so():
    for operation in LIGHT:
        row = match(*operation).endpoint
        assert row is not OTHER
        assert not row.is_inference
