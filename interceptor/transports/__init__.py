"""Transports that record what goes through them, for httpx and for httpx2.

`interceptor.transports.httpx` and `interceptor.transports.httpx2` hold two classes each,
`Transport` and `AsyncTransport`; `wrap` picks the one that fits an object, `clients` makes the
HTTP clients that the installed SDK takes.
"""

from interceptor.transports._choosing import clients, is_tap, sdk_library, wrap

__all__ = ["clients", "is_tap", "sdk_library", "wrap"]
