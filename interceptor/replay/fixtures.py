"""Recorded exchanges in files, one folder an exchange: `fixtures/<endpoint>/<case>/`.

`request.http` and `response.http` are as on the wire: a start line, headers, a blank line, and
every byte after it the body, never framed as chunks. The head's lines end in LF or CRLF. Beside
them stands `record.json`, what we should read of the two.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from interceptor._resources import fixtures_folder
from interceptor.replay.messages import Request, Response, parse_head, split_head

__all__ = ["Fixture", "all_fixtures", "load", "named"]


class Fixture(NamedTuple):
    """One recorded exchange; its name is its place, such as `chat.completions/streamed`."""

    name: str
    folder: Path
    request: Request
    response: Response


def load(folder: Path) -> Fixture:
    """Read the exchange in a folder; raises `OSError` where a file is missing."""
    return Fixture(
        name=f"{folder.parent.name}/{folder.name}",
        folder=folder,
        request=_request((folder / "request.http").read_bytes()),
        response=_response((folder / "response.http").read_bytes()),
    )


def named(name: str) -> Fixture:
    """Read one of this project's own exchanges by its name."""
    return load(fixtures_folder() / name)


def all_fixtures(root: Path | None = None) -> Iterator[Fixture]:
    """Read every exchange below a folder, by default this project's own, in the order of names."""
    for path in sorted((root or fixtures_folder()).glob("*/*/request.http")):
        yield load(path.parent)


def _request(data: bytes) -> Request:
    head, body = split_head(data)
    start, headers = parse_head(head)
    method, target, _ = start.split(" ", 2)
    return Request(method, target, headers, body)


def _response(data: bytes) -> Response:
    head, body = split_head(data)
    start, headers = parse_head(head)
    _, status, reason = start.split(" ", 2)
    return Response(int(status), reason, headers, body)
