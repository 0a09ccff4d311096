"""Every address without a usable scheduler is refused in one sentence."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason='needs pip install "bpcli[dask]"')

import dask
from helpers_path import finding_tests

from bpcli.cluster import connection
from bpcli.cluster.address import require_scheduler
from bpcli.cluster.connection import ClusterConnection, connected
from bpcli.cluster.local import LocalCluster, local_cluster
from bpcli.errors import ClusterError

SECONDS = 0.5


def refused(address: str) -> str:
    with pytest.raises(ClusterError) as caught:
        require_scheduler(address, SECONDS)
    said = str(caught.value)
    assert address in said
    assert "\n" not in said
    return said


@contextmanager
def another_program(greeting: bytes, *, closes: bool = False) -> Iterator[str]:
    """The address of a program that is no scheduler: it sends some bytes to whoever connects."""
    connections: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    other, _ = server.accept()
                except OSError:
                    return
                other.sendall(greeting)
                connections.append(other)
                if closes:
                    other.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for each in connections:
                each.close()


@pytest.mark.parametrize("protocol", ["ucx", "http", "ws", "nonsense", "TCP"])
def test_other_protocols_are_refused(protocol: str) -> None:
    said = refused(f"{protocol}://127.0.0.1:8786")
    assert f"the protocol {protocol} is not supported: expected an address such as tcp://" in said


@pytest.mark.parametrize(
    "rest", ["", "host", "host:", "host:x", "host:0", "host:65536", "host:-1", "::1:80", "a b:1",
             "[::1", "me@host:1", "host:1/path", ":80"],
)  # fmt: skip
def test_an_address_needs_a_host_and_a_port(rest: str) -> None:
    assert "is not the address of a scheduler: expected" in refused(f"tcp://{rest}")


def test_a_wrong_host_or_port_is_refused_with_the_words_of_the_system() -> None:
    assert "Connection refused" in refused("tcp://127.0.0.1:1")
    assert refused("tcp://no-such-host.invalid:8786").startswith("No scheduler answers at tcp://no")
    assert "label too long" in refused(f"tcp://{'x' * 64}:8786")


def test_the_words_of_the_system_are_told_though_the_last_attempt_was_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def late(*args: object, **options: object) -> None:
        raise OSError("Timed out") from TimeoutError()

    monkeypatch.setattr("distributed.comm.connect", late)
    assert "Connection refused" in refused("tcp://127.0.0.1:1")


@pytest.mark.parametrize(
    "greeting",
    [b"SSH-2.0-OpenSSH_9.9\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(999), b"\xff" * 999],
    ids=["ssh", "http", "zeros", "ones"],
)
def test_another_program_is_refused(greeting: bytes) -> None:
    with another_program(greeting) as address:
        assert "another program uses this address" in refused(address)


def test_a_program_that_says_nothing_or_hangs_up_is_refused() -> None:
    with another_program(b"") as address:
        assert "no answer within 0.5 seconds" in refused(address)
    with another_program(b"", closes=True) as address:
        assert refused(address).startswith("No scheduler answers at")


def test_a_worker_is_no_scheduler(cluster: ClusterConnection) -> None:
    worker = next(iter(cluster.members.threads))
    assert "the program there is a worker of Dask" in refused(worker)


def test_the_dashboard_is_no_scheduler(local: LocalCluster) -> None:
    refused(local.dashboard.replace("http", "tcp").removesuffix("/status"))


def test_tls_without_certificates_says_what_to_set() -> None:
    said = refused("tls://127.0.0.1:1")
    for name in ("ca-file", "client.cert", "client.key"):
        assert f"distributed.comm.tls.{name}" in said


def test_an_address_without_encryption_is_refused_if_the_configuration_demands_it() -> None:
    with dask.config.set({"distributed.comm.require-encryption": True}):
        assert "distributed.comm.require-encryption" in refused("tcp://127.0.0.1:1")


def test_certificates_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for name in ("absent.pem", "ca.pem"):
        names = ("ca-file", "client.cert", "client.key")
        settings = {f"distributed.comm.tls.{each}": str(tmp_path / name) for each in names}
        with dask.config.set(settings):
            assert "certificates that Dask's configuration names" in refused("tls://127.0.0.1:1")


def own_certificate(folder: Path) -> dict[str, str]:
    """The settings of Dask for a new certificate that signs itself."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost",
         "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    roles = ("client", "scheduler", "worker")
    files = {"cert": str(cert), "key": str(key)}
    of_roles = {f"{role}.{name}": path for role in roles for name, path in files.items()}
    return {f"distributed.comm.tls.{k}": v for k, v in {"ca-file": str(cert), **of_roles}.items()}


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_a_cluster_with_tls_is_used_with_the_certificates_of_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = own_certificate(tmp_path) | {"distributed.comm.require-encryption": "true"}
    for name, value in settings.items():
        variable = name.upper().replace(".", "__").replace("-", "_")
        monkeypatch.setenv(f"DASK_{variable}", value)
    with finding_tests(), local_cluster(1, None, "127.0.0.1:0") as started:
        assert started.address.startswith("tls://")
        with dask.config.set(settings), connected(started.address) as cluster:
            assert cluster.workers == 1
        refused(started.address)
        monkeypatch.setattr(connection, "_CONNECT_SECONDS", SECONDS)
        with pytest.raises(ClusterError), connected(started.address.replace("tls", "tcp")):
            pass
