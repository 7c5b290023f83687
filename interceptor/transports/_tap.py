"""What the four transports share: a tap on an inner transport.

Sync and async are written out twice, side by side, and hold no decisions. A tap returns the same
response and raises the same exceptions as the transport inside it; only `response.stream` is
replaced. What goes wrong on our side is caught here, logged and dropped.
"""

from collections.abc import (
    Mapping,
)
from types import MappingProxyType, TracebackType
from typing import Any, Self

from interceptor import phases, slot
from interceptor.exchange import ABANDONED, CLOSED_EARLY, Decode, Request
from interceptor.quiet import quietly, report
from interceptor.recorder import Recorder
from interceptor.recording import Recording
from interceptor.transports import _heads
from interceptor.transports._streams import Around, AsyncTapStream, Tapped, TapStream, reason

__all__ = ["AsyncTap", "Tap"]

_SWITCHING_PROTOCOLS = 101
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class _Tapping(Around):
    """The half of a tap that is the same for sync and async."""

    any_host = True
    """Whether requests to hosts that are not known are recorded too, by their paths."""

    is_on = True
    """Whether anything is recorded here: a tap that cannot be taken out again is put off."""

    inner: Any
    """The transport that is tapped."""

    _decode: Decode
    _carries_sdk_1 = False  # mistralai 1.x runs on httpx alone; its spans are told by headers
    _last: Recorder | None = None  # who recorded the last call, and knows which are still open

    def __init__(self, inner: Any = None, *, recorder: Recorder | None = None) -> None:
        """Tap `inner`, or a transport of the library's own; `recorder` None means the default."""
        self.inner = self._default() if inner is None else self._checked(inner)
        self._recorder = recorder

    @staticmethod
    def _default() -> Any:
        raise NotImplementedError

    @staticmethod
    def _checked(inner: Any) -> Any:
        raise NotImplementedError

    def _begin(self, request: Any, trace: type[phases.Trace]) -> Recording | None:
        """Begin to record a request, where it is one to record."""
        try:
            url = request.url
            host, path = url.host, url.path

            def agent() -> Any:
                return request.headers.get("user-agent", "")

            if not self.any_host and not slot.knows(host, agent):
                return None
            recorder = self._recorder or slot.recorder()
            if recorder is None:
                return None
            row = recorder.row(request.method, host, path, agent, any_host=self.any_host)
            if row is None:
                return None
            self._last = recorder
            head = _heads.copied(request.headers)
            return recorder.open(
                row,
                _sent(request, host, path),
                request.extensions,
                headers=head if self._carries_sdk_1 else None,
                complete=lambda sent: _heads.asked(sent, head, url),
                decode=self._decode,
                trace=trace,
                owner=id(self),
            )
        except Exception as error:  # noqa: BLE001 - the edge: the call goes on unrecorded
            report("a call", error)
            return None

    def _abandon(self) -> None:
        """End the exchanges that are still open: with the transport they cannot be read on."""
        with quietly("an open call"):
            if self._last is not None:
                self._last.abandon(id(self))


class Tap(_Tapping):
    """A synchronous transport around another."""

    _stream_type: type[TapStream]

    def handle_request(self, request: Any) -> Any:
        """Send through the inner transport and record what it gives or raises."""
        if (slot.is_off and self._recorder is None) or not self.is_on:
            return self.inner.handle_request(request)
        recording = self._begin(request, phases.Trace)
        if recording is None:
            return self.inner.handle_request(request)
        try:
            with recording:
                response = self.inner.handle_request(request)
        except BaseException as error:
            recording.end(reason(error))
            raise
        if recording.is_taped:
            _received(response, recording, self._stream_type)
        return response

    def close(self) -> None:
        """Close the inner transport."""
        try:
            self.inner.close()
        finally:
            self._abandon()

    def __enter__(self) -> Self:
        """Enter the inner transport."""
        self.inner.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        """Leave the inner transport."""
        try:
            self.inner.__exit__(kind, error, trace)
        finally:
            self._abandon()


class AsyncTap(_Tapping):
    """An asynchronous transport around another."""

    _async_stream_type: type[AsyncTapStream]

    async def handle_async_request(self, request: Any) -> Any:
        """Send through the inner transport and record what it gives or raises."""
        if (slot.is_off and self._recorder is None) or not self.is_on:
            return await self.inner.handle_async_request(request)
        recording = self._begin(request, phases.AsyncTrace)
        if recording is None:
            return await self.inner.handle_async_request(request)
        try:
            with recording:
                response = await self.inner.handle_async_request(request)
        except BaseException as error:
            recording.end(reason(error))
            raise
        if recording.is_taped:
            _received(response, recording, self._async_stream_type)
        return response

    async def aclose(self) -> None:
        """Close the inner transport."""
        try:
            await self.inner.aclose()
        finally:
            self._abandon()

    async def __aenter__(self) -> Self:
        """Enter the inner transport."""
        await self.inner.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        """Leave the inner transport."""
        try:
            await self.inner.__aexit__(kind, error, trace)
        finally:
            self._abandon()


def _received(response: Any, recording: Recording, stream_kind: type[Tapped]) -> None:
    """Tape a response: replace its stream, or take the content of one that is read already."""
    try:
        now_ns = recording.clock_ns()
        head = _heads.copied(response.headers)
        version = response.extensions.get("http_version", b"")
        is_read = response.is_closed
        recording.answered = lambda: _heads.answered(head, is_decoded=is_read)
        recording.exchange.respond(
            response.status_code,
            {},
            at_ns=now_ns,
            http_version=version.decode(errors="replace") or None,
        )
        if is_read:
            _read_already(response, recording, now_ns)
        elif response.status_code == _SWITCHING_PROTOCOLS:
            recording.end()
        elif isinstance(response.stream, stream_kind.__bases__):
            response.stream = stream_kind(response.stream, recording)
        else:  # a stream of the wrong flavour, which the library is about to refuse
            recording.end(CLOSED_EARLY)
    except Exception as error:  # noqa: BLE001 - the edge: the caller has a response to get
        report("an answer", error)
        recording.end(ABANDONED)


def _read_already(response: Any, recording: Recording, now_ns: int) -> None:
    """Take the content of a response that is closed, as those of mocks and caches are."""
    try:
        content = response.content
    except Exception:  # noqa: BLE001 - ResponseNotRead: a transport inside closed it unread
        recording.end(CLOSED_EARLY)
        return
    recording.exchange.add(content, now_ns)
    recording.end()


def _sent(request: Any, host: str, path: str) -> Request:
    """Give what is to be known of a request at once. The body is looked at, never read."""
    try:
        body = request.content
        form = None
    except Exception:  # noqa: BLE001 - RequestNotRead: an upload goes by as a stream
        body, form = None, _heads.form(request)
    # In the order of its fields, and made as a tuple is: by name it takes four times as long.
    return Request._make(
        (request.method, host, request.url.port, path, _NO_HEADERS, body, (), form)
    )
