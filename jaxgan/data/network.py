"""Whether the hosts of a download can be reached, found out within seconds."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

_PORTS = {"http": 80, "https": 443, "ftp": 21}


def hosts_of(urls: Iterable[str]) -> list[str]:
    """The hosts of some addresses, as ``scheme://host[:port]``, sorted, each once."""
    parts = (urlsplit(url) for url in urls)
    return sorted({f"{part.scheme}://{part.netloc}" for part in parts if part.scheme in _PORTS})


def reachable(hosts: Sequence[str], timeout: float = 5.0) -> list[bool]:
    """Tries to connect to each host, or to its proxy where one is set, all at once.

    Args:
        hosts: as `hosts_of` returns them.
        timeout: seconds that a connection may take.

    Returns:
        For each host, whether it took the connection.
    """
    if not hosts:
        return []
    with ThreadPoolExecutor(len(hosts)) as pool:
        return list(pool.map(lambda host: _connects(host, timeout), hosts))


def _connects(host: str, timeout: float) -> bool:
    target = urlsplit(host)
    proxy = getproxies().get(target.scheme)
    if proxy and not proxy_bypass(target.hostname or ""):
        target = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    address = target.hostname or "", target.port or _PORTS.get(target.scheme, 80)
    try:
        with socket.create_connection(address, timeout):
            return True
    except OSError:
        return False
