"""One run of the console: on this machine's own address, until it is stopped."""

from __future__ import annotations

import socket
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trueup.kernel.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
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


@dataclass(frozen=True, slots=True)
class Told:
    """What is said once the address is ours: the one-time link, and who has a token for the API, or why not."""

    link: str
    api: str
    callers: Sequence[str]
    unusable: Mapping[str, str]


def serve(root: Path, port: int, clock: Clock, as_of: datetime | None, say: Callable[[Told], None]) -> None:
    """Serve a programme until interrupted; `say` gets the addresses once they are ours.

    Raises NotFoundError when the folder is no programme, StorageError when the port is taken.
    """
    import uvicorn

    from trueup.sdk.reminding import reminded
    from trueup.web.api.app import Api
    from trueup.web.api.routes import PREFIX
    from trueup.web.app import create_app
    from trueup.web.door import Door
    from trueup.web.site import Site
    from trueup.workspace import new_secret

    site = Site(root, clock, as_of)
    site.checked(site.look(None))
    with listening(port) as ours:
        door = Door(new_secret(), ours.getsockname()[1], clock)
        api = Api(site, door.port)
        config = uvicorn.Config(
            create_app(site, door, api), log_level="warning", access_log=False, server_header=False, lifespan="off"
        )
        callers, unusable = ([], {}) if as_of else api.known()
        say(Told(door.link, f"http://{HOST}:{door.port}{PREFIX}/", callers, unusable))
        try:
            # Who looks from a fixed instant tells nobody of today.
            with suppress(KeyboardInterrupt), nullcontext() if as_of else reminded(root, clock):
                uvicorn.Server(config).run(sockets=[ours])
        finally:
            api.close()
