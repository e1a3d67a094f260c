from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from apps.accounts.models import User
from tests.factories import PASSWORD


@pytest.mark.django_db
def test_a_password_buys_a_token_that_opens_the_api(doctor: User) -> None:
    client = APIClient()
    answer = client.post("/api/token/", {"username": "doctor", "password": PASSWORD})
    assert answer.status_code == 200
    client.credentials(HTTP_AUTHORIZATION=f"Token {answer.json()['token']}")
    assert client.get("/api/v1/studies/").status_code == 200


@pytest.mark.parametrize(("body", "status"), [({"username": "doctor", "password": "x"}, 401), ({}, 400)])
def test_wrong_credentials_get_none(doctor: User, body: dict[str, str], status: int) -> None:
    assert APIClient().post("/api/token/", body).status_code == status


def test_an_inactive_user_gets_none(doctor: User) -> None:
    User.objects.filter(pk=doctor.pk).update(is_active=False)
    answer = APIClient().post("/api/token/", {"username": "doctor", "password": PASSWORD})
    assert answer.status_code == 401


def test_without_or_with_a_wrong_token_nothing_opens(doctor: User) -> None:
    client = APIClient()
    assert client.get("/api/v1/studies/").status_code == 401
    client.credentials(HTTP_AUTHORIZATION="Token 0000")
    assert client.get("/api/v1/studies/").status_code == 401
