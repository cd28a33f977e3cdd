"""Who may come in: this machine's user, by a link that opens once; and what browsers are told to refuse."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from trueup.kernel.errors import NotPermittedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trueup.kernel.clock import Clock

SESSION = timedelta(hours=12)
ENTRANCE = "/enter"
HEADERS: Mapping[str, str] = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}


@dataclass
class Door:
    """One run's keys. The link's token is spent by its first use; a session ends with its time or with the run."""

    secret: bytes
    port: int
    clock: Clock
    _spent: bool = field(default=False, init=False)

    @property
    def cookie(self) -> str:
        """The name of the session cookie; browsers share cookies between ports, so it names its own."""
        return f"trueup-{self.port}"

    @property
    def token(self) -> str:
        """The word in the one-time link."""
        return self._sign("token")

    @property
    def link(self) -> str:
        """The one-time link."""
        return f"http://127.0.0.1:{self.port}{ENTRANCE}?token={self.token}"

    def check_host(self, host: str) -> None:
        """Raise NotPermittedError for a name that is not this machine's: a foreign page may have pointed one here."""
        if host not in {f"127.0.0.1:{self.port}", f"localhost:{self.port}"}:
            raise NotPermittedError(
                "foreign-host",
                "This console answers on its own address only.",
                f"Open http://127.0.0.1:{self.port}/ instead.",
            )

    def enter(self, token: str) -> str:
        """Spend the token and return the value of a session cookie. Raises NotPermittedError."""
        if self._spent or not hmac.compare_digest(token.encode(), self.token.encode()):
            raise NotPermittedError("link-spent", "This link does not open the console, or has opened it before.", _WAY)
        self._spent = True
        until = str(int((self.clock.now() + SESSION).timestamp()))
        return f"{until}.{self._sign('session ' + until)}"

    def check_session(self, cookie: str | None) -> None:
        """Raise NotPermittedError unless the cookie is one of this run, and its time is not over."""
        until, _, signature = (cookie or "").partition(".")
        mine = hmac.compare_digest(signature.encode(), self._sign("session " + until).encode())
        if not mine or self.clock.now() >= datetime.fromtimestamp(int(until), self.clock.now().tzinfo):
            raise NotPermittedError("no-session", "This console opens with the link that was printed.", _WAY)

    def _sign(self, text: str) -> str:
        digest = hmac.new(self.secret, text.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


_WAY = "Open the link that `trueup serve` printed when it started. It opens once; starting it again prints a new one."
