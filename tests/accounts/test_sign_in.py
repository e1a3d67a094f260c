"""Guessing, time-outs, and being asked again who it is."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from apps.accounts.middleware import IDLE_MARK, STARTED_MARK
from apps.accounts.models import AuditEntry, User
from medportal.settings import ACCOUNT_RATE_LIMITS
from tests.factories import PASSWORD, browser_of


@pytest.fixture(autouse=True)
def nobody_has_tried(settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = ACCOUNT_RATE_LIMITS
    cache.clear()


def attempt(username: str, password: str, client: Client | None = None) -> str:
    """What the sign-in page says, without what differs from page to page."""
    client = client or Client()
    answer = client.post(reverse("account_login"), {"login": username, "password": password})
    if answer.status_code == 302:
        return "in"
    return " ".join(re.findall(r'class="alert alert-error">([^<]+)<', answer.content.decode())) or str(answer)


def test_a_failed_sign_in_does_not_tell_whether_the_account_exists(doctor: User) -> None:
    assert attempt("doctor", "wrong") == attempt("nobody", "wrong") != "in"
    User.objects.filter(pk=doctor.pk).update(is_active=False)
    assert attempt("doctor", "wrong") == attempt("nobody", "wrong")
    refused = AuditEntry.objects.filter(action="session.refused")
    assert refused.count() == 4 and {entry.outcome for entry in refused} == {"refused"}


def test_guessing_is_stopped_for_known_and_unknown_names_alike(doctor: User) -> None:
    unknown = [attempt("nobody", f"guess {number}") for number in range(7)]
    cache.clear()
    known = [attempt("doctor", f"guess {number}") for number in range(7)]
    assert known == unknown and known[0] != known[-1]
    assert attempt("doctor", PASSWORD) == known[-1], "the right password does not help until the time is over"


@pytest.mark.parametrize(
    ("mark", "setting"), [(IDLE_MARK, "SESSION_IDLE_SECONDS"), (STARTED_MARK, "SESSION_COOKIE_AGE")]
)
def test_a_session_ends_when_idle_and_when_old(doctor: User, settings: Any, mark: str, setting: str) -> None:
    client = browser_of(doctor)
    assert client.get(reverse("portal:worklist")).status_code == 200
    session = client.session
    session[mark] = int(time.time()) - getattr(settings, setting) - 1
    session.save()
    assert client.get(reverse("portal:worklist")).headers["Location"].startswith(reverse("account_login"))
    assert "_auth_user_id" not in client.session
    assert AuditEntry.objects.filter(action="session.timed_out").exists()


def test_polling_does_not_keep_a_session_awake(doctor: User) -> None:
    client = browser_of(doctor)
    client.get(reverse("portal:worklist"))
    session = client.session
    long_ago = session[IDLE_MARK] = int(time.time()) - 100
    session.save()
    client.get(reverse("portal:worklist"), headers={"X-Polling": "1"})
    assert client.session[IDLE_MARK] == long_ago
    client.get(reverse("portal:worklist"))
    assert client.session[IDLE_MARK] > long_ago


def test_dangerous_acts_ask_again_who_it_is(admin_user: User, settings: Any) -> None:
    client = browser_of(admin_user)
    page = reverse("portal:admin-user-new")
    assert client.get(page).status_code == 200
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 0
    answer = client.get(page)
    assert answer.headers["Location"] == f"{reverse('account_reauthenticate')}?next={page.replace('/', '%2F')}"


def test_a_changed_password_ends_the_other_sessions(doctor: User) -> None:
    here, there = Client(), Client()
    for client in (here, there):
        assert attempt("doctor", PASSWORD, client) == "in"
    own = "seven winds over the bay"
    here.post(reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": own, "password2": own})
    assert here.get(reverse("portal:worklist")).status_code == 200
    assert there.get(reverse("portal:worklist")).status_code == 302
