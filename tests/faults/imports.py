"""Kill an import again and again: make faults-import KILLS=100 DATA=folder

The same files are imported undisturbed, and with kill -9 at random moments until the command ends by itself.
Both states must have the same hash, every time.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.bench.ingest import empty
from tests.bench.servers import manage, own_servers

ROOT = Path(__file__).parent.parent.parent
SEED = 20260101


def main() -> None:
    from bzpeer.lib.figures import Figures

    data = os.environ.get("DATA")
    files = (
        [
            ("openalex", f"{data}/openalex/works-api-pages"),
            ("arxiv", f"{data}/arxiv/archive-tsv/cs.AR.tsv.xz"),
        ]
        if data
        else [("openalex", str(ROOT / "tests/data/openalex")), ("arxiv", str(ROOT / "tests/data/arxiv"))]
    )
    wanted = int(os.environ.get("KILLS", "100"))
    with own_servers():
        figures = Figures("faults-import")
        started = time.monotonic()
        for provider, path in files:
            manage("ingest", provider, path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seconds = time.monotonic() - started
        whole = state()
        print(f"Undisturbed: {seconds:.1f} s, state {whole}")
        chance = random.Random(SEED)
        kills = rounds = different = 0
        while kills < wanted:
            empty()
            here = 0
            for provider, path in files:
                while True:
                    process = subprocess.Popen(
                        [sys.executable, "manage.py", "ingest", provider, path],
                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
                    )  # fmt: skip
                    # Up to what a whole import takes, so that every phase is hit; starting Python takes its part.
                    patience = chance.uniform(0.5, 1 + seconds / len(files))
                    try:
                        if process.wait(patience if here < 20 and kills + here < wanted else None):
                            raise SystemExit(f"The import ended with {process.returncode}.")
                        break
                    except subprocess.TimeoutExpired:
                        os.killpg(process.pid, signal.SIGKILL)
                        process.wait()
                        here += 1
            kills += here
            rounds += 1
            now = state()
            different += now != whole
            print(
                f"Round {rounds}: {here} kills, state {now} {'equal' if now == whole else 'DIFFERENT'}",
                flush=True,
            )
        figures.add("import.kills", kills, "kills", f">={wanted}")
        figures.add("import.states_different", different, "states", "<=0")
        figures.write()
    if different:
        raise SystemExit(1)


def state() -> str:
    """Return the hash that verify prints; a state that does not agree with itself ends the run."""
    found = subprocess.run(
        [sys.executable, "manage.py", "ingest", "verify"], capture_output=True, text=True, check=False
    )
    if found.returncode:
        raise SystemExit(found.stdout + found.stderr)
    return found.stdout.splitlines()[-1]


if __name__ == "__main__":
    main()
