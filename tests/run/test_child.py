"""What a supervised program clears away before it starts."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from bzpeer.run.child import MARK, end, is_alive, marked
from tests.run.conftest import wait_until

STUBBORN = (
    "import signal, sys, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
)


def test_leftovers_are_found_by_their_mark_and_ended_even_when_stubborn(tmp_path: Path) -> None:
    mark = f"web@{tmp_path}"
    command = [sys.executable, "-c", STUBBORN]
    with subprocess.Popen(command, env={**os.environ, MARK: mark}, stdout=subprocess.PIPE) as left:
        assert left.stdout is not None
        left.stdout.readline()
        assert marked(mark) == [left.pid]
        assert marked(f"{mark}-other") == []
        end([left.pid], signal.SIGTERM, 0.2)
        assert left.wait(5) == -signal.SIGKILL


def test_zombie_counts_as_dead() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    wait_until(lambda: not is_alive(child.pid))
    assert child.wait() == 0
    assert is_alive(os.getpid())
