"""A PostgreSQL server of the tests' own: in a folder that goes away with it, on 127.0.0.1, for this process only."""

import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import tempfile

from conftest import need
from relay.lab import Process, free_port, wait_for


def find(name: str) -> str:
    """A program of PostgreSQL; Debian keeps them in a folder for each version, on nobody's path."""
    found = shutil.which(name)
    if found and not pathlib.Path(found).is_symlink():
        return found
    folders = pathlib.Path("/usr/lib/postgresql").glob("*/bin")
    for folder in sorted(folders, key=lambda path: int(re.sub(r"\D", "", str(path))), reverse=True):
        if (folder / name).exists():
            return str(folder / name)
    return found or need(name)


class Server:
    """`url(database)` of one that is made anew."""

    def __init__(self) -> None:
        self._initdb, self._postgres = find("initdb"), find("postgres")
        self._user = "postgres" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
        if self._user and not any(entry.pw_name == self._user for entry in pwd.getpwall()):
            need("a user called postgres")
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="relay-postgres-"))
        if self._user:
            shutil.chown(self._folder, self._user)
        self.port = free_port()
        self._count = 0
        subprocess.run(
            [self._initdb, "-D", str(self._folder / "data"), "-A", "trust", "-U", "relay", "-E", "UTF8",
             "--locale=C.UTF-8", "--no-sync"], check=True, capture_output=True, user=self._user, cwd=self._folder)
        self.process = self.start()

    def start(self) -> Process:
        self.process = Process(
            [self._postgres, "-D", str(self._folder / "data"), "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
             "-c", "unix_socket_directories=", "-c", "fsync=off"], user=self._user, cwd=self._folder)
        wait_for(self._answers, f"PostgreSQL: {self.process.errors}")
        return self.process

    def _answers(self) -> bool:
        import psycopg
        assert self.process.running(), self.process.errors
        try:
            psycopg.connect(self._url("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _url(self, database: str) -> str:
        return f"postgresql://relay@127.0.0.1:{self.port}/{database}"

    def database(self) -> str:
        """The URL of a new one."""
        import psycopg
        self._count += 1
        name = f"relay{self._count}"
        with psycopg.connect(self._url("postgres"), autocommit=True) as db:
            db.execute(f"CREATE DATABASE {name}")
        return self._url(name)

    def end(self) -> None:
        if self.process.running():
            self.process.signal(signal.SIGINT)  # does not wait for whoever is still connected
            self.process.ended()
        shutil.rmtree(self._folder, ignore_errors=True)


