"""A process that appends until it is killed: python writer.py DATABASE FIRST COUNT."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.ledger.logs import note, open_log

if __name__ == "__main__":
    database, first, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    log = open_log(database)
    print("ready", flush=True)
    for n in range(first, first + count):
        (index,) = log.append([note(n)], checkpoint=n % 5 == 0)
        # Told to the parent only after it is durable: a number that was printed may never be lost.
        print(n, index, flush=True)
    log.close()
