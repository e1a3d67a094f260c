"""The web process's handler: bodies within limits, and threads that stay."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import subprocess
import sys
import threading
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.urls import path

from medportal import web
from medportal.web import PooledHandler

pytestmark = pytest.mark.urls(__name__)
seen: list[tuple[str, int]] = []


def view(request: HttpRequest) -> HttpResponse:
    seen.append((threading.current_thread().name, id(connections["default"])))
    return HttpResponse(str(len(request.read())))


urlpatterns = [path("here", view)]
SCOPE = {
    "type": "http",
    "method": "POST",
    "path": "/here",
    "query_string": b"",
    "scheme": "http",
    "client": ("10.0.0.9", 4000),
    "headers": [(b"host", b"testserver"), (b"authorization", b"Token x")],
}


async def post(handler: PooledHandler, *blocks: bytes, pause: float = 0.0, end: bool = True) -> tuple[int, bytes]:
    client = ApplicationCommunicator(handler, dict(SCOPE))
    for number, block in enumerate(blocks, start=1):
        await client.send_input({"type": "http.request", "body": block, "more_body": not end or number < len(blocks)})
        await asyncio.sleep(pause)
    start = await client.receive_output(5)
    body = (await client.receive_output(5)).get("body", b"")
    await client.wait(5)
    return start["status"], body


@pytest.fixture
def handler(settings: Any) -> PooledHandler:
    settings.MIDDLEWARE = []
    seen.clear()
    return PooledHandler()


def test_a_request_after_another_has_its_thread_and_connection(handler: PooledHandler) -> None:
    async def journey() -> None:
        for _ in range(3):
            assert await post(handler, b"ab", b"c") == (200, b"3")

    asyncio.run(journey())
    assert len({thread for thread, _ in seen}) == 1


def test_requests_at_once_have_threads_of_their_own(handler: PooledHandler) -> None:
    async def journey() -> None:
        answers = await asyncio.gather(*(post(handler, b"x" * number) for number in range(1, 30)))
        assert sorted(int(body) for _status, body in answers) == list(range(1, 30))
        assert len(handler._idle) <= web.MAX_IDLE_THREADS

    asyncio.run(journey())


def test_a_body_without_end_is_refused(handler: PooledHandler, settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = 2**20

    async def journey() -> None:
        status, body = await post(handler, *[b"x" * 2**18] * 40, end=False)
        assert status == 413 and "1 MiB" in json.loads(body)["detail"]

    asyncio.run(journey())
    assert not seen


def test_one_byte_at_a_time_is_refused_and_others_go_on(
    handler: PooledHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "PATIENCE_SECONDS", 0.5)

    async def journey() -> None:
        slow = asyncio.create_task(post(handler, *[b"x"] * 10, pause=0.1, end=False))
        assert await post(handler, b"quick") == (200, b"5")
        status, body = await slow
        assert status == 408 and "slowly" in json.loads(body)["detail"]

    asyncio.run(journey())
    assert len(seen) == 1


def test_a_slow_body_that_is_fast_enough_is_taken(handler: PooledHandler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "PATIENCE_SECONDS", 0.2)

    async def journey() -> None:
        assert await post(handler, *[b"x" * 4096] * 4, pause=0.15) == (200, str(4 * 4096).encode())

    asyncio.run(journey())


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no such setting")
def test_large_buffers_are_reused() -> None:
    """In a process of its own: the setting is the process's."""
    script = (
        "import resource; from medportal.web import reuse_large_buffers; reuse_large_buffers() or exit(3)\n"
        "def faults(): return resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "bytes(2**20); before = faults()\n"
        "for _ in range(100): bytes(2**20)\n"
        "print(faults() - before)"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < 1_000  # 25,600 pages otherwise
