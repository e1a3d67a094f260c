"""The first administrator is made on the server."""

from __future__ import annotations

import io
import re

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from apps.accounts.models import AuditEntry, Role, User

PASSWORD = "correct horse battery staple"


def _create(*arguments: str) -> str:
    output = io.StringIO()
    call_command("createadmin", *arguments, stdout=output)
    return output.getvalue()


def _sign_in(username: str, password: str) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": username, "password": password})
    return client


def test_a_temporary_password_opens_the_page_for_an_own_one(db: None) -> None:
    printed = _create("head", "--name", "Ada")
    found = re.search(r"password:\s+(\S+)", printed)
    assert found
    user = User.objects.get(username="head")
    assert user.role == Role.ADMIN and user.staff_name == "Ada" and user.check_password(found[1])
    assert user.given_password_until and user.given_password_until > timezone.now()
    answer = _sign_in("head", found[1]).get("/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/accounts/password/change/")
    assert AuditEntry.objects.filter(action="account.created").count() == 1
    assert AuditEntry.objects.filter(system_reason="createadmin command on the server").count() >= 2


def test_an_own_password_comes_from_standard_input(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
    assert PASSWORD not in _create("--password-stdin")
    user = User.objects.get(username="admin")
    assert user.check_password(PASSWORD) and user.given_password_until is None


@pytest.mark.parametrize("password", ["", "short", "admin-admin-1"])
def test_a_weak_password_is_refused(db: None, monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))
    with pytest.raises(CommandError):
        _create("--password-stdin")
    assert not User.objects.exists()


def test_the_second_factor_is_asked_for(db: None, monkeypatch: pytest.MonkeyPatch, settings: object) -> None:
    settings.MFA_REQUIRED_ROLES = ["admin"]  # type: ignore[attr-defined]
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
    _create("--password-stdin")
    answer = _sign_in("admin", PASSWORD).get("/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/accounts/2fa/")


def test_there_is_only_one_first_administrator(admin_user: User) -> None:
    with pytest.raises(CommandError, match="administrator already"):
        _create("second")
    admin_user.is_active = False
    admin_user.save()
    with pytest.raises(CommandError, match="taken"):
        _create(admin_user.username)
    _create("second")
    assert User.objects.filter(role=Role.ADMIN, is_active=True).count() == 1
