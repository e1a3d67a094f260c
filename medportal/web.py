"""The ASGI handler of the web process: one change of threads a request, on threads that stay.

Django's own handler changes threads for each middleware and gives each request a thread of its own, so that every
request opens a database connection. Here the whole chain runs synchronously on a thread from a pool; its database
connections persist with it (``CONN_MAX_AGE``).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.base import BaseHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase

MAX_IDLE_THREADS = 16
"""More requests at once get threads that end with them."""


class PooledHandler(ASGIHandler):
    """Runs each request on one thread of a pool."""

    def __init__(self) -> None:
        BaseHandler.__init__(self)
        self.load_middleware(is_async=False)
        self._idle: list[ThreadPoolExecutor] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise ValueError(f"only HTTP is served, not {scope['type']}")
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
