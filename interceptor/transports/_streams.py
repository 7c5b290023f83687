"""A response's stream, taped: what the caller reads goes by as it is, and every end is told once.

Sync and async are written out twice, side by side, and hold no decisions. A stream returns the same
bytes and raises the same exceptions as the one inside it, in the same order.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from types import GeneratorType
from typing import Any

from interceptor.exchange import ABANDONED, CLOSED_EARLY, Ending
from interceptor.quiet import report
from interceptor.recording import Recording

__all__ = ["Around", "AsyncTapStream", "TapStream", "Tapped", "reason"]

_MOST_MESSAGE_CHARS = 4096

Add = Callable[[bytes, int], None]


class Around:
    """Stands in for the object `inner`: what it does not have itself, that one may have."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__.get("inner"), name)  # None while it is being made, or copied


class Tapped(Around):
    """A response's stream, taped."""

    def __init__(self, inner: Any, recording: Recording) -> None:
        """Tape the stream `inner` into `recording`."""
        self.inner, self._recording = inner, recording

    def __del__(self) -> None:
        """End the exchange where nobody closed the stream. Only puts into a queue."""
        recording = self.__dict__.get("_recording")
        if recording is not None:
            recording.end(ABANDONED)


class TapStream(Tapped):
    """A synchronous stream, taped."""

    def __iter__(self) -> Iterator[bytes]:
        """Give an iterator over the inner stream's pieces, each as it is.

        Around a generator it is one too, and the quicker kind. Any other iterator it stands in for
        step by step, so that whoever closes it, and nobody else, closes the inner one.
        """
        inner = iter(self.inner)
        if type(inner) is GeneratorType:
            return self._generated(inner)
        return _Steps(inner, self._recording)

    def _generated(self, inner: Iterator[bytes]) -> Iterator[bytes]:
        recording = self._recording
        add: Add = recording.exchange.add
        clock_ns = recording.clock_ns
        try:
            for data in inner:
                try:
                    add(data, clock_ns())
                except Exception as error:  # noqa: BLE001 - the edge: the caller's bytes go on
                    add = _skip
                    report("a piece of an answer", error)
                yield data
        except GeneratorExit:
            raise  # neither an error nor the end: the caller lets go of an iterator
        except BaseException as error:
            recording.end(reason(error))
            raise
        recording.end()

    def close(self) -> None:
        """Close the inner stream."""
        try:
            self.inner.close()
        finally:
            self._recording.end(CLOSED_EARLY)


class AsyncTapStream(Tapped):
    """An asynchronous stream, taped."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Give an iterator over the inner stream's pieces, as `TapStream` does."""
        inner = self.inner.__aiter__()
        kind = _GeneratorSteps if isinstance(inner, AsyncGenerator) else _AsyncSteps
        return kind(inner, self._recording)

    async def aclose(self) -> None:
        """Close the inner stream."""
        try:
            await self.inner.aclose()
        finally:
            self._recording.end(CLOSED_EARLY)


class _Taping:
    """What the steps of sync and async iterators share."""

    def __init__(self, inner: Any, recording: Recording) -> None:
        self.inner, self._recording = inner, recording
        self._add: Add = recording.exchange.add
        self._clock_ns = recording.clock_ns

    def _give_up(self, error: Exception) -> None:
        """Keep nothing more of this answer; the caller's bytes go on."""
        self._add = _skip
        report("a piece of an answer", error)


class _Steps(_Taping, Around, Iterator[bytes]):
    """The steps of an inner iterator, taped."""

    def __next__(self) -> bytes:
        try:
            data: bytes = next(self.inner)
        except StopIteration:
            self._recording.end()
            raise
        except BaseException as error:
            self._recording.end(reason(error))
            raise
        try:
            self._add(data, self._clock_ns())
        except Exception as error:  # noqa: BLE001 - the edge
            self._give_up(error)
        return data


class _AsyncSteps(_Taping, AsyncIterator[bytes]):
    """The steps of an inner asynchronous iterator, taped."""

    async def __anext__(self) -> bytes:
        try:
            data: bytes = await self.inner.__anext__()
        except StopAsyncIteration:
            self._recording.end()
            raise
        except GeneratorExit:
            raise  # neither an error nor the end: the step is dropped, the stream may be closed yet
        except BaseException as error:
            self._recording.end(reason(error))
            raise
        try:
            self._add(data, self._clock_ns())
        except Exception as error:  # noqa: BLE001 - the edge
            self._give_up(error)
        return data


class _GeneratorSteps(_AsyncSteps, AsyncGenerator[bytes, None]):
    """The same for a generator, which can be closed and thrown into besides."""

    async def asend(self, value: None) -> bytes:  # noqa: ARG002 - nothing can be sent to a body
        return await self.__anext__()

    async def athrow(self, *error: Any) -> bytes:
        data: bytes = await self.inner.athrow(*error)
        return data

    async def aclose(self) -> None:
        await self.inner.aclose()


def reason(error: BaseException) -> Ending:
    """Say why an exception ended an exchange; a coroutine that is dropped has not failed."""
    if isinstance(error, GeneratorExit):
        return ABANDONED
    try:
        message = str(error)[:_MOST_MESSAGE_CHARS].encode(errors="replace").decode()
    except Exception:  # noqa: BLE001 - the exception is anybody's, and so is what it says of itself
        message = ""
    return Ending(type(error).__name__, message=message or None)


def _skip(_data: bytes, _at_ns: int) -> None:
    """Keep nothing more of this answer."""
