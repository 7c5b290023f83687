"""What the four transports share: a tap on an inner transport.

Sync and async are written out twice, side by side, and hold no decisions. A tap returns the same
response and raises the same exceptions as the transport inside it; only `response.stream` is
replaced. What goes wrong on our side is caught here, logged and dropped.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self

from interceptor import slot
from interceptor.exchange import ABANDONED, CLOSED_EARLY, Decode, Ending, Request
from interceptor.quiet import quietly, report
from interceptor.recorder import Recorder, Recording

__all__ = ["AsyncTap", "AsyncTapStream", "Tap", "TapStream"]

_SWITCHING_PROTOCOLS = 101
_LEAST_SECRET = 12
_CREDENTIALS = ("authorization", "x-api-key", "api-key", "proxy-authorization")
_KEPT_REQUEST = ("content-type", "content-encoding", "traceparent", "user-agent", *_CREDENTIALS)
_KEPT_RESPONSE = (
    "content-type",
    "content-encoding",
    "content-length",
    "mistral-correlation-id",
    "x-envoy-upstream-service-time",
    "x-kong-request-id",
    "x-model-deprecation-timestamp",
)
_RATELIMIT = "x-ratelimit-"
_MOST_NAMES = 1024

Trace = Callable[[str, Any], Any]
Add = Callable[[bytes, int], None]


class _Tapping:
    """The half of a tap that is the same for sync and async."""

    _decode: Decode
    _inner: Any
    _any_host = True

    def __init__(self, inner: Any = None, *, recorder: Recorder | None = None) -> None:
        """Tap `inner`, or a transport of the library's own; `recorder` None means the default."""
        self._inner = self._default() if inner is None else self._checked(inner)
        self._recorder = recorder

    @staticmethod
    def _default() -> Any:
        raise NotImplementedError

    @staticmethod
    def _checked(inner: Any) -> Any:
        raise NotImplementedError

    def _begin(self, request: Any) -> Recording | None:
        """Begin to record a request, where it is one to record."""
        try:
            recorder = self._recorder or slot.recorder()
            if recorder is None:
                return None
            url = request.url
            host, path = url.host, url.path
            row = recorder.row(
                request.method,
                host,
                path,
                lambda: request.headers.get("user-agent", ""),
                any_host=self._any_host,
            )
            if row is None:
                return None
            return recorder.open(
                row,
                _sent(request, host, path),
                request.extensions,
                decode=self._decode,
                owner=id(self),
            )
        except Exception as error:  # noqa: BLE001 - the edge: the call goes on unrecorded
            report("a call", error)
            return None

    def _abandon(self) -> None:
        """End the exchanges that are still open: with the transport they cannot be read on."""
        with quietly("an open call"):
            recorder = self._recorder or slot.recorder()
            if recorder is not None:
                recorder.abandon(id(self))


class Tap(_Tapping):
    """A synchronous transport around another."""

    _stream_type: type["TapStream"]

    def handle_request(self, request: Any) -> Any:
        """Send through the inner transport and record what it gives or raises."""
        recording = self._begin(request)
        if recording is None:
            return self._inner.handle_request(request)
        traced = _Traced(request, recording, _sync_trace)
        try:
            with recording, traced:
                response = self._inner.handle_request(request)
        except BaseException as error:
            recording.end(_reason(error))
            raise
        if recording.is_taped:
            _received(response, recording, self._stream_type)
        return response

    def close(self) -> None:
        """Close the inner transport."""
        try:
            self._inner.close()
        finally:
            self._abandon()

    def __enter__(self) -> Self:
        """Enter the inner transport."""
        self._inner.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        """Leave the inner transport."""
        try:
            self._inner.__exit__(kind, error, trace)
        finally:
            self._abandon()


class AsyncTap(_Tapping):
    """An asynchronous transport around another."""

    _async_stream_type: type["AsyncTapStream"]

    async def handle_async_request(self, request: Any) -> Any:
        """Send through the inner transport and record what it gives or raises."""
        recording = self._begin(request)
        if recording is None:
            return await self._inner.handle_async_request(request)
        traced = _Traced(request, recording, _async_trace)
        try:
            with recording, traced:
                response = await self._inner.handle_async_request(request)
        except BaseException as error:
            recording.end(_reason(error))
            raise
        if recording.is_taped:
            _received(response, recording, self._async_stream_type)
        return response

    async def aclose(self) -> None:
        """Close the inner transport."""
        try:
            await self._inner.aclose()
        finally:
            self._abandon()

    async def __aenter__(self) -> Self:
        """Enter the inner transport."""
        await self._inner.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        """Leave the inner transport."""
        try:
            await self._inner.__aexit__(kind, error, trace)
        finally:
            self._abandon()


class _Tapped:
    """A response's stream, taped. What is done to it is done to the stream inside."""

    def __init__(self, stream: Any, recording: Recording) -> None:
        """Tape `stream` into `recording`."""
        self._stream, self._recording = stream, recording
        self._add, self._clock_ns = recording.exchange.add, recording.clock_ns

    def __getattr__(self, name: str) -> Any:
        """Give what the inner stream has: some transports look for members of their own."""
        return getattr(self._stream, name)

    def __del__(self) -> None:
        """End the exchange where nobody closed the stream. Only puts into a queue."""
        recording = self.__dict__.get("_recording")
        if recording is not None:
            recording.end(ABANDONED)


class TapStream(_Tapped):
    """A synchronous stream, taped."""

    def __iter__(self) -> Iterator[bytes]:
        """Give the inner stream's pieces, each as it is."""
        add: Add = self._add
        clock_ns = self._clock_ns
        try:
            for data in self._stream:
                try:
                    add(data, clock_ns())
                except Exception as error:  # noqa: BLE001 - the edge: the caller's bytes go on
                    add = _skip
                    report("a piece of an answer", error)
                yield data
        except GeneratorExit:
            raise  # neither an error nor the end: the caller lets go of an iterator
        except BaseException as error:
            self._recording.end(_reason(error))
            raise
        self._recording.end()

    def close(self) -> None:
        """Close the inner stream."""
        try:
            self._stream.close()
        finally:
            self._recording.end(CLOSED_EARLY)


class AsyncTapStream(_Tapped):
    """An asynchronous stream, taped."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Give an iterator over the inner stream's pieces, each as it is.

        It stands in for the inner iterator step by step, rather than being a generator around
        it, so that closing it closes the inner one, in the same task.
        """
        inner = self._stream.__aiter__()
        kind = _GeneratorSteps if isinstance(inner, AsyncGenerator) else _Steps
        return kind(inner, self._add, self._recording)

    async def aclose(self) -> None:
        """Close the inner stream."""
        try:
            await self._stream.aclose()
        finally:
            self._recording.end(CLOSED_EARLY)


class _Steps(AsyncIterator[bytes]):
    """The steps of an inner asynchronous iterator, taped."""

    def __init__(self, inner: Any, add: Add, recording: Recording) -> None:
        self._inner, self._next, self._add = inner, inner.__anext__, add
        self._recording, self._clock_ns = recording, recording.clock_ns

    async def __anext__(self) -> bytes:
        try:
            data: bytes = await self._next()
        except StopAsyncIteration:
            self._recording.end()
            raise
        except GeneratorExit:
            raise  # neither an error nor the end: the step is dropped, the stream may be closed yet
        except BaseException as error:
            self._recording.end(_reason(error))
            raise
        try:
            self._add(data, self._clock_ns())
        except Exception as error:  # noqa: BLE001 - the edge: the caller's bytes go on
            self._add = _skip
            report("a piece of an answer", error)
        return data


class _GeneratorSteps(_Steps, AsyncGenerator[bytes, None]):
    """The same for a generator, which can be closed and thrown into besides."""

    async def asend(self, value: None) -> bytes:  # noqa: ARG002 - nothing can be sent to a body
        return await self.__anext__()

    async def athrow(self, *error: Any) -> bytes:
        data: bytes = await self._inner.athrow(*error)
        return data

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Traced:
    """httpcore's `trace` extension during the inner call: ours, composed with one there already."""

    __slots__ = ("_before", "_extensions")

    def __init__(self, request: Any, recording: Recording, make: Callable[..., Trace]) -> None:
        self._extensions: Any = None
        if not recording.wants_phases:
            return
        self._extensions = request.extensions
        self._before = self._extensions.get("trace")
        marks, clock_ns = recording.exchange.marks, recording.clock_ns
        self._extensions["trace"] = make(marks.append, clock_ns, self._before)

    def __enter__(self) -> None:
        """Nothing is left to do: the extension is set."""

    def __exit__(self, *_: object) -> None:
        """Leave the extension as it was: the same request may be sent again."""
        if self._extensions is None:
            return
        if self._before is None:
            self._extensions.pop("trace", None)
        else:
            self._extensions["trace"] = self._before


def _sync_trace(
    mark: Callable[[tuple[str, int]], None], clock_ns: Callable[[], int], other: Trace | None
) -> Trace:
    def trace(name: str, info: Any) -> Any:
        mark((name, clock_ns()))
        return None if other is None else other(name, info)

    return trace


def _async_trace(
    mark: Callable[[tuple[str, int]], None], clock_ns: Callable[[], int], other: Trace | None
) -> Trace:
    async def trace(name: str, info: Any) -> Any:
        mark((name, clock_ns()))
        return None if other is None else await other(name, info)

    return trace


def _received(response: Any, recording: Recording, stream_type: type[_Tapped]) -> None:
    """Tape a response: replace its stream, or take the content of one that is read already."""
    try:
        now_ns = recording.clock_ns()
        headers = _response_headers.of(response.headers.raw)
        version = response.extensions.get("http_version", b"")
        is_read = response.is_closed
        if is_read:
            headers.pop("content-encoding", None)  # what is read already is decoded already
        recording.exchange.respond(
            response.status_code,
            headers,
            at_ns=now_ns,
            http_version=version.decode(errors="replace") or None,
        )
        if is_read:
            recording.exchange.add(response.content, now_ns)
            recording.end()
        elif response.status_code == _SWITCHING_PROTOCOLS:
            recording.end()
        else:
            response.stream = stream_type(response.stream, recording)
    except Exception as error:  # noqa: BLE001 - the edge: the caller has a response to get
        report("an answer", error)
        recording.end(ABANDONED)


def _sent(request: Any, host: str, path: str) -> Request:
    """Give what may be kept of a request. The body is looked at, never read."""
    headers = _request_headers.of(request.headers.raw)
    secrets = [headers.pop(name).rpartition(" ")[2] for name in _CREDENTIALS if name in headers]
    try:
        body = request.content
    except Exception:  # noqa: BLE001 - RequestNotRead: an upload goes by as a stream
        body = None
    return Request(
        method=request.method,
        host=host,
        port=request.url.port,
        path=path,
        headers=headers,
        body=body,
        secrets=tuple(secret for secret in secrets if len(secret) >= _LEAST_SECRET),
        form=None if body is not None else _form(request),
    )


def _form(request: Any) -> Mapping[str, str] | None:
    """Give the text fields of a multipart upload, and of each file its name; never its bytes."""
    fields = getattr(request.stream, "fields", None)
    if not isinstance(fields, list):
        return None
    found = {}
    for field in fields:
        value = getattr(field, "value", None)
        if value is None:
            value = getattr(field, "filename", None)
        found[str(getattr(field, "name", ""))] = (
            value.decode(errors="replace") if isinstance(value, bytes) else str(value)
        )
    return found


class _Kept(dict[bytes, str]):
    """The names of the headers that are kept, by what they look like on the wire.

    A dozen headers a call are looked at on the caller's thread, so what becomes of a name is
    remembered, in whatever case it came: the empty text where it is dropped. As servers name
    headers, there is a limit to that.
    """

    def __init__(self, names: Iterable[str], prefix: str | None = None) -> None:
        super().__init__()
        self._names, self._prefix = frozenset(names), prefix

    def __missing__(self, name: bytes) -> str:
        lower = name.decode("latin-1").lower()
        is_kept = lower in self._names or (self._prefix and lower.startswith(self._prefix))
        kept = lower if is_kept else ""
        if len(self) < _MOST_NAMES:
            self[name] = kept
        return kept

    def of(self, raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
        """Give the headers that are kept, by lower-case name; of one sent twice, the first."""
        return {
            kept: value.decode("latin-1") for name, value in reversed(raw) if (kept := self[name])
        }


_request_headers = _Kept(_KEPT_REQUEST)
_response_headers = _Kept(_KEPT_RESPONSE, _RATELIMIT)


def _reason(error: BaseException) -> Ending:
    """Say why an exception ended an exchange; a coroutine that is dropped has not failed."""
    if isinstance(error, GeneratorExit):
        return ABANDONED
    return Ending(type(error).__name__, message=str(error) or None)


def _skip(_data: bytes, _at_ns: int) -> None:
    """Keep nothing more of this answer."""
