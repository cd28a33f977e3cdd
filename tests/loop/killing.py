"""Run a command and kill this very process, without any clean-up, before its k-th touch of the outside world.

Touches are what the interpreter audits: opening for writing, renaming, linking, removing, locking, starting git.
`python -m tests.loop.killing K ARGUMENTS...` exits with 137 when it was killed, else as the command does.
"""

from __future__ import annotations

import os
import signal
import sys

from trueup.cli.main import main

TOUCHES = {
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.link",
    "fcntl.flock",
    "subprocess.Popen",
    "sqlite3.connect",
    "shutil.rmtree",
}


def touches(event: str, arguments: tuple[object, ...]) -> bool:
    """Tell whether an audited event may change something outside this process."""
    if event == "open":
        flags = arguments[2]
        return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    return event in TOUCHES


def kill_before(count: int) -> None:
    """Arrange for the kill. A count of 0 never kills, and prints the number of touches at the end."""
    left = [count]

    def audit(event: str, arguments: tuple[object, ...]) -> None:
        if left[0] > 0 and touches(event, arguments):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(audit)


if __name__ == "__main__":
    kill_before(int(sys.argv[1]))
    sys.argv = ["trueup", *sys.argv[2:]]
    main()
