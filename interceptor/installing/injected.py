"""The transports that clients build while we are installed: the library's own, and a look first.

What is not Mistral's goes by after that look. The first request that is has a tap made around
the library's own half of the transport, and only then is what records loaded. Sync and async are
written out twice, side by side.
"""

import importlib
import weakref
from types import TracebackType
from typing import Any

from interceptor import slot
from interceptor.quiet import report

__all__ = ["AsyncInjected", "Injected", "switch"]


class _Switch:
    """Whether we are installed: clients outlive that, and then only look here."""

    __slots__ = ("is_on",)

    def __init__(self) -> None:
        self.is_on = False


switch = _Switch()


class _Injecting:
    """The half that is the same for sync and async."""

    _base: Any  # the library's class
    _tap: Any = None

    def __getstate__(self) -> dict[str, Any]:
        """Give what a copy has too: the tap goes around this transport, which may go before it."""
        return {name: value for name, value in vars(self).items() if name != "_tap"}

    def _tap_for(self, request: Any) -> Any:
        """Give the tap to send a request through; None where it is not Mistral's."""
        try:
            if not slot.knows(request.url.host, lambda: request.headers.get("user-agent", "")):
                return None
            return self._tap or self._make_tap()
        except Exception as error:  # noqa: BLE001 - the edge: the call goes on unrecorded
            report("a call", error)
            return None

    def _make_tap(self) -> Any:
        library = self._base.__module__.partition(".")[0]
        taps = importlib.import_module(f"interceptor.transports.{library}")
        kind = taps.Transport if isinstance(self, Injected) else taps.AsyncTransport
        return vars(self).setdefault("_tap", kind(_Own(self)))  # threads may meet here


class Injected(_Injecting):
    """What our subclass of a synchronous transport does differently."""

    def handle_request(self, request: Any) -> Any:
        """Send, through a tap where the request is Mistral's."""
        if not switch.is_on or slot.is_off:
            return self._base.handle_request(self, request)
        tap = self._tap_for(request)
        if tap is None:
            return self._base.handle_request(self, request)
        return tap.handle_request(request)

    def close(self) -> None:
        """Close, the tap too where there is one."""
        if self._tap is None:
            self._base.close(self)
        else:
            self._tap.close()

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        """Leave, the tap too where there is one."""
        if self._tap is None:
            self._base.__exit__(self, kind, error, trace)
        else:
            self._tap.__exit__(kind, error, trace)


class AsyncInjected(_Injecting):
    """What our subclass of an asynchronous transport does differently."""

    async def handle_async_request(self, request: Any) -> Any:
        """Send, through a tap where the request is Mistral's."""
        if not switch.is_on or slot.is_off:
            return await self._base.handle_async_request(self, request)
        tap = self._tap_for(request)
        if tap is None:
            return await self._base.handle_async_request(self, request)
        return await tap.handle_async_request(request)

    async def aclose(self) -> None:
        """Close, the tap too where there is one."""
        if self._tap is None:
            await self._base.aclose(self)
        else:
            await self._tap.aclose()

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        """Leave, the tap too where there is one."""
        if self._tap is None:
            await self._base.__aexit__(self, kind, error, trace)
        else:
            await self._tap.__aexit__(kind, error, trace)


class _Own:
    """The library's half of a transport of ours, for a tap to go around.

    It holds the transport weakly: a client that is dropped unclosed goes at once, as it would
    without us.
    """

    def __init__(self, transport: Any) -> None:
        self._transport = weakref.ref(transport)
        self._base = transport._base

    def handle_request(self, request: Any) -> Any:
        return self._base.handle_request(self._transport(), request)

    async def handle_async_request(self, request: Any) -> Any:
        return await self._base.handle_async_request(self._transport(), request)

    def close(self) -> None:
        self._base.close(self._transport())

    async def aclose(self) -> None:
        await self._base.aclose(self._transport())

    def __exit__(self, *failure: object) -> None:
        self._base.__exit__(self._transport(), *failure)

    async def __aexit__(self, *failure: object) -> None:
        await self._base.__aexit__(self._transport(), *failure)
