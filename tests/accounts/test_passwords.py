"""Passwords that administrators give, and those that nobody may choose."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.account_admin import set_temporary_password
from apps.accounts.models import AuditEntry, User
from apps.jobs.errors import UserError


@pytest.fixture
def given(nurse: User, admin_user: User) -> str:
    return set_temporary_password(nurse, actor=admin_user)


def signed_in(username: str, password: str) -> Client:
    client = Client()
    client.post(reverse("account_login"), {"login": username, "password": password})
    return client


def test_a_given_password_is_good_for_an_own_one_only(nurse: User, given: str) -> None:
    validate_password(given, nurse)
    client = signed_in("nurse", given)
    change = reverse("account_change_password")
    assert client.get(reverse("portal:worklist")).headers["Location"] == change
    assert client.get(reverse("account_tokens")).headers["Location"] == change
    own = "a tall dark green hedge"
    client.post(change, {"oldpassword": given, "password1": own, "password2": own})
    assert client.get(reverse("portal:worklist")).status_code == 200
    assert not signed_in("nurse", given).session.get("_auth_user_id")


def test_a_given_password_runs_out(nurse: User, given: str) -> None:
    User.objects.filter(pk=nurse.pk).update(given_password_until=timezone.now() - timedelta(minutes=1))
    client = signed_in("nurse", given)
    answer = client.get(reverse("account_change_password"), follow=True)
    assert "has expired" in answer.content.decode()
    assert not client.session.get("_auth_user_id")


def test_only_administrators_give_passwords_and_none_to_themselves(nurse: User, doctor: User, admin_user: User) -> None:
    with pytest.raises(PermissionError):
        set_temporary_password(nurse, actor=doctor)
    with pytest.raises(UserError, match="own account"):
        set_temporary_password(admin_user, actor=admin_user)


def test_obvious_words_do_not_count() -> None:
    for bad in ("hospitalhospital", "MedPortal-2026", "doctorpassword1"):
        with pytest.raises(ValidationError):
            validate_password(bad)
    validate_password("hospital of the seven winds")


def test_asking_for_what_is_not_ones_own_is_recorded(doctor: User, browser_client: Client) -> None:
    assert browser_client.get(reverse("portal:admin")).status_code == 404
    entry = AuditEntry.objects.get(action="access.refused")
    assert entry.actor == doctor and entry.facts == {"route": "portal:admin"} and entry.outcome == "refused"
    assert browser_client.get("/no/such/page/").status_code == 404
    assert AuditEntry.objects.filter(action="access.refused").count() == 1
