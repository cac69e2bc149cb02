"""`longmen serve` as a user runs it: starting, stopping, crashing, starting again."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import psutil
import psycopg
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from longmen_server.platform.postgres import SUPERUSER, EmbeddedPostgres
from longmen_server.platform.postgres_home import find_home
from tests.support.server import Server, data_folder, environment, longmen, running, within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.postgres import SharedPostgres

ROOT = Path(__file__).resolve().parents[2]
SERVING = health_pb2.HealthCheckResponse.SERVING


@pytest.fixture(scope="module")
def postgres(durable_postgres: SharedPostgres) -> SharedPostgres:
    """Databases that a server agrees to start on."""
    return durable_postgres


@pytest.fixture
def data() -> Iterator[Path]:
    """Where a server has run before."""
    with data_folder() as folder:
        yield folder


@pytest.fixture
def new_data() -> Iterator[Path]:
    """Where none has."""
    with data_folder(used=False) as folder:
        yield folder


def eventually(check: Callable[[], bool], seconds: float = 15) -> float:
    """Wait until it holds; how long that took."""
    begun = time.monotonic()
    while not check():
        assert time.monotonic() - begun < seconds, "it did not happen"
        time.sleep(0.02)
    return time.monotonic() - begun


def health(address: str) -> int | None:
    with grpc.insecure_channel(address) as channel:
        try:
            reply = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=2
            )
        except grpc.RpcError:
            return None
        return int(reply.status)


def admin(data: Path) -> str:
    """The running embedded Postgres as its superuser, from its files."""
    postgres = EmbeddedPostgres(data, print)
    postgres._home = find_home(data)
    return postgres.dsn(role=SUPERUSER, database="longmen")


def test_a_server_serves_stops_in_order_and_keeps_its_data(new_data: Path) -> None:
    with running(new_data, {"LONGMEN_WORKERS": "2"}) as server:
        assert health(server.address) == SERVING
        assert len(server.workers()) == 2
        assert "grpcurl" in server.text
        assert server.token.count(".") == 2
        postmaster = server.postmaster()
        if os.geteuid() == 0:
            assert postmaster.uids().real != 0
        with psycopg.connect(admin(new_data), autocommit=True) as connection:
            connection.execute("create table kept as select 42 as answer")
        assert server.stop(signal.SIGINT) == 0, server.describe()
    assert not postmaster.is_running()

    begun = time.monotonic()
    with running(new_data) as server:
        assert time.monotonic() - begun < within(5)
        assert health(server.address) == SERVING
        with psycopg.connect(admin(new_data)) as connection:
            assert connection.execute("select answer from kept").fetchone() == (42,)
        assert server.stop(signal.SIGTERM) == 0


def test_the_printed_commands_work_as_printed(data: Path) -> None:
    tools = ROOT / ".tools" / "bin"
    path = os.pathsep.join([str(tools), str(Path(sys.executable).parent), os.environ["PATH"]])
    with running(data, {"PATH": path}) as server:
        server.await_text("Ctrl-C stops")
        printed = re.findall(r"^  (grpcurl .+|longmen .+)$", server.text, re.MULTILINE)
        assert len(printed) == 3
        has_grpcurl = shutil.which("grpcurl", path=path) is not None
        for command in printed if has_grpcurl else printed[2:]:
            done = subprocess.run(
                ["sh", "-c", command],
                env=environment(PATH=path, LONGMEN_TOKEN=server.token),
                capture_output=True,
                text=True,
                check=False,
                timeout=30,
            )
            assert done.returncode == 0, f"{command}\n{done.stderr}"
            assert done.stdout


def test_secrets_are_for_the_owner_only(new_data: Path) -> None:
    with running(new_data) as server:
        for name in (
            "postgres.password",
            "keys/development.pem",
            "keys/page-tokens.key",
            "keys/secrets.key",
            "clock",
            "lock",
        ):
            assert stat.S_IMODE((new_data / name).stat().st_mode) == 0o600, name
        password = (new_data / "postgres.password").read_text("ascii")
        for process in [psutil.Process(server.process.pid), *server.workers(), server.postmaster()]:
            told = " ".join(process.cmdline()) + str(process.environ())
            assert password not in told


def test_nobody_connects_to_postgres_without_the_password(data: Path) -> None:
    with running(data):
        right = admin(data)
        wrong = psycopg.conninfo.make_conninfo(right, password="guess")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)
        with psycopg.connect(right) as connection:
            cursor = connection.execute("select current_setting('listen_addresses')")
            assert cursor.fetchone() == ("",)


def test_a_killed_worker_is_replaced_within_three_seconds(data: Path) -> None:
    with running(data) as server:
        (worker,) = server.workers()
        worker.kill()
        took = eventually(lambda: health(server.address) == SERVING, seconds=30)
        assert took < within(3)
        server.await_text(r"worker 0 ended \(by SIGKILL\); starting it again in 100 ms")
        assert server.workers()[0].pid != worker.pid
        assert server.stop() == 0


def test_a_killed_postgres_comes_back_within_ten_seconds(data: Path) -> None:
    with running(data) as server:
        address = server.address
        server.postmaster().kill()
        eventually(lambda: health(address) != SERVING, seconds=5)
        took = eventually(lambda: health(address) == SERVING, seconds=30)
        assert took < within(10)
        server.await_text("Postgres is back")
        assert server.stop() == 0


def test_a_server_killed_outright_leaves_nothing_running_and_starts_again(data: Path) -> None:
    with running(data) as server:
        others = [*server.workers(), server.postmaster()]
        server.kill()
        eventually(lambda: not any(is_alive(process) for process in others))
    with running(data) as server:
        assert health(server.address) == SERVING


def test_a_postgres_that_outlived_its_server_is_stopped_first(data: Path) -> None:
    """As on systems whose kernel does not tell children of their parent's death."""
    leftover = EmbeddedPostgres(data, print)
    leftover.start()
    orphan = psutil.Process(leftover.pid)
    with running(data) as server:
        server.await_text(rf"stopping the Postgres \(process {orphan.pid}\)")
        assert not is_alive(orphan)
        assert health(server.address) == SERVING
    leftover.stop()


@pytest.mark.parametrize("content", ["", "nonsense\n", "999999999\n/nowhere\n", "{ours}\n"])
def test_a_stale_pid_file_does_not_keep_postgres_from_starting(data: Path, content: str) -> None:
    postgres = EmbeddedPostgres(data, print)
    postgres.start()
    directory = postgres.home.directory
    postgres.stop()
    # A number that is in use, as after a restart of the machine, must not count as Postgres.
    (directory / "postmaster.pid").write_text(content.format(ours=os.getpid()), "utf-8")
    postgres.start()
    postgres.stop()


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_two_signals_end_it_at_once(data: Path) -> None:
    with running(data, {"LONGMEN_READINESS_DELAY_S": "20"}) as server:
        server.process.send_signal(signal.SIGINT)
        server.await_text("draining")
        begun = time.monotonic()
        server.process.send_signal(signal.SIGINT)
        assert server.stop() == 0
        assert time.monotonic() - begun < within(5)


def test_a_signal_while_starting_stops_it_cleanly(new_data: Path) -> None:
    server = Server(new_data)
    eventually((new_data / "postgres.password").exists)
    assert server.stop() == 0, server.describe()
    assert "Traceback" not in server.errors


def test_a_long_data_path_still_gets_a_socket(new_data: Path) -> None:
    with running(new_data / ("long" * 20)) as server:
        assert health(server.address) == SERVING


def test_postgres_lives_where_its_user_can_reach_it(new_data: Path) -> None:
    """For root that is another user, who cannot enter this folder; nobody's modes are changed."""
    new_data.parent.chmod(0o700)
    with running(new_data) as server:
        assert health(server.address) == SERVING
        assert stat.S_IMODE(new_data.parent.stat().st_mode) == 0o700
        if os.geteuid() == 0:
            place = server.await_text(r"Postgres keeps its data in (\S+):")[1]
            assert place.startswith("/var/lib/longmen/")
        else:
            place = str(new_data / "postgres")
        assert place in " ".join(server.postmaster().cmdline())


class TestBadStarts:
    """Each says what is wrong in one line, and how that ends."""

    def refuses(self, message: str, status: int = 1, **variables: str) -> None:
        done = longmen("serve", **variables)
        lines = done.stderr.strip().splitlines()
        assert done.returncode == status, done.stderr
        assert len(lines) == 1, done.stderr
        assert lines[0].startswith("longmen: ")
        assert message in lines[0]
        assert done.stdout == ""

    def test_a_busy_port(self, new_data: Path) -> None:
        for reuse in (0, 1):
            with socket.socket() as busy:
                busy.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, reuse)
                busy.bind(("127.0.0.1", 0))
                busy.listen()
                port = str(busy.getsockname()[1])
                self.refuses(
                    f"cannot listen on port {port} on 127.0.0.1: Address already in use",
                    LONGMEN_DATA=str(new_data),
                    LONGMEN_PORT=port,
                )

    def test_an_address_that_is_not_ours(self, new_data: Path) -> None:
        self.refuses(
            "cannot listen on port 50051 on 192.0.2.1",
            LONGMEN_DATA=str(new_data),
            LONGMEN_HOST="192.0.2.1",
            LONGMEN_TLS_DEVELOPMENT="yes",
        )

    def test_an_unwritable_folder(self) -> None:
        self.refuses("cannot write the data folder /dev/null/x", LONGMEN_DATA="/dev/null/x")
        self.refuses("cannot write the data folder /proc/longmen", LONGMEN_DATA="/proc/longmen")

    def test_a_folder_in_use(self, data: Path) -> None:
        with running(data) as server:
            self.refuses(
                f"is in use by another server (process {server.process.pid})",
                LONGMEN_DATA=str(data),
                LONGMEN_PORT="0",
            )
            assert health(server.address) == SERVING

    @pytest.mark.parametrize(
        ("dsn", "message"),
        [
            ("host=127.0.0.1 port=1 dbname=x", "cannot reach the database"),
            ("host=/nonexistent dbname=x", "cannot reach the database"),
            ("postgresql://127.0.0.1:1/x?password=hidden", "cannot reach the database"),
            ("nonsense", "LONGMEN_DSN is not a connection string"),
            ("host=x password=hidden =", "LONGMEN_DSN is not a connection string"),
        ],
    )
    def test_a_dead_dsn(self, new_data: Path, dsn: str, message: str) -> None:
        done = longmen("serve", LONGMEN_DATA=str(new_data), LONGMEN_PORT="0", LONGMEN_DSN=dsn)
        assert "hidden" not in done.stderr
        self.refuses(message, LONGMEN_DATA=str(new_data), LONGMEN_PORT="0", LONGMEN_DSN=dsn)

    @pytest.mark.parametrize("name", ["fsync", "full_page_writes"])
    def test_an_unsafe_server(self, data: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        from longmen_server.platform import postgres as launcher

        monkeypatch.setitem(launcher.SETTINGS, name, "off")
        unsafe = EmbeddedPostgres(data, print)
        unsafe.start()
        try:
            self.refuses(
                f"the database has {name} = off",
                LONGMEN_DATA=str(data / "server"),
                LONGMEN_PORT="0",
                LONGMEN_DSN=unsafe.dsn(),
            )
        finally:
            unsafe.stop()

    def test_an_unsafe_role(self, new_data: Path, database_dsn: str) -> None:
        self.refuses(
            "the database has synchronous_commit = off",
            LONGMEN_DATA=str(new_data),
            LONGMEN_PORT="0",
            LONGMEN_DSN=database_dsn + " options='-c synchronous_commit=off'",
        )

    def test_a_damaged_cluster(self, data: Path) -> None:
        postgres = EmbeddedPostgres(data, print)
        postgres.start()
        postgres.stop()
        (postgres.home.directory / "global" / "pg_control").unlink()
        self.refuses("Postgres ended at once:", LONGMEN_DATA=str(data), LONGMEN_PORT="0")

    def test_a_lost_password_file(self, data: Path) -> None:
        postgres = EmbeddedPostgres(data, print)
        postgres.start()
        postgres.stop()
        (data / "postgres.password").unlink()
        self.refuses("password authentication failed", LONGMEN_DATA=str(data), LONGMEN_PORT="0")

    def test_a_setting_that_cannot_be(self) -> None:
        self.refuses("LONGMEN_PORT: 'x' is not a whole number", status=2, LONGMEN_PORT="x")

    def test_keys_that_cannot_be_used(self, new_data: Path) -> None:
        self.refuses(
            "/nowhere.json: No such file or directory",
            LONGMEN_DATA=str(new_data),
            LONGMEN_PORT="0",
            LONGMEN_TOKENS_JWKS="/nowhere.json",
        )

    def test_a_private_key_that_others_can_read(self, new_data: Path) -> None:
        (new_data / "keys").mkdir(parents=True)
        new_data.chmod(0o755)
        (new_data / "keys" / "development.pem").write_text("x", "ascii")
        (new_data / "keys" / "development.pem").chmod(0o644)
        self.refuses("others can read", LONGMEN_DATA=str(new_data), LONGMEN_PORT="0")
