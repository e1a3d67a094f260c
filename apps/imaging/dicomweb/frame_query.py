"""The one question behind a frame: may this reader see it, and where is it? Compiled once, asked for each frame.

The statements are compiled by the ORM from the same conditions as everywhere else, with placeholders instead of values,
because compiling takes a hundred times as long as executing. A test keeps their answers equal to ``visible_to``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib.sessions.models import Session
from django.db import connection, models
from django.db.models import Q
from django.utils import timezone
from knox.crypto import hash_token

from apps.accounts.models import CLINICIANS, ApiToken, Scope, User
from apps.imaging.models import Instance
from apps.patients.access import cared_for_condition

_NOW = datetime(9999, 12, 31, 1, 2, 3, tzinfo=UTC)
_USER = 9_007_199_254_740_881
_DIGEST, _SESSION, _STUDY, _SERIES, _INSTANCE = "?digest", "?session", "?study", "?series", "?instance"


@dataclass(frozen=True)
class Reader:
    """A user who may read studies: by a valid token with that scope, or by a session that has not changed.

    Attributes:
        credential: digest of the token, or the session's key.
    """

    credential: str
    user: Any
    role: str


@dataclass(frozen=True)
class StoredFrameSource:
    """An instance that the reader may see; ids in hexadecimal."""

    instance: str
    series: str
    study: str
    patient: str
    frames: int
    transfer_syntax: str
    size: int


class FrameQuery:
    """The compiled statements on a database connection of their own."""

    def __init__(self) -> None:
        """Open the connection; call it where the database may be used."""
        self._database = connection.get_new_connection(connection.get_connection_params())
        self._sqlite = connection.vendor == "sqlite"
        if self._sqlite:
            self._database.isolation_level = None
        else:
            self._database.autocommit = True
        self._adapt = connection.ops.adapt_datetimefield_value
        self._token = self._compiled(_token_query())
        self._instance = self._compiled(_instance_query())
        self._session = self._compiled(_session_query())
        self._user = self._compiled(_user_query())

    @property
    def is_local(self) -> bool:
        """Whether a question takes microseconds rather than a round trip over the network."""
        return self._sqlite

    def reader(self, token: str) -> Reader | None:
        """Return who may read studies with this token; None if nobody may."""
        digest = hash_token(token)
        row = self._ask(self._token, {_DIGEST: digest})
        if row is None:
            return None
        user, role, scopes = row
        granted = json.loads(scopes) if isinstance(scopes, str) else scopes
        return Reader(digest, user, role) if Scope.STUDIES_READ in granted else None

    def session_state(self, key: str, user: Any) -> tuple[Any, ...] | None:
        """Return what Django's checks of a session depend on; None if the session or the user's access has ended.

        As long as this is the same, so is the answer of the checks, but for what passes with time.
        """
        session = self._ask(self._session, {_SESSION: key})
        person = self._ask(self._user, {_USER: user}) if session else None
        return (*session, *person) if session and person else None

    def source(self, reader: Reader, study: str, series: str, instance: str) -> StoredFrameSource | None:
        """Return the instance, if it exists and the reader may see it."""
        values = {_USER: reader.user, _STUDY: study, _SERIES: series, _INSTANCE: instance}
        row = self._ask(self._instance, values)
        if row is None:
            return None
        instance_id, series_id, study_id, patient_id, frames, syntax, size = row
        ids = (_hex(instance_id), _hex(series_id), _hex(study_id), _hex(patient_id))
        return StoredFrameSource(*ids, frames, syntax, size)

    def close(self) -> None:
        """Close the connection."""
        self._database.close()

    def _compiled(self, query: models.QuerySet[Any, Any]) -> tuple[str, tuple[Any, ...]]:
        sql, parameters = query.query.sql_with_params()
        return (sql.replace("%s", "?") if self._sqlite else sql), parameters

    def _ask(self, statement: tuple[str, tuple[Any, ...]], values: dict[Any, Any]) -> Any:
        sql, parameters = statement
        now = self._adapt(timezone.now())
        sentinel = self._adapt(_NOW)
        filled = [now if value == sentinel else values.get(value, value) for value in parameters]
        cursor = self._database.execute(sql, filled)
        row = cursor.fetchone()
        cursor.close()
        return row


def _token_query() -> models.QuerySet[Any, Any]:
    valid = Q(expiry=None) | Q(expiry__gt=_NOW)
    tokens = ApiToken.objects.filter(valid, digest=_DIGEST, user__is_active=True, user__role__in=CLINICIANS)
    return tokens.order_by().values_list("user_id", "user__role", "scopes")


def _session_query() -> models.QuerySet[Any, Any]:
    rows = Session.objects.filter(session_key=_SESSION, expire_date__gt=_NOW)
    return rows.order_by().values_list("session_data")


def _user_query() -> models.QuerySet[Any, Any]:
    rows = User.objects.filter(pk=_USER, is_active=True, role__in=CLINICIANS)
    return rows.order_by().values_list("password", "role", "given_password_until")


def _instance_query() -> models.QuerySet[Any, Any]:
    rows = Instance.objects.filter(
        cared_for_condition(_USER, _NOW, "series__study__patient_id"),
        sop_instance_uid=_INSTANCE,
        series__series_instance_uid=_SERIES,
        series__study__study_instance_uid=_STUDY,
    )
    columns = ("pk", "series_id", "series__study_id", "series__study__patient_id")
    return rows.order_by().values_list(*columns, "frames", "transfer_syntax_uid", "size")


def _hex(value: Any) -> str:
    return value if isinstance(value, str) else value.hex
