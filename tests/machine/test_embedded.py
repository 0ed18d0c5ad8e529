"""The embedded servers: they start, keep, stop, and never outlive us."""

import os
import platform
import signal
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote

import psutil
import psycopg2
import pytest
import redis

from safety_portal.embedded import Postgres, ServerError, Valkey, short_folder
from tests.live.portal import wait_for

OWNER = """
import sys, time
from pathlib import Path
from safety_portal.embedded import Postgres, Valkey
here = Path(sys.argv[1])
servers = [Valkey(here / "run"), Postgres(here / "data", here / "run", durable=False)]
for server in servers:
    server.start()
print(*(server.pid for server in servers), flush=True)
time.sleep(600)
"""


@pytest.fixture
def valkey(tmp_path):
    server = Valkey(tmp_path / "run")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def postgres(tmp_path):
    server = Postgres(tmp_path / "data", tmp_path / "run", durable=False)
    server.start()
    yield server
    server.stop()
    server.delete()


def client_of(valkey: Valkey) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(valkey.socket))


def query(postgres: Postgres, sql: str, database: str = "portal") -> list[tuple]:
    with closing(
        psycopg2.connect(host=str(postgres.folder), user="postgres", dbname=database)
    ) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []


def test_valkey_answers_on_a_private_socket_and_on_no_port(valkey) -> None:
    with client_of(valkey) as client:
        assert client.ping()
    assert unquote(valkey.url) == f"redis+socket://{valkey.socket}"
    assert stat.S_IMODE(valkey.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(valkey.socket.stat().st_mode) == 0o700
    listening = psutil.Process(valkey.pid).net_connections(kind="inet")
    assert listening == []


def test_valkey_stops_and_starts_again(valkey) -> None:
    pid = valkey.pid
    assert valkey.stop()
    assert not valkey.running
    assert not psutil.pid_exists(pid)
    valkey.start()
    assert valkey.answers()


def test_postgres_keeps_its_rows_through_a_crash(postgres) -> None:
    postgres.create_database("portal")
    postgres.create_database("portal")  # the second time changes nothing
    query(postgres, "CREATE TABLE t (n int)")
    query(postgres, "INSERT INTO t VALUES (7)")
    before = postgres.pid
    postgres.restart_immediate()
    assert postgres.pid != before
    assert query(postgres, "SELECT n FROM t") == [(7,)]


def test_postgres_listens_on_no_port(postgres) -> None:
    assert psutil.Process(postgres.pid).net_connections(kind="inet") == []
    assert query(postgres, "SHOW listen_addresses", "postgres") == [("",)]


def test_postgres_orders_and_folds_letters_by_its_own_rules(postgres) -> None:
    assert query(postgres, "SELECT upper('ñandú')", "postgres") == [("ÑANDÚ",)]


def test_durable_is_the_default(tmp_path) -> None:
    server = Postgres(tmp_path / "data", tmp_path / "run")
    server.start()
    try:
        assert query(server, "SHOW fsync", "postgres") == [("on",)]
    finally:
        server.stop()
        server.delete()


def test_a_deep_folder_still_gets_a_socket(tmp_path) -> None:
    deep = tmp_path / ("a long name " * 8) / "run"
    server = Valkey(deep)
    server.start()
    try:
        assert server.answers()
        assert server.folder != deep
        assert server.folder == short_folder(deep)  # found again
        assert stat.S_IMODE(server.folder.stat().st_mode) == 0o700
    finally:
        server.stop()
        (server.folder / "valkey.sock").unlink(missing_ok=True)
        server.folder.rmdir()


def test_servers_die_with_a_killed_owner(tmp_path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as owner:
        pids = [int(word) for word in owner.stdout.readline().split()]
        assert len(pids) == 2
        assert all(psutil.pid_exists(pid) for pid in pids)
        owner.send_signal(signal.SIGKILL)
    wait_for(lambda: not any(psutil.pid_exists(pid) for pid in pids), 15)


def test_an_unknown_machine_gets_a_clear_answer(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "sparc64")
    with pytest.raises(ServerError, match=r"no Valkey binary .* sparc64 .* REDIS_URL"):
        Valkey(tmp_path / "run").start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
def test_root_without_user_namespaces_lends_the_server_to_nobody(
    tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr("safety_portal.embedded._user_namespaces", lambda: False)
    server = Postgres(tmp_path / "data", tmp_path / "run", durable=False)
    try:
        server.start()
        assert psutil.Process(server.pid).username() == "nobody"
        assert query(server, "SELECT 1", "postgres") == [(1,)]
    finally:
        server.stop()
        home = server.home
        server.delete()
    assert not home.exists()
