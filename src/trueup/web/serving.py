"""One run of the console: on this machine's own address, until it is stopped."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from trueup.kernel.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from trueup.kernel.clock import Clock

HOST = "127.0.0.1"


def listening(port: int) -> socket.socket:
    """Return a socket on the loopback address; port 0 takes a free one. Raises StorageError when it is taken."""
    # Only a socket that says it is TCP has Nagle's delay switched off by the event loop.
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((HOST, port))
        # From here on visitors wait for the server instead of being refused: the link is printed before it runs.
        made.listen()
    except OSError as error:
        made.close()
        raise StorageError(
            "port-taken",
            f"Port {port} cannot be opened: {error.strerror}.",
            "Another console may run there. Any free port is taken with --port 0.",
        ) from None
    return made


def serve(root: Path, port: int, clock: Clock, as_of: datetime | None, say: Callable[[str], None]) -> None:
    """Serve a programme until interrupted; `say` gets the one-time link once the address is ours.

    Raises NotFoundError when the folder is no programme, StorageError when the port is taken.
    """
    import uvicorn

    from trueup.web.app import create_app
    from trueup.web.door import Door
    from trueup.web.site import Site
    from trueup.workspace import new_secret

    site = Site(root, clock, as_of)
    site.checked(site.look(None))
    with listening(port) as ours:
        door = Door(new_secret(), ours.getsockname()[1], clock)
        config = uvicorn.Config(
            create_app(site, door), log_level="warning", access_log=False, server_header=False, lifespan="off"
        )
        say(door.link)
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[ours])
