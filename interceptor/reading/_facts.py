"""What an exchange says beside its bodies: times, network phases, headers."""

import msgspec

from interceptor.endpoints import Endpoint
from interceptor.exchange import Exchange
from interceptor.record import Input, Output, Phase, Server, Times, Usage

__all__ = ["operation", "phases", "server", "times", "usage"]

_RATELIMIT = "x-ratelimit-"
_CHARACTERS = "x-ratelimit-input-characters-query-cost"


def operation(row: Endpoint, asked: Input, output: Output) -> str:
    """Give the operation: an agent invoked is one, whichever endpoint it is asked through.

    Who goes on with a conversation is known to its answer alone.
    """
    has_agent = asked.agent_id or output.agent_id
    return row.agent_operation if row.agent_operation and has_agent else row.operation


def usage(exchange: Exchange, given: Usage | None) -> Usage | None:
    """Add to the usage what only a header says: the characters that speech is billed by."""
    characters = exchange.headers.get(_CHARACTERS, "")
    if not _is_count(characters):
        return given
    return msgspec.structs.replace(given or Usage(), input_characters=int(characters))


def times(exchange: Exchange, first_content_at_ns: int | None) -> Times:
    """Give when things happened, after the start of the exchange."""
    return Times(
        started_unix_ns=exchange.started_unix_ns,
        ended_after_ns=_after(exchange, exchange.ended_at_ns) or 0,
        headers_after_ns=_after(exchange, exchange.headers_at_ns),
        first_byte_after_ns=_after(exchange, exchange.first_byte_at_ns),
        first_content_after_ns=_after(exchange, first_content_at_ns),
    )


def server(exchange: Exchange) -> Server:
    """Give who answered, and the headers that are kept."""
    headers = exchange.headers
    upstream_ms = headers.get("x-envoy-upstream-service-time", "")
    return Server(
        host=exchange.request.host,
        port=exchange.request.port,
        http_version=exchange.http_version,
        correlation_id=headers.get("mistral-correlation-id"),
        ratelimit={
            name.removeprefix(_RATELIMIT): int(value)
            for name, value in headers.items()
            if name.startswith(_RATELIMIT) and _is_count(value)
        },
        upstream_ns=int(upstream_ms) * 1_000_000 if _is_count(upstream_ms) else None,
        deprecated_at=headers.get("x-model-deprecation-timestamp"),
    )


def phases(exchange: Exchange) -> tuple[Phase, ...]:
    """Pair the marks that httpcore gives (`connection.connect_tcp.started`, `.complete`).

    A phase that failed ends where it did; one that never ended is left out.
    """
    begun: dict[str, int] = {}
    found = []
    for mark, at_ns in exchange.marks:
        name, _, event = mark.rpartition(".")
        if event == "started":
            begun[name] = at_ns
        elif (started := begun.pop(name, None)) is not None:
            found.append(
                Phase(
                    name=name.rpartition(".")[2],
                    started_after_ns=started - exchange.started_ns,
                    ended_after_ns=at_ns - exchange.started_ns,
                )
            )
    return tuple(found)


def _after(exchange: Exchange, at_ns: int | None) -> int | None:
    return None if at_ns is None else at_ns - exchange.started_ns


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19  # noqa: PLR2004 - within 64 bits
