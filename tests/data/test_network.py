import socket
import time

import pytest

from jaxgan.data.network import hosts_of, reachable

UNREACHABLE = "https://host.invalid"


@pytest.fixture
def no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def server():
    """A local server that takes connections; its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


def test_hosts_of():
    urls = [
        "https://b.example/x.gz",
        "https://b.example/y.gz",
        "http://a.example:8080/z",
        "ftp://c.example/",
        "gs://bucket/file",
        "/a/path",
    ]
    assert hosts_of(urls) == ["ftp://c.example", "http://a.example:8080", "https://b.example"]
    assert hosts_of([]) == []


def test_reachable(server, no_proxy):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    hosts = [f"http://{server}", f"http://127.0.0.1:{port}", UNREACHABLE]
    assert reachable(hosts) == [True, False, False]
    assert reachable([]) == []


def test_proxies_are_asked_instead(server, no_proxy, monkeypatch):
    for proxy in (f"http://{server}", server):
        monkeypatch.setenv("https_proxy", proxy)
        assert reachable([UNREACHABLE]) == [True]
    monkeypatch.setenv("no_proxy", "host.invalid")
    assert reachable([UNREACHABLE]) == [False]


def test_a_host_that_never_answers_costs_the_timeout(no_proxy, monkeypatch):
    def never(address, timeout):
        time.sleep(timeout)
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket, "create_connection", never)
    start = time.monotonic()
    # At once, not one after the other.
    assert reachable([UNREACHABLE] * 5, timeout=0.2) == [False] * 5
    assert time.monotonic() - start < 0.8
