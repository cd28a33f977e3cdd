"""A process that appends until it is killed: python writer.py PLACE FIRST COUNT [THREADS].

PLACE is a file, or the URL of a database, a bar and the name of a log in it.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from tests.ledger.logs import note, open_log
from tests.ledger.pg_logs import open_pg
from trueup.ledger.log import Ledger


def opened(place: str) -> Ledger:
    url, bar, name = place.partition("|")
    return open_pg(url, name) if bar else open_log(Path(place))


def append(log: Ledger, numbers: range) -> None:
    for n in numbers:
        (index,) = log.append([note(n)], checkpoint=n % 5 == 0)
        # Told to the parent only after it is durable: a number that was printed may never be lost.
        sys.stdout.write(f"{n} {index}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    place, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    threads = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    log = opened(place)
    print("ready", flush=True)
    shares = [range(first + at, first + count, threads) for at in range(threads)]
    running = [threading.Thread(target=append, args=(log, share)) for share in shares[1:]]
    for thread in running:
        thread.start()
    append(log, shares[0])
    for thread in running:
        thread.join()
    log.close()
