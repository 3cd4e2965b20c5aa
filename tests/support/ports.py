"""Ports of loopback for programs that cannot choose one themselves."""

from contextlib import closing
from socket import create_connection, create_server


def reserve_port() -> int:
    """Return a port that the system gives to nobody else for the next minute.

    A connection that this side has closed leaves the port in TIME_WAIT: the system hands it out to no one who asks for
    any port, but a server that names it may listen there (SO_REUSEADDR, which asyncio and Go set).
    """
    with (
        create_server(("127.0.0.1", 0)) as server,
        closing(create_connection(server.getsockname())) as other,
    ):
        accepted, _ = server.accept()
        accepted.close()
        other.recv(1)  # the end of the stream: this side closed first
        return int(server.getsockname()[1])
