"""What is kept of the heads of a message: some headers, by name, and never a credential.

A dozen headers a message take time to go through, and the caller has none to give: the tap copies
what a head holds (httpx copies one list), and these functions pick from the copy later, on the
worker's thread, before anything is read.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from interceptor.credentials import is_credential, is_credential_of_query
from interceptor.exchange import Request

__all__ = ["answered", "asked", "copied", "form"]

_OF_REQUEST = frozenset({"content-type", "content-encoding"})
_OF_RESPONSE = frozenset(
    {
        "content-type",
        "content-encoding",
        "mistral-correlation-id",
        "x-envoy-upstream-service-time",
        "x-model-deprecation-timestamp",
    }
)
_RATELIMIT = "x-ratelimit-"


def copied(headers: Any) -> Any:
    """Give headers that stay as they are: the caller may change the message's own."""
    return type(headers)(headers)


def asked(sent: Request, headers: Any, url: Any) -> Request:
    """Give a request with the headers that are kept, and the credentials that it carried.

    Credentials stand in headers and in a query, under the name of one. Cookies are not looked for:
    not all that they hold is secret, and a language or a theme is a word of any body.
    """
    texts = tuple(_texts(headers.raw))
    secrets = [
        text.strip().rpartition(" ")[2]  # without the word on its kind: `Bearer`
        for name, text in texts
        if is_credential(name) and name != "cookie"
    ]
    query = parse_qsl(url.query.decode(errors="replace"))
    secrets += [value for name, value in query if is_credential_of_query(name)]
    kept = _kept(texts, _OF_REQUEST)
    return sent._replace(headers=kept, secrets=tuple(secrets))


def answered(headers: Any, *, is_decoded: bool) -> dict[str, str]:
    """Give the headers of a response that are kept.

    Of a body that is decoded already (`is_decoded`), the encoding is of no more concern.
    """
    kept = _kept(_texts(headers.raw), _OF_RESPONSE, _RATELIMIT)
    if is_decoded:
        kept.pop("content-encoding", None)
    return kept


def form(request: Any) -> Mapping[str, str | list[str]] | None:
    """Give the text fields of a multipart upload, and of each file its name; never its bytes.

    A name that repeats has a list of texts. None where the body is no such upload.
    """
    fields = getattr(request.stream, "fields", None)
    if not isinstance(fields, list):
        return None
    found: dict[str, list[str]] = {}
    for field in fields:
        value = getattr(field, "value", None)
        if value is None:
            value = getattr(field, "filename", None)
        text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
        found.setdefault(str(getattr(field, "name", "")), []).append(text)
    return {name: texts if len(texts) > 1 else texts[0] for name, texts in found.items()}


def _kept(
    texts: Iterable[tuple[str, str]], names: frozenset[str], prefix: str | None = None
) -> dict[str, str]:
    """Give the headers of these names; of one sent twice, the first."""
    found: dict[str, str] = {}
    for name, text in texts:
        if name in names or (prefix and name.startswith(prefix)):
            found.setdefault(name, text)
    return found


def _texts(raw: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[str, str]]:
    """Give headers as text, by lower-case name."""
    return ((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in raw)
