"""Frames that are answered before Django: the same bytes, the same permissions, the same trail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import ApiToken, AuditEntry, CareTeam, Role, Scope, User
from apps.imaging.access import visible_to
from apps.imaging.dicomweb import direct_frames
from apps.imaging.dicomweb.direct_frames import DirectFrames, frame_request
from apps.imaging.dicomweb.frame_query import FrameQuery
from apps.imaging.models import Instance
from apps.patients.models import BreakGlassAccess, ConsentState, Patient
from medportal.web import PooledHandler
from tests.factories import UserFactory, browser_of, film_file, take_in

pytestmark = pytest.mark.django_db(transaction=True)
ACCEPT = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'


@pytest.fixture
def film(team: CareTeam) -> Instance:
    instance = take_in(film_file(), team).instance
    assert instance
    return instance


@pytest.fixture
def query() -> Iterator[FrameQuery]:
    query = FrameQuery()
    yield query
    query.close()


def token_of(user: User, *scopes: Scope, expiry: timedelta | None = timedelta(days=1)) -> str:
    _token, secret = ApiToken.objects.create(user=user, scopes=list(scopes or [Scope.STUDIES_READ]), expiry=expiry)
    return str(secret)


def path_of(instance: Instance, frames: str = "1") -> str:
    series = instance.series
    uids = [series.study.study_instance_uid, series.series_instance_uid, instance.sop_instance_uid]
    return reverse("dicomweb:frames", args=[*uids, frames])


def scope_of(path: str, token: str = "", **headers: str) -> dict[str, Any]:
    given = {"host": "testserver", "accept": ACCEPT, **headers}
    if token:
        given["authorization"] = f"Token {token}"
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "scheme": "http",
        "client": ("10.0.0.9", 4000),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }


class Site:
    """The application, and whether Django was asked."""

    def __init__(self) -> None:
        self.by_django = 0
        django = PooledHandler()

        async def counted(scope: Any, receive: Any, send: Any) -> None:
            self.by_django += 1
            await django(scope, receive, send)

        self.application = DirectFrames(counted)

    async def get(self, path: str, token: str = "", **headers: str) -> tuple[int, dict[str, str], bytes]:
        client = ApplicationCommunicator(self.application, scope_of(path, token, **headers))
        await client.send_input({"type": "http.request", "body": b"", "more_body": False})
        start = await client.receive_output(20)
        body = b""
        while True:
            message = await client.receive_output(20)
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        await client.wait(20)
        named = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        return start["status"], named, body


def run(journey: Callable[[Site], Any]) -> None:
    async def whole() -> None:
        site = Site()
        try:
            await journey(site)
        finally:
            await site.application._record()
            if site.application._recorder:
                site.application._recorder.cancel()
            await sync_to_async(connections.close_all)()

    asyncio.run(whole())


def content(answer: tuple[int, dict[str, str], bytes]) -> bytes:
    """The frame in a multipart body of one part."""
    _status, _headers, body = answer
    return body.partition(b"\r\n\r\n")[2].rpartition(b"\r\n--")[0]


def test_the_second_frame_is_answered_directly_and_is_the_same(film: Instance, doctor: User) -> None:
    token, path = token_of(doctor), path_of(film)

    async def journey(site: Site) -> None:
        first = await site.get(path, token)
        second = await site.get(path, token)
        assert (first[0], second[0], site.by_django) == (200, 200, 1)
        assert content(first) == content(second) and len(content(second)) == film.rows * film.columns * 2
        for name in ("cache-control", "x-content-type-options", "cross-origin-resource-policy"):
            assert first[1][name] == second[1][name]
        assert int(second[1]["content-length"]) == len(second[2])

    run(journey)


def test_frames_are_counted_in_the_trail(film: Instance, doctor: User) -> None:
    token, path = token_of(doctor), path_of(film)

    async def journey(site: Site) -> None:
        for _ in range(4):
            await site.get(path, token)

    run(journey)
    entries = list(AuditEntry.objects.filter(action="study.read").order_by("at"))
    assert [entry.facts.get("frames") for entry in entries] == [[1], 3]
    assert {(entry.actor, entry.source, entry.session) for entry in entries} == {
        (doctor, "10.0.0.9", entries[0].session)
    }
    assert entries[1].facts["instances"] == 1 and entries[1].patient_ref == entries[0].patient_ref != ""


def test_what_ends_the_permission_ends_it_at_once(film: Instance, doctor: User) -> None:
    path = path_of(film)
    patient = film.series.study.patient
    endings: list[Callable[[str], Any]] = [
        lambda token: ApiToken.objects.filter(user=doctor).delete(),
        lambda token: ApiToken.objects.filter(user=doctor).update(expiry=timezone.now() - timedelta(seconds=1)),
        lambda token: ApiToken.objects.filter(user=doctor).update(scopes=[]),
        lambda token: User.objects.filter(pk=doctor.pk).update(is_active=False),
        lambda token: User.objects.filter(pk=doctor.pk).update(role=Role.AUDITOR),
        lambda token: doctor.care_teams.clear(),
        lambda token: Patient.objects.filter(pk=patient.pk).update(consent_care=ConsentState.WITHDRAWN),
    ]
    teams = list(doctor.care_teams.all())
    before = patient.consent_care

    async def journey(site: Site) -> None:
        for end in endings:
            token = await sync_to_async(token_of)(doctor)
            assert [(await site.get(path, token))[0] for _ in range(2)] == [200, 200]
            await sync_to_async(end)(token)
            assert (await site.get(path, token))[0] in (401, 403, 404)
            await sync_to_async(restore)()

    def restore() -> None:
        User.objects.filter(pk=doctor.pk).update(is_active=True, role=doctor.role)
        doctor.care_teams.set(teams)
        Patient.objects.filter(pk=patient.pk).update(consent_care=before)

    run(journey)


@pytest.mark.parametrize("role", [Role.DOCTOR, Role.RADIOLOGIST, Role.NURSE, Role.PATIENT, Role.ADMIN, Role.AUDITOR])
def test_the_statement_agrees_with_the_policy(role: Role, film: Instance, team: CareTeam, query: FrameQuery) -> None:
    user = UserFactory(role=role)
    patient, study = film.series.study.patient, film.series.study
    uids = (study.study_instance_uid, film.series.series_instance_uid, film.sop_instance_uid)
    token = token_of(user)
    consents = [ConsentState.GIVEN, ConsentState.WITHDRAWN]
    for member in (False, True):
        user.care_teams.set([team] if member else [])
        for emergency in (None, timedelta(minutes=5), timedelta(minutes=-5)):
            BreakGlassAccess.objects.filter(user=user).delete()
            if emergency is not None:
                BreakGlassAccess.objects.create(
                    user=user, patient=patient, reason="x", expires_at=timezone.now() + emergency
                )
            for consent in consents:
                Patient.objects.filter(pk=patient.pk).update(consent_care=consent)
                reader = query.reader(token)
                found = query.source(reader, *uids) if reader else None
                assert (found is not None) == visible_to(user).filter(pk=study.pk).exists()
                assert found is None or found.instance == film.pk.hex


def test_a_frame_costs_two_statements_and_no_change_of_threads(
    film: Instance, doctor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, path = token_of(doctor), path_of(film)
    asked: list[str] = []
    hops: list[object] = []
    real = FrameQuery._ask
    monkeypatch.setattr(FrameQuery, "_ask", lambda self, *rest: asked.append("statement") or real(self, *rest))

    async def journey(site: Site) -> None:
        await site.get(path, token)
        asked.clear()
        monkeypatch.setattr(direct_frames, "sync_to_async", lambda call: hops.append(call) or sync_to_async(call))
        await site.get(path, token)  # Django's own connection would refuse to be used in the loop's thread
        assert (len(asked), hops, site.by_django) == (2, [], 1)

    run(journey)


@pytest.mark.parametrize(
    "changed",
    [
        {"token": "0" * 64},
        {"path": "/dicom-web/studies/1/series/2/instances/3/frames/1"},
        {"frames": "2"},
        {"accept": "image/jls"},
        {"accept": "text/html"},
    ],
)
def test_what_is_unusual_is_left_to_django(changed: dict[str, str], film: Instance, doctor: User) -> None:
    token, path = token_of(doctor), path_of(film)

    async def journey(site: Site) -> None:
        await site.get(path, token)
        await site.get(path, token)
        assert site.by_django == 1
        unusual = changed.get("path") or path.removesuffix("1") + changed.get("frames", "1")
        headers = {"accept": changed["accept"]} if "accept" in changed else {}
        await site.get(unusual, changed.get("token", token), **headers)
        assert site.by_django == 2

    run(journey)


def session_of(user: User) -> dict[str, str]:
    client = browser_of(user)
    return {"cookie": f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"}


def test_a_session_scrolls_directly_until_anything_about_it_changes(film: Instance, doctor: User) -> None:
    path, teams = path_of(film), list(doctor.care_teams.all())
    endings: list[Callable[[], Any]] = [
        lambda: Session.objects.all().delete(),
        lambda: User.objects.filter(pk=doctor.pk).update(is_active=False),
        lambda: User.objects.filter(pk=doctor.pk).update(role=Role.PATIENT),
        lambda: User.objects.filter(pk=doctor.pk).update(password="changed"),
        lambda: doctor.care_teams.clear(),
    ]

    def restore() -> None:
        User.objects.filter(pk=doctor.pk).update(is_active=True, role=doctor.role, password=doctor.password)
        doctor.care_teams.set(teams)

    async def journey(site: Site) -> None:
        for end in endings:
            cookie = await sync_to_async(session_of)(doctor)
            before = site.by_django
            answers = [await site.get(path, **cookie) for _ in range(3)]
            assert [answer[0] for answer in answers] == [200, 200, 200]
            assert site.by_django == before + 1 and content(answers[0]) == content(answers[2])
            await sync_to_async(end)()
            assert (await site.get(path, **cookie))[0] in (401, 403, 404)
            await sync_to_async(restore)()

    run(journey)


def test_a_session_that_was_written_meanwhile_is_checked_by_django_again(film: Instance, doctor: User) -> None:
    path = path_of(film)

    def write(cookie: str) -> None:
        session = SessionStore(cookie.partition("=")[2])
        session["other"] = 1
        session.save()

    async def journey(site: Site) -> None:
        cookie = await sync_to_async(session_of)(doctor)
        assert [(await site.get(path, **cookie))[0] for _ in range(2)] == [200, 200]
        await sync_to_async(write)(cookie["cookie"])
        assert (await site.get(path, **cookie))[0] == 200
        assert site.by_django == 2

    run(journey)


@pytest.mark.parametrize("header", ["cookie", "range", "accept-charset"])
def test_requests_with_more_are_not_taken(header: str) -> None:
    path = "/dicom-web/studies/1/series/2/instances/3/frames/1,2"
    assert frame_request(scope_of(path, "t")) is not None
    assert frame_request(scope_of(path, "t", **{header: "x"})) is None
    assert frame_request(scope_of(path)) is None
    assert frame_request({**scope_of(path, "t"), "query_string": b"accept=x"}) is None
    assert frame_request({**scope_of(path, "t"), "method": "POST"}) is None
    for wrong in ("frames/1,a", "frames/", "frames/1/", "frames/%31"):
        assert frame_request(scope_of(path.replace("frames/1,2", wrong), "t")) is None


def test_without_tls_nothing_is_answered_where_tls_is_required(settings: Any) -> None:
    scope = scope_of("/dicom-web/studies/1/series/2/instances/3/frames/1", "t")
    settings.SECURE_SSL_REDIRECT = True
    assert frame_request(scope) is None
    assert frame_request({**scope, "scheme": "https"}) is not None
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    forwarded = [*scope["headers"], (b"x-forwarded-proto", b"https")]
    assert frame_request({**scope, "headers": forwarded}) is not None
    assert frame_request({**scope, "headers": [*scope["headers"], (b"x-forwarded-proto", b"http")]}) is None


def test_a_trail_that_cannot_be_written_stops_the_direct_way(
    film: Instance, doctor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, path = token_of(doctor), path_of(film)

    def broken(*_: object) -> None:
        raise OSError("disk full")

    async def journey(site: Site) -> None:
        await site.get(path, token)
        await site.get(path, token)
        monkeypatch.setattr(direct_frames, "_write", broken)
        await site.application._record()
        await site.get(path, token)
        assert site.by_django == 2
        monkeypatch.undo()
        await site.application._record()
        await site.get(path, token)
        assert site.by_django == 2

    run(journey)
    assert [entry.facts["frames"] for entry in AuditEntry.objects.filter(action="study.read").order_by("at")][1:]
