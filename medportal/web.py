"""The ASGI handler of the web process: one change of threads a request, on threads that stay.

Django's own handler changes threads for each middleware and gives each request a thread of its own, so that every
request opens a database connection. Here the whole chain runs synchronously on a thread from a pool; its database
connections persist with it (``CONN_MAX_AGE``).
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.base import BaseHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""malloc.h of glibc."""
PATIENCE_SECONDS = 60.0
SLOWEST_BYTES_PER_SECOND = 4096
MULTIPART_OVERHEAD = 2**20
"""Boundaries and headers of the parts beside what ``UPLOAD_MAX_BYTES`` limits."""
MAX_IDLE_THREADS = 16
"""More requests at once get threads that end with them."""


def reuse_large_buffers() -> bool:
    """Let the C library keep freed buffers of up to 32 MiB, 128 MiB in all, instead of returning each to the system.

    A frame is read, decrypted and sent in buffers of half a mebibyte. Fresh ones cost a page fault for every four
    kibibytes, which took six times as long as the decryption. Returns False where the C library is not glibc.
    """
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        return False
    return bool(library.mallopt(_M_MMAP_THRESHOLD, 32 * 2**20) and library.mallopt(_M_TRIM_THRESHOLD, 128 * 2**20))


class BodyRefused(Exception):
    """A request body that is not received to its end: an HTTP status and what to say."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


class Body:
    """Receives a request body within limits of size and time, before any thread works on it.

    A sender has a minute, and then must have reached ``SLOWEST_BYTES_PER_SECOND`` on average: one byte a second
    would otherwise hold a file and a connection for ever.
    """

    def __init__(self, receive: Any) -> None:
        self._receive, self._size, self._complete = receive, 0, False
        self._started = time.monotonic()

    async def receive(self) -> Any:
        """Return the next message.

        Raises:
            BodyRefused: 408 or 413.
        """
        if self._complete:
            return await self._receive()
        left = self._started + PATIENCE_SECONDS + self._size / SLOWEST_BYTES_PER_SECOND - time.monotonic()
        try:
            message = await asyncio.wait_for(self._receive(), max(left, 0.01))
        except TimeoutError:
            raise BodyRefused(
                408, "The request body came too slowly. Send it again over a faster connection."
            ) from None
        self._size += len(message.get("body", b""))
        if self._size > settings.UPLOAD_MAX_BYTES + MULTIPART_OVERHEAD:
            limit = settings.UPLOAD_MAX_BYTES // 2**20
            raise BodyRefused(413, f"The request is larger than {limit} MiB. Send it in several requests.")
        self._complete = not message.get("more_body", False)
        return message


async def _refuse(refusal: BodyRefused, send: Any) -> None:
    body = json.dumps({"detail": refusal.detail}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class PooledHandler(ASGIHandler):
    """Runs each request on one thread of a pool."""

    def __init__(self) -> None:
        BaseHandler.__init__(self)
        self.load_middleware(is_async=False)
        self._idle: list[ThreadPoolExecutor] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request; one whose body is too large or comes too slowly is refused while it is received."""
        if scope["type"] != "http":
            raise ValueError(f"only HTTP is served, not {scope['type']}")
        body = Body(receive)
        try:
            await self._answer(scope, body.receive, send)
        except BodyRefused as refusal:
            await _refuse(refusal, send)

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        thread = self._idle.pop() if self._idle else ThreadPoolExecutor(1, thread_name_prefix="request")
        try:
            async with ThreadSensitiveContext(executor=thread):
                await self.handle(scope, receive, send)
        finally:
            if len(self._idle) < MAX_IDLE_THREADS:
                self._idle.append(thread)
            else:
                thread.submit(_close_connections)
                thread.shutdown(wait=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Run the middleware chain and the view in the request's thread."""
        return await sync_to_async(self.get_response, thread_sensitive=True)(request)


def _close_connections() -> None:
    from django.db import connections

    connections.close_all()
