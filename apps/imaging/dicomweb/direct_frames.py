"""Frames answered before Django: the requests that scrolling makes by the thousand.

The first frame that a token or session reads of a series goes through Django, which checks it, answers it and writes it
into the audit trail. The frames that follow within a minute are answered here: the permission is asked of the database
for each of them, so that a revoked token, an ended session or a withdrawn consent takes effect at once, and their
number is written into the trail every second. A session counts as long as nothing about it or its user has changed
since Django checked it. Whatever is unusual (a refusal, another representation) goes to Django.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.core.handlers.asgi import ASGIRequest
from django.http.cookie import parse_cookie
from django.urls import get_resolver

from apps.accounts import audit
from apps.accounts.actors import Origin, acting_from
from apps.accounts.middleware import origin_of
from apps.accounts.models import User
from apps.imaging.dicom.layout import Layout
from apps.imaging.dicom.negotiation import EXPLICIT_LITTLE_ENDIAN, Category, Choice, Stored, negotiate
from apps.imaging.dicomweb.frame_query import FrameQuery, Reader, StoredFrameSource
from apps.imaging.dicomweb.retrieve import CONVERSIONS
from apps.imaging.models import Series
from apps.protection import containers, keys

logger = logging.getLogger(__name__)

VIEWING_SECONDS = 60
"""How long frames are counted as one viewing before Django checks and records the next."""
RECORD_SECONDS = 1.0
MAX_BYTES = 16 * 2**20
"""Longer answers are streamed by Django."""
MAX_VIEWINGS = 10_000
_PATH = re.compile(
    rb"/dicom-web/studies/([^/%]{1,64})/series/([^/%]{1,64})/instances/([^/%]{1,64})/frames/([0-9]{1,6}(?:,[0-9]{1,6}){0,99})"
)
_NATIVE = frozenset({"1.2.840.10008.1.2", EXPLICIT_LITTLE_ENDIAN})
_NOT_COPIED = frozenset({b"content-type", b"content-length", b"set-cookie", b"date", b"server", b"content-location"})

Key = tuple[str, str, str, Any]


@dataclass(frozen=True)
class FrameRequest:
    """A request that may be answered directly."""

    study: str
    series: str
    instance: str
    numbers: tuple[int, ...]
    token: str
    session: str
    accept: str | None
    client: Any


@dataclass
class Viewing:
    """Frames of one series read with one token from one address; counted until they are recorded.

    Attributes:
        headers: what Django sends with its frames, but for type and length.
    """

    user: Any
    origin: Origin
    series: str
    opened_at: float
    headers: list[tuple[bytes, bytes]]
    frames: int = 0
    instances: set[str] = field(default_factory=set)


class DirectFrames:
    """ASGI application in front of Django's."""

    def __init__(self, application: Any) -> None:
        self.application = application
        self._query: FrameQuery | None = None
        self._viewings: dict[Key, Viewing] = {}
        self._sessions: dict[str, tuple[Any, tuple[Any, ...]]] = {}
        self._recorder: asyncio.Task[None] | None = None
        self._recording_works = True
        self._lock = asyncio.Lock()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a frame, or hand the request to Django."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        request = frame_request(scope)
        if request is None:
            await self.application(scope, receive, send)
            return
        await self._start()
        answer = await self._answer(request)
        if answer is None:
            await self._by_django(request, scope, receive, send)
            return
        headers, body = answer
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _live(self, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await sync_to_async(_warm_up)()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self._record()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _start(self) -> None:
        if self._query is None:
            async with self._lock:
                if self._query is None:
                    self._query = await sync_to_async(FrameQuery)()
        if self._recorder is None or self._recorder.done():
            self._recorder = asyncio.get_running_loop().create_task(self._keep_recording())

    async def _answer(self, request: FrameRequest) -> tuple[list[tuple[bytes, bytes]], bytes] | None:
        """Return headers and body; None if Django is to answer."""
        if not self._recording_works:
            return None
        assert self._query is not None
        if self._query.is_local:
            return self._look_up(request)
        return await asyncio.get_running_loop().run_in_executor(None, self._look_up, request)

    def _look_up(self, request: FrameRequest) -> tuple[list[tuple[bytes, bytes]], bytes] | None:
        assert self._query is not None
        try:
            reader = self._reader(self._query, request)
            source = self._query.source(reader, request.study, request.series, request.instance) if reader else None
        except Exception as error:  # the connection broke: Django's own is tried, and a new one for the next frame
            logger.warning("the frames' own database connection failed: %s", type(error).__name__)
            self._query = None
            return None
        if reader is None or source is None:
            return None
        viewing = self._viewings.get(_key(reader, source, request))
        if viewing is None or time.monotonic() - viewing.opened_at > VIEWING_SECONDS:
            return None
        answer = _frames(request, source)
        if answer is None:
            return None
        content_type, body = answer
        viewing.frames += len(request.numbers)
        viewing.instances.add(source.instance)
        length = str(len(body)).encode()
        return [*viewing.headers, (b"Content-Type", content_type), (b"Content-Length", length)], body

    def _reader(self, query: FrameQuery, request: FrameRequest) -> Reader | None:
        """Return who asks, if that is certain without Django."""
        if request.token:
            return query.reader(request.token)
        known = self._sessions.get(request.session)
        if known is None:
            return None
        user, state = known
        if query.session_state(request.session, user) != state:
            self._sessions.pop(request.session, None)
            return None
        return Reader(request.session, user, "")

    def _remember_session(self, query: FrameQuery, request: FrameRequest) -> None:
        """Remember a session that Django has just accepted."""
        user = SessionStore(request.session).load().get(SESSION_KEY)
        pk = User._meta.pk.to_python(user) if user else None
        state = query.session_state(request.session, pk) if pk else None
        if state is not None:
            if len(self._sessions) >= MAX_VIEWINGS:
                self._sessions.clear()
            self._sessions[request.session] = pk, state

    async def _by_django(self, request: FrameRequest, scope: Any, receive: Any, send: Any) -> None:
        """Let Django answer; if it sent the frame, it has recorded it, and a viewing begins."""
        sent: dict[str, Any] = {}

        async def noting(message: Any) -> None:
            if message["type"] == "http.response.start":
                sent.update(message)
            await send(message)

        await self.application(scope, receive, noting)
        if sent.get("status") == 200:
            await sync_to_async(self._open)(request, scope, sent["headers"])

    def _open(self, request: FrameRequest, scope: Any, headers: list[tuple[bytes, bytes]]) -> None:
        query = self._query
        if query and request.session:
            self._remember_session(query, request)
        reader = self._reader(query, request) if query else None
        source = query.source(reader, request.study, request.series, request.instance) if query and reader else None
        if reader is None or source is None:
            return
        key = _key(reader, source, request)
        kept = [(name, value) for name, value in headers if name.lower() not in _NOT_COPIED]
        origin = origin_of(ASGIRequest(scope, BytesIO()))
        previous = self._viewings.get(key)
        viewing = Viewing(reader.user, origin, source.series, time.monotonic(), kept)
        if previous is not None:
            viewing.frames, viewing.instances = previous.frames, previous.instances
        if len(self._viewings) < MAX_VIEWINGS:
            self._viewings[key] = viewing

    async def _keep_recording(self) -> None:
        while True:
            await asyncio.sleep(RECORD_SECONDS)
            await self._record()

    async def _record(self) -> None:
        """Write the frames read since the last time into the audit trail, and forget viewings that have ended."""
        now = time.monotonic()
        counted = [
            (viewing, viewing.frames, viewing.instances) for viewing in self._viewings.values() if viewing.frames
        ]
        for viewing, _frames_read, _instances in counted:
            viewing.frames, viewing.instances = 0, set()
        try:
            if counted:
                await sync_to_async(_write)(counted)
            self._recording_works = True
        except Exception as error:  # nothing more is sent from here until the trail can be written again
            self._recording_works = False
            for viewing, frames, instances in counted:
                viewing.frames += frames
                viewing.instances |= instances
            logger.error("the audit trail of frames could not be written: %s", type(error).__name__)
        ended = [key for key, one in self._viewings.items() if not one.frames and now - one.opened_at > VIEWING_SECONDS]
        for key in ended:
            del self._viewings[key]
            self._sessions.pop(key[0], None)


def _warm_up() -> None:
    """Import what requests need, before the first has to wait for it: the views import a second's worth of modules."""
    _ = get_resolver().url_patterns
    from pydicom.pixels import decoders  # noqa: F401
    from pydicom.pixels.processing import apply_voi_lut  # noqa: F401


def frame_request(scope: Any) -> FrameRequest | None:
    """Return what a request asks for if it is a plain one for frames with a token; else None."""
    if scope["type"] != "http" or scope["method"] != "GET" or scope.get("query_string"):
        return None
    match = _PATH.fullmatch(scope.get("raw_path") or scope["path"].encode())
    if match is None:
        return None
    headers: dict[bytes, list[bytes]] = defaultdict(list)
    for name, value in scope["headers"]:
        headers[name.lower()].append(value)
    token, session = _credentials(headers)
    if not (token or session) or not _is_secure(scope, headers):
        return None
    if headers[b"accept-charset"] or headers[b"range"] or len(headers[b"accept"]) > 1:
        return None
    try:
        study, series, instance, frames = (part.decode("ascii") for part in match.groups())
        accept = headers[b"accept"][0].decode("latin-1") if headers[b"accept"] else None
    except UnicodeDecodeError:
        return None
    numbers = tuple(int(number) for number in frames.split(","))
    client = (scope.get("client", ("",))[0] if scope.get("client") else "", tuple(headers[b"x-forwarded-for"]))
    return FrameRequest(study, series, instance, numbers, token, session, accept, client)


def _credentials(headers: dict[bytes, list[bytes]]) -> tuple[str, str]:
    """Return a token or a session's key; both empty if there is neither, or more than one."""
    authorization = [value.decode("latin-1").split() for value in headers[b"authorization"]]
    cookies = parse_cookie("; ".join(value.decode("latin-1") for value in headers[b"cookie"]))
    if authorization:
        is_token = len(authorization) == 1 and len(authorization[0]) == 2 and authorization[0][0].lower() == "token"
        return (authorization[0][1], "") if is_token and not cookies else ("", "")
    by_database = settings.SESSION_ENGINE == "django.contrib.sessions.backends.db"
    return "", cookies.get(settings.SESSION_COOKIE_NAME, "") if by_database else ""


def _is_secure(scope: Any, headers: dict[bytes, list[bytes]]) -> bool:
    """Return whether the request may be answered without a redirect to TLS; see ``EncryptedApi``."""
    if not settings.SECURE_SSL_REDIRECT or scope.get("scheme") == "https":
        return True
    if not settings.SECURE_PROXY_SSL_HEADER:
        return False
    name, expected = settings.SECURE_PROXY_SSL_HEADER
    values = headers[name.removeprefix("HTTP_").replace("_", "-").lower().encode()]
    return bool(values) and values[0].split(b",")[0].strip() == expected.encode()


def _key(reader: Reader, source: StoredFrameSource, request: FrameRequest) -> Key:
    return reader.credential, reader.role, source.series, request.client


@lru_cache(maxsize=1024)
def _choice(accept: str | None, syntax: str, single: bool) -> Choice | None:
    """Choose as Django's view would, if what is chosen needs no conversion; else None."""
    choice = negotiate(accept, Category.FRAMES, Stored(syntax, CONVERSIONS, single=single))
    if choice is None:
        return None
    as_stored = choice.transfer_syntax == syntax
    return choice if as_stored or (choice.transfer_syntax == EXPLICIT_LITTLE_ENDIAN and syntax in _NATIVE) else None


def _frames(request: FrameRequest, source: StoredFrameSource) -> tuple[bytes, bytes] | None:
    """Return content type and body; None if Django is to answer."""
    choice = _choice(request.accept, source.transfer_syntax, len(request.numbers) == 1)
    if choice is None or not all(1 <= number <= source.frames for number in request.numbers):
        return None
    if source.size // max(source.frames, 1) * len(request.numbers) > MAX_BYTES or not keys.is_at_hand(source.patient):
        return None
    name = f"instances/{source.instance[:2]}/{source.instance}"
    try:
        with containers.SealedContainer(name, holder=source.patient) as file:
            layout = Layout.from_bytes(file.index)
            contents = [layout.frame(file.as_file(), number) for number in request.numbers]
    except (FileNotFoundError, keys.CannotOpen, EOFError, IndexError):
        return None
    kind = f"{choice.media_type}; transfer-syntax={choice.transfer_syntax}"
    if not choice.multipart:
        return kind.encode(), contents[0]
    boundary = uuid.uuid4().hex
    parts = [
        piece
        for content in contents
        for piece in (f"--{boundary}\r\nContent-Type: {kind}\r\n\r\n".encode(), content, b"\r\n")
    ]
    body = b"".join([*parts, f"--{boundary}--\r\n".encode()])
    content_type = (
        f'multipart/related; type="{choice.media_type}"; transfer-syntax={choice.transfer_syntax}; boundary={boundary}'
    )
    return content_type.encode(), body


def _write(counted: list[tuple[Viewing, int, set[str]]]) -> None:
    users = User.objects.in_bulk({viewing.user for viewing, _, _ in counted})
    series = Series.objects.select_related("study").in_bulk({uuid.UUID(viewing.series) for viewing, _, _ in counted})
    for viewing, frames, instances in counted:
        subject = series.get(uuid.UUID(viewing.series))
        with acting_from(viewing.origin):
            audit.record(
                users[viewing.user],
                "study.read",
                subject,
                why="treatment",
                part="frames",
                frames=frames,
                instances=len(instances),
            )
