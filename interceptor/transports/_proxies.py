"""The environment's proxies, as the mounts of an HTTP client.

httpx reads them only where it builds its own transports; this gives the same map to clients that
are given theirs. The rules are httpx's own, from its documentation of environment variables.
"""

import ipaddress
from urllib.request import getproxies

__all__ = ["environment_proxies"]


def environment_proxies() -> dict[str, str | None]:
    """Give URL patterns and the proxy for each; None for those that are to be reached directly."""
    found = getproxies()
    mounts: dict[str, str | None] = {}
    for scheme in ("http", "https", "all"):
        if url := found.get(scheme):
            mounts[f"{scheme}://"] = url if "://" in url else f"http://{url}"
    for host in (name.strip() for name in found.get("no", "").split(",")):
        if host == "*":
            return {}
        if host:
            mounts[_pattern(host)] = None
    return mounts


def _pattern(host: str) -> str:
    """Give the pattern for a name in NO_PROXY: an address, `localhost`, a domain, or a URL."""
    if "://" in host:
        return host
    if (version := _ip_version(host)) is not None:
        return f"all://{host}" if version == 4 else f"all://[{host}]"  # noqa: PLR2004
    if host.lower() == "localhost":
        return f"all://{host}"
    return f"all://*{host}"


def _ip_version(host: str) -> int | None:
    try:
        return ipaddress.ip_address(host.partition("/")[0]).version
    except ValueError:
        return None
