"""How .venv is made where the machine's Python lacks a part."""

import sys
from pathlib import Path

import pytest

from bzpeer.run import venv


def stub_python(folder: Path, body: str) -> str:
    """Return a program that stands for a python3; `body` is the shell's answer to its arguments."""
    program = folder / "python3"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    return str(program)


def test_without_ensurepip_the_machines_pip_puts_pip_in(tmp_path: Path) -> None:
    python = stub_python(
        tmp_path,
        f'echo "$@" >> {tmp_path}/calls\n'
        'case "$*" in *--without-pip*|*"install pip") exit 0;; *) echo "ensurepip is not available"; exit 1;; esac',
    )
    made = tmp_path / ".venv"
    venv.make(python, made)
    assert [line.split()[:3] for line in (tmp_path / "calls").read_text().splitlines()] == [
        ["-m", "venv", str(made)],
        ["-m", "venv", "--without-pip"],
        ["-m", "pip", "--disable-pip-version-check"],
    ]


def test_when_nothing_helps_only_our_sentence_shows(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    python = stub_python(tmp_path, "echo much; echo more >&2; exit 1")
    made = tmp_path / ".venv"
    with pytest.raises(SystemExit) as end:
        venv.make(python, made)
    assert end.value.code == "Python cannot make .venv (Debian, Ubuntu: apt-get install python3-venv)."
    assert capfd.readouterr() == ("", "")
    assert not made.exists()


def test_a_python_without_a_redis_is_told_what_to_install(tmp_path: Path) -> None:
    nothing = {"PATH": str(tmp_path)}
    assert "apt-get install redis-server" in venv.redis_advice("3.13", nothing)
    assert venv.redis_advice("3.12", nothing) == ""
    assert venv.redis_advice("3.13", nothing | {"REDIS_URL": "redis://elsewhere"}) == ""
    (tmp_path / "valkey-server").write_text("#!/bin/sh\n")
    (tmp_path / "valkey-server").chmod(0o755)
    assert venv.redis_advice("3.13", nothing) == ""


def test_quiet_tells_whether_a_command_succeeded(capfd: pytest.CaptureFixture[str]) -> None:
    assert venv.quiet([sys.executable, "-c", "print(1)"])
    assert not venv.quiet([sys.executable, "-c", "raise SystemExit(2)"])
    assert capfd.readouterr() == ("", "")
