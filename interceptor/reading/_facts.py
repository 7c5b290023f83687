"""What an exchange says beside its bodies: times, network phases, headers."""

import msgspec

from interceptor.endpoints import Endpoint
from interceptor.exchange import Exchange
from interceptor.record import Input, Output, Phase, Server, Times, Usage

__all__ = ["operation", "phases", "server", "times", "usage"]

_RATELIMIT = "x-ratelimit-"
_CHARACTERS = "x-ratelimit-input-characters-query-cost"
_PHASES = {
    "connect_tcp": "connect",
    "connect_unix_socket": "connect",
    "retry": "connect",
    "setup_socks5_connection": "connect",
    "start_tls": "tls",
    "send_connection_init": "send",
    "send_request_headers": "send",
    "send_request_body": "send",
    "receive_response_headers": "wait",
}
"""What httpcore marks, by what it means to a caller."""


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
    """Give what the call waited for on the network, from the marks that httpcore gives.

    - `pool`: a connection to be free, or a place to open one;
    - `connect` and `tls`: the connection, a proxy's tunnel included;
    - `send`: the request; `wait`: from there until the answer's headers were there;
    - `receive`: from there to the end, which is that of the caller's reading.

    A phase that failed ends where it did; one that never ended is left out. There are none where
    there are no marks: over a transport of memory, or with phases switched off.
    """
    found = _paired(exchange.marks)
    if not found:
        return _kept_waiting(exchange)
    first_ns = min(started for started, _ in found.values())
    found["pool"] = (exchange.started_ns, first_ns)
    answered_ns = found["wait"][1] if "wait" in found else None
    if answered_ns is not None and exchange.status is not None:
        found["receive"] = (answered_ns, exchange.ended_at_ns)
    return tuple(
        Phase(
            name=name,
            started_after_ns=started - exchange.started_ns,
            ended_after_ns=ended - exchange.started_ns,
        )
        for name, (started, ended) in sorted(found.items(), key=lambda item: item[1][0])
        if ended is not None
    )


def _paired(marks: list[tuple[str, int]]) -> dict[str, tuple[int, int | None]]:
    """Give when each phase began and ended, the first mark of it to the last."""
    found: dict[str, tuple[int, int | None]] = {}
    for mark, at_ns in marks:
        name, _, event = mark.rpartition(".")
        name = name.rpartition(".")[2]
        phase = _PHASES.get(name)
        if phase is None:
            continue
        if event == "started":
            if "wait" in found and name in ("start_tls", "send_request_headers"):
                _through_proxy(found)
            found[phase] = (found.get(phase, (at_ns, None))[0], None)
        elif phase in found:
            found[phase] = (found[phase][0], at_ns)
    return found


def _through_proxy(found: dict[str, tuple[int, int | None]]) -> None:
    """What has been asked and answered so far was a CONNECT: a part of connecting."""
    answered = found.pop("wait")
    sent = found.pop("send", answered)
    found["connect"] = (found.get("connect", sent)[0], answered[1])


def _kept_waiting(exchange: Exchange) -> tuple[Phase, ...]:
    """A call that never got a connection leaves no mark, and is all wait for one."""
    if exchange.ending is None or exchange.ending.kind != "PoolTimeout":
        return ()
    ended_after_ns = _after(exchange, exchange.ended_at_ns) or 0
    return (Phase(name="pool", started_after_ns=0, ended_after_ns=ended_after_ns),)


def _after(exchange: Exchange, at_ns: int | None) -> int | None:
    return None if at_ns is None else at_ns - exchange.started_ns


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19  # noqa: PLR2004 - within 64 bits
