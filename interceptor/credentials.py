"""What counts as a credential: told by the name that it stands under, and said here alone.

The name may be a header's, a query's, a member's of JSON, an argument's or an attribute's. Whoever
finds a credential leaves it out, or puts `STRUCK` in its place.

Two mistakes can be made. A credential that goes unnoticed is read by everybody who may see spans.
But what is struck out is lost, so a name must be a credential's by itself: `max_tokens`,
`prompt_tokens`, `tokens`, `tokenizer` and `token_count` count, `prompt_cache_key`, `primary_key`
and `key` name things, and `author`, `secretary` and `keyword` only begin like one.
"""

import re

__all__ = ["HARMLESS", "STRUCK", "is_credential", "is_credential_of_query", "may_name_one"]

STRUCK = "[redacted]"
"""In place of a credential."""

HARMLESS: set[str] = set()
"""Names that have been looked at and are no credentials'; only `is_credential` adds to it."""

_LONGEST_NAME, _MOST_NAMES = 100, 4096

_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
# Of a name in words, joined by "_". Some are written as one word: `apikey`, `accesstoken`. A token
# is a credential in the singular: in the plural it is what models count, unless it is said to give
# access.
_CREDENTIAL = re.compile(
    r"(^|_)(authorization|bearer|cookies?|credentials?|passphrase|passwd|passwords?|pwd"
    r"|(client|signing)?secrets?)(_|$)"
    r"|(^|_)(api|access|auth|private|signing|encryption|service|ssh|subscription)_?keys?$"
    r"|(^|_)token$|(^|_)(access|refresh|auth|bearer)_?tokens?$"
)
# A query holds what signs an address, too. Nothing of a query is kept: what is found there is only
# looked for in bodies, so that more may be taken for a credential: `key`, `sig`, `subscriptionKey`.
_OF_QUERY = re.compile(r"(key|sig|signature|pass|auth|token)(_|$)")
# Every name that is a credential's has one of these in it: to pass over texts that have none.
_IN_TEXT = re.compile(r"auth|bearer|cookie|credential|pass|pwd|secret|key|token", re.IGNORECASE)


def is_credential(name: str) -> bool:
    """Tell whether a name is that of a credential: `api_key`, `X-API-Key`, `accessToken`."""
    if name in HARMLESS or len(name) > _LONGEST_NAME:  # a dictionary's keys may be anything
        return False
    if _CREDENTIAL.search(_in_words(name)) is not None:
        return True
    if len(HARMLESS) >= _MOST_NAMES:
        HARMLESS.clear()
    HARMLESS.add(name)
    return False


def is_credential_of_query(name: str) -> bool:
    """Tell whether a name in a URL's query is that of a credential, or of a signature."""
    return is_credential(name) or _OF_QUERY.search(_in_words(name)) is not None


def may_name_one(text: str) -> bool:
    """Tell whether it is worth looking for names of credentials in a text."""
    return _IN_TEXT.search(text) is not None


def _in_words(name: str) -> str:
    return "_".join(_WORD.findall(name)).lower()
