"""The address of a scheduler, and whether a scheduler answers there."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bpcli.errors import ClusterError

_ADDRESS = re.compile(r"(?P<protocol>\w+)://(\[[^\s\[\]]+\]|[^\s:/@\[\]]+):(?P<port>\d{1,5})")
_PROTOCOLS = ("tcp", "tls")
_LAST_PORT = 2**16 - 1
_EXPECTED = "expected an address such as tcp://10.0.0.1:8786, or tls://10.0.0.1:8786"
_START = "Start one with `dask scheduler`, and give the address that it prints."
_SETTINGS = "https://docs.dask.org/en/stable/configuration.html"


def require_scheduler(address: str, seconds: float) -> None:
    """Raises `ClusterError` unless a scheduler answers at an address within so many seconds."""
    protocol = _protocol_of(address)
    arguments = _connection_arguments(address)
    if protocol == "tls" and arguments["ssl_context"] is None:
        raise ClusterError(
            f"{address} needs certificates, but Dask's configuration names none: set "
            "distributed.comm.tls.ca-file, distributed.comm.tls.client.cert and "
            f"distributed.comm.tls.client.key there ({_SETTINGS})."
        )
    if protocol == "tcp" and arguments["require_encryption"]:
        raise ClusterError(
            f"{address} has no encryption, which Dask's configuration demands by "
            "distributed.comm.require-encryption: give the address of a scheduler that begins with "
            "tls://, or change the configuration."
        )
    with ThreadPoolExecutor(1) as thread:  # this one may have an event loop, as in a notebook
        thread.submit(asyncio.run, _greet(address, arguments, seconds)).result()


def _protocol_of(address: str) -> str:
    """The protocol of an address. Raises `ClusterError` for one that is none, or is not known."""
    parts = _ADDRESS.fullmatch(address)
    if parts is None or not 1 <= int(parts["port"]) <= _LAST_PORT:
        raise ClusterError(f"{address!r} is not the address of a scheduler: {_EXPECTED}.")
    if parts["protocol"] not in _PROTOCOLS:
        raise ClusterError(
            f"{address}: the protocol {parts['protocol']} is not supported: {_EXPECTED}."
        )
    return parts["protocol"]


def _connection_arguments(address: str) -> dict[str, Any]:
    """What Dask's configuration says of connections, such as its certificates."""
    from distributed import Security

    try:
        arguments: dict[str, Any] = Security().get_connection_args("client")
    except (OSError, ValueError) as error:  # also of a certificate that is damaged
        raise ClusterError(
            "The certificates that Dask's configuration names (distributed.comm.tls) cannot be "
            f"used for {address}: {error}. Correct them there ({_SETTINGS})."
        ) from None
    return arguments


async def _greet(address: str, arguments: Mapping[str, Any], seconds: float) -> None:
    """Ask for a moment who answers: a client that cannot connect leaves a thread."""
    from distributed.comm import connect
    from distributed.core import send_recv

    async def identity() -> Any:
        comm = await connect(address, timeout=seconds, **arguments)
        try:
            return await send_recv(comm, op="identity", reply=True)
        finally:
            comm.abort()

    try:
        answer = await asyncio.wait_for(identity(), 2 * seconds)
        role = answer["type"]
    except Exception as error:  # the bytes of another program can be read as anything
        reason = _refusal(address, seconds) or _reason(error, seconds)
        raise ClusterError(f"No scheduler answers at {address}: {reason}. {_START}") from None
    if role != "Scheduler":
        what = f"the program there is a {role.lower()} of Dask" if role else _ANOTHER
        raise ClusterError(f"No scheduler answers at {address}: {what}. {_START}")


_ANOTHER = "another program uses this address"


def _refusal(address: str, seconds: float) -> str | None:
    """Why nothing can be connected to an address, in the words of the system; None if it can.

    Dask makes several attempts, of which the last can be cut off before the system says anything.
    """
    from distributed.comm import parse_address
    from distributed.comm.addressing import parse_host_port

    try:
        socket.create_connection(parse_host_port(parse_address(address)[1]), seconds).close()
    except (OSError, UnicodeError) as error:  # a host of 64 letters and more has no encoding
        return getattr(error, "strerror", None) or str(error)
    return None


def _reason(error: Exception, seconds: float) -> str:
    """Why a program that can be reached gave no answer; certificates in the words of the system."""
    said = (each.strerror for each in _with_causes(error) if isinstance(each, OSError))
    silent = f"no answer within {seconds:g} seconds"
    return next(filter(None, said), silent if isinstance(error, OSError) else _ANOTHER)


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
