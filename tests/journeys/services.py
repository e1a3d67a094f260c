"""Servers that a journey starts for itself, on free loopback ports, and stops."""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests import binaries, databases

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "medportal-demo"
COMMANDS = [
    ["keyring", "init"],
    ["migrate", "--verbosity", "0"],
    ["migrate", "--database", "keys", "--verbosity", "0"],
    ["models"],
    ["guidelines"],
    ["seed_demo", "--accounts"],
]
"""What makes an empty folder a site. In one process: each start of Django costs seconds on a busy machine."""
ACCOUNTS = ("doctor", "doctor2", "patient", "admin")
SCOPES = [
    word
    for scope in ("studies:read", "studies:write", "cases:read", "cases:write", "models:read")
    for word in ("--scope", scope)
]
REMOTE = ("DATABASE_URL", "KEYS_DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL")
PREPARE = "from django.core.management import call_command\nfor command in {commands}: call_command(*command)"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(ready: Callable[[], object], seconds: float, what: str) -> None:
    """Wait until something is so; what cannot be asked yet (OSError) is not so yet.

    Raises:
        TimeoutError: after the seconds, with what was waited for.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if ready():
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise TimeoutError(f"waited {seconds:g} seconds for: {what}")


def answering(url: str) -> bool:
    """Whether a PostgreSQL server takes connections: it listens before that, while it is starting up."""
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def ponging(port: int) -> bool:
    """Whether a Redis server takes commands: it listens before that, while it is loading."""
    with socket.create_connection(("127.0.0.1", port), timeout=1) as client:
        client.sendall(b"PING\r\n")
        return client.recv(64).startswith(b"+PONG")


def stop(process: subprocess.Popen[bytes], *, how: int = signal.SIGTERM) -> None:
    """Stop a process and everything that it started."""
    if process.poll() is None:
        os.killpg(process.pid, how)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


@contextmanager
def redis() -> Iterator[str]:
    """A Redis server; gives its URL."""
    port = free_port()
    command = [binaries.require("redis-server"), "--port", str(port), "--save", "", "--bind", "127.0.0.1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_for(lambda: ponging(port), 60, "Redis takes no commands")
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        stop(process)


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A PostgreSQL server with empty databases "postgres" and "keys"; gives the first's URL.

    It refuses root, so another user runs it.
    """
    user = None
    if os.geteuid() == 0:
        names = {entry.pw_name for entry in pwd.getpwall()}
        user = "postgres" if "postgres" in names else "nobody"
        for parent in [folder, *folder.parents]:
            if parent.owner() == "root" and parent != Path("/") and parent.stat().st_mode & 0o005 != 0o005:
                parent.chmod(parent.stat().st_mode | 0o055)
        shutil.chown(folder, user)
    data, port = folder / "data", free_port()
    bare = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    initdb = Path(binaries.require("postgres")).resolve().parent / "initdb"
    subprocess.run(
        [str(initdb), "-D", str(data), "-U", "medportal", "-A", "trust", "-E", "UTF8"],
        check=True, stdout=subprocess.DEVNULL, user=user, env=bare, cwd=folder,
    )  # fmt: skip
    command = [binaries.require("postgres"), "-D", str(data), "-p", str(port), "-k", str(folder), "-h", "127.0.0.1"]
    log = (folder / "log").open("wb")
    process = subprocess.Popen(command, stdout=log, stderr=log, user=user, env=bare, cwd=folder, start_new_session=True)
    url = f"postgres://medportal@127.0.0.1:{port}/postgres"
    try:
        wait_for(lambda: answering(url), 60, f"PostgreSQL takes no connections; its log is {folder / 'log'}")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE keys")
        yield url
    finally:
        stop(process, how=signal.SIGINT)


class Site:
    """Web, and worker with clock, as processes of their own."""

    def __init__(
        self, folder: Path, *, background: bool = True, templates: Path | None = None, **environment: str
    ) -> None:
        """Describe a site in a folder.

        Args:
            background: whether there are worker and clock; an archive alone starts sooner.
            templates: folder with templates of migrated databases (tests.databases), which spare migrating.
            environment: settings of this site.
        """
        self.background, self.templates = background, templates
        self.var, self.port = folder / "var", free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "log"
        self.environment = {
            **os.environ,
            "NUMBA_DISABLE_JIT": "0",
            "DJANGO_SETTINGS_MODULE": "tests.journeys.site_settings",
            "MEDPORTAL_VAR": str(self.var),
            "TMPDIR": str(folder / "tmp"),
            "MEDPORTAL_DEMO": "1",
            "MEDPORTAL_SECRET_KEY": "only for a journey",
            "JOB_LEASE_SECONDS": "4",
            "JOB_SWEEP_SECONDS": "4",  # each sweep wakes the clock and the worker for five messages
            "EXPLANATION_SECONDS": "6",  # how good explanations become is measured elsewhere
            "EXPLANATION_EVALUATIONS": "128",
            "OMP_WAIT_POLICY": "PASSIVE",
            **environment,
        }
        self.processes: list[subprocess.Popen[bytes]] = []
        self.tokens: dict[str, str] = {}
        self.worker: subprocess.Popen[bytes] | None = None

    def manage(self, *arguments: str) -> str:
        """Run a command of the site; what it printed."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def manage_all(self, *commands: list[str]) -> None:
        """Run commands one after another in one process."""
        self.manage("shell", "-c", PREPARE.format(commands=list(commands)))

    def __enter__(self) -> Site:
        self.var.parent.mkdir(parents=True, exist_ok=True)
        Path(self.environment["TMPDIR"]).mkdir()
        prepared = self._prepared()
        self.environment["STATIC_ROOT"] = str(prepared / "staticfiles")
        if "DATABASE_URL" in self.environment:
            self.var.mkdir()
            self.manage_all(*COMMANDS)
        else:
            shutil.copytree(prepared, self.var, ignore=shutil.ignore_patterns("staticfiles"))
        web = ["-m", "uvicorn", "medportal.asgi:application", "--host", "127.0.0.1", "--port", str(self.port)]
        self.processes = [self.start(*web)]
        if self.background:
            self.processes.append(self.start("-m", "medportal", "clock"))
            self.start_worker()
        wait_for(self._ready, 120, f"the site; its log is {self.log}")
        return self

    def _prepared(self) -> Path:
        """What every new site on files has; made once for all test processes, since preparing takes half a minute."""
        common = Path(os.environ["MEDPORTAL_VAR"])
        prepared = common / "prepared-site"
        with (common / "prepared-site.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not prepared.is_dir():
                part = common / "prepared-site.part"
                local = {key: value for key, value in self.environment.items() if key not in REMOTE}
                places = {"MEDPORTAL_VAR": str(part), "STATIC_ROOT": str(part / "staticfiles")}
                part.mkdir()
                copied = self.templates is not None and databases.copy_files(self.templates, part, databases.SITE_FILES)
                commands = [command for command in COMMANDS if not (copied and command[0] == "migrate")]
                collect = ["collectstatic", "--noinput", "--verbosity", "0"]
                code = PREPARE.format(commands=[*commands, collect])
                subprocess.run(
                    [sys.executable, "manage.py", "shell", "-c", code],
                    cwd=ROOT, env={**local, **places}, check=True, capture_output=True,
                )  # fmt: skip
                part.rename(prepared)
        return prepared

    def __exit__(self, *exception: object) -> None:
        started = [*self.processes, *([self.worker] if self.worker else [])]
        running = [process for process in started if process.poll() is None]
        for process in running:  # a worker would finish its explanation first
            os.killpg(process.pid, signal.SIGKILL)
        for process in running:
            process.wait(10)

    _celery = ("-m", "celery", "-A", "medportal")

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        log = self.log.open("ab")
        return subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
        )

    def start_worker(self) -> None:
        queues = "short,accelerator,accelerator.background"
        self.worker = self.start(*self._celery, "worker", "-Q", queues, "-c", "1", "-l", "warning")

    def token(self, username: str) -> str:
        """An API token of the account, made as an operator makes one; all accounts' at once, in one process."""
        if username not in self.tokens:
            names = sorted({*ACCOUNTS, username} - set(self.tokens))
            commands = [["make_token", name, *SCOPES] for name in names]
            lines = self.manage("shell", "-v", "0", "-c", PREPARE.format(commands=commands)).splitlines()
            self.tokens |= dict(zip(names, lines[-len(names) :], strict=True))
        return self.tokens[username]

    def kill_worker(self) -> None:
        """As a power cut would: no goodbye."""
        assert self.worker is not None
        os.killpg(self.worker.pid, signal.SIGKILL)
        self.worker.wait(10)

    def _ready(self) -> bool:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{self.url}/readyz?exclude=workers&exclude=clock", timeout=5) as answer:
            return bool(answer.status == 200)
