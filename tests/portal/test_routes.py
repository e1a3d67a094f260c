"""Every route of the project by every role, with another patient's ids: a new route without a row fails."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from apps.accounts.models import CareTeam, User
from apps.explainability.plan import plan
from apps.imaging.models import HeldFile
from apps.inference.tasks import analyse
from tests.factories import arrive, film_file, take_in

IGNORED = ("api-docs", "schema", "set_language")
# route name: (method, arguments, statuses of doctor, other doctor, patient, admin, stranger)
DOCTORS = (200, 200, 404, 404, 302)
EVERYBODY = (200, 200, 200, 200, 302)
OWN_STUDY = (200, 404, 404, 404, 302)
API_OWN = (200, 404, 404, 404, 401)
TABLE: dict[str, tuple[str, tuple[str, ...], tuple[int, int, int, int, int]]] = {
    "portal:home": ("get", (), (302, 302, 302, 302, 302)),
    "portal:healthz": ("get", (), (200, 200, 200, 200, 200)),
    "portal:readyz": ("get", (), (200, 200, 200, 200, 200)),
    "portal:worklist": ("get", (), DOCTORS),
    "portal:study": ("get", ("study",), OWN_STUDY),
    "portal:findings": ("get", ("study",), OWN_STUDY),
    "portal:manifest": ("get", ("study",), OWN_STUDY),
    "portal:review": ("post", ("finding",), (302, 404, 404, 404, 302)),
    "portal:explain": ("post", ("finding",), (302, 404, 404, 404, 302)),
    "portal:retry": ("post", ("analysis",), (302, 404, 404, 404, 302)),
    "portal:patient": ("get", (), (404, 404, 200, 404, 302)),
    "portal:admin": ("get", (), (404, 404, 404, 200, 302)),
    "account_login": ("get", (), (302, 302, 302, 302, 200)),
    "account_logout": ("get", (), (200, 200, 200, 200, 302)),
    "account_change_password": ("get", (), EVERYBODY),
    "account_inactive": ("get", (), (200, 200, 200, 200, 200)),
    "account_reauthenticate": ("get", (), EVERYBODY),
    "imaging:upload": ("get", (), DOCTORS),
    "imaging:upload-start": ("post", (), (201, 201, 404, 404, 302)),
    "imaging:upload-file": ("post", ("upload",), (400, 404, 404, 404, 302)),
    "imaging:held": ("get", (), DOCTORS),
    "imaging:held-file": ("get", ("held",), OWN_STUDY),
    "inference:models": ("get", (), EVERYBODY),
    "inference:model-card": ("get", ("name", "version"), EVERYBODY),
    "dicomweb:store": ("post", (), (415, 415, 404, 404, 401)),
    "dicomweb:study-metadata": ("get", ("study",), API_OWN),
    "dicomweb:series-metadata": ("get", ("study", "series"), API_OWN),
    "dicomweb:frames": ("get", ("study", "series", "instance", "frame"), API_OWN),
    "study-list": ("get", (), (200, 200, 404, 404, 401)),
    "study-search": ("post", (), (400, 400, 404, 404, 401)),
    "study-detail": ("get", ("study",), API_OWN),
    "study-analyses": ("get", ("study",), API_OWN),
    "model-list": ("get", (), (200, 200, 200, 200, 401)),
    "model-detail": ("get", ("package",), (200, 200, 200, 200, 401)),
    "explanation-detail": ("get", ("explanation",), API_OWN),
    "explanation-overlay": ("get", ("explanation",), (409, 404, 404, 404, 401)),
    "explanation-attributions": ("get", ("explanation",), (409, 404, 404, 404, 401)),
}


def route_names(resolver: URLResolver, namespace: str = "") -> set[str]:
    names: set[str] = set()
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            if entry.name:
                names.add(f"{namespace}{entry.name}")
        else:
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            names |= route_names(entry, inner)
    return names


def test_every_route_has_a_row() -> None:
    assert route_names(get_resolver()) - set(IGNORED) == set(TABLE)


@pytest.fixture
def arguments(packages: None, team: CareTeam, doctor: User) -> dict[str, str]:
    """The ids of one analysed study of the first team, and of a file put aside."""
    analysis = arrive(film_file(3, pattern="focal"), team)
    instance = analysis.series.instances.get()
    take_in(film_file(4, name="Somebody^Else"), team)
    analyse(str(analysis.pk))
    explanation = plan(analysis.pk)[0]
    client = Client()
    client.force_login(doctor)
    upload = client.post(reverse("imaging:upload-start")).json()["files"].split("/")[-3]
    return {
        "study": instance.series.study.study_instance_uid,
        "series": instance.series.series_instance_uid,
        "instance": instance.sop_instance_uid,
        "frame": "1",
        "finding": str(explanation.finding_id),
        "analysis": str(analysis.pk),
        "explanation": str(explanation.pk),
        "held": str(HeldFile.objects.get().pk),
        "upload": upload,
        "package": str(analysis.package_id),
        "name": analysis.package.name,
        "version": analysis.package.version,
    }


def test_every_route_by_every_role(
    arguments: dict[str, str], doctor: User, stranger: User, patient_user: User, admin_user: User
) -> None:
    wrong = []
    for name, (method, wanted, statuses) in TABLE.items():
        url = reverse(name, args=[arguments[key] for key in wanted])
        for user, status in zip((doctor, stranger, patient_user, admin_user, None), statuses, strict=True):
            client = Client()
            if user is not None:
                client.force_login(user)
            answer = getattr(client, method)(url)
            if answer.status_code != status:
                wrong.append((name, str(user), answer.status_code, status))
    assert not wrong


def test_another_patients_names_are_on_no_page_of_others(
    arguments: dict[str, str], stranger: User, patient_user: User, admin_user: User
) -> None:
    for user in (stranger, patient_user, admin_user):
        client = Client()
        client.force_login(user)
        for name, (method, wanted, _) in TABLE.items():
            if method == "get":
                answer = client.get(reverse(name, args=[arguments[key] for key in wanted]), follow=True)
                body = b"".join(answer.streaming_content) if answer.streaming else answer.content
                assert b"Lindqvist" not in body and b"MRN-1" not in body, (name, user)
