"""The environment's proxies, as the mounts of an HTTP client.

httpx and httpx2 read them only where a client builds its own transports; this gives the same map
to clients that are given theirs. The rules are those libraries' own, and not quite the same.
"""

import importlib
import ipaddress
from urllib.request import getproxies

__all__ = ["environment_proxies"]

_IPV4, _IPV6 = 4, 6


def environment_proxies(library: str) -> dict[str, str | None]:
    """Give URL patterns and the proxy for each; None for those that are to be reached directly."""
    found = getproxies()
    hosts = [name.strip() for name in found.get("no", "").split(",")]
    if "*" in hosts:
        return {}
    mounts: dict[str, str | None] = {}
    for scheme in ("http", "https", "all"):
        if url := found.get(scheme):
            mounts[f"{scheme}://"] = url if "://" in url else f"http://{url}"
    is_first = library == "httpx"
    for host in filter(None, hosts):
        pattern = _pattern(host) if is_first else _pattern2(host)
        if pattern is not None and (is_first or _is_readable(pattern, library)):
            mounts[pattern] = None
    return mounts


def _pattern(host: str) -> str:
    """Give httpx's pattern for a name in NO_PROXY: a URL, an address, `localhost` or a domain."""
    version = _ip_version(host)
    if "://" in host:
        return host
    if version == _IPV6:
        return f"all://[{host}]"
    if version == _IPV4 or host.lower() == "localhost":
        return f"all://{host}"
    return f"all://*{host}"


def _pattern2(host: str) -> str | None:
    """Give httpx2's pattern: it knows more forms; None for what it leaves out."""
    address, slash, prefix = host.partition("/")
    pattern = _pattern(host)
    if "://" not in host and _ip_version(host) != _IPV4:
        if _ip_version(host) == _IPV6:
            pattern = f"all://[{address}]{slash}{prefix}"
        elif host.startswith("["):
            pattern = f"all://{host}"
        elif slash:
            return None
        elif host.startswith("*."):
            pattern = f"all://{host}"
    return pattern


def _is_readable(pattern: str, library: str) -> bool:
    """Tell whether a client takes a pattern, the only way that the library says so in public."""
    http = importlib.import_module(library)
    nowhere = http.MockTransport(lambda _: http.Response(200))
    try:
        http.Client(transport=nowhere, mounts={pattern: None}, trust_env=False).close()
    except http.InvalidURL:
        return False
    return True


def _ip_version(host: str) -> int | None:
    try:
        return ipaddress.ip_address(host.partition("/")[0]).version
    except ValueError:
        return None
