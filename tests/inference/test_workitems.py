"""UPS-RS: the state machine of workitems, and who may do what (PS3.18 chapter 11, PS3.4 annex CC)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydicom.uid import generate_uid
from rest_framework.test import APIClient

from apps.accounts.models import CareTeam, User
from apps.imaging.models import Series
from apps.inference.models import Analysis, PackageVersion, Workitem
from apps.inference.packages.card import IMAGES
from apps.inference.routing import _rejection
from apps.inference.workitem_model import SCHEME
from apps.jobs.models import State
from apps.patients.consent import record_consent
from apps.patients.models import ConsentState, Purpose
from tests.factories import arrive, film_file, take_in

URL = "/dicom-web/workitems"
JSON = "application/dicom+json"
UID, TRANSACTION = "1.2.826.0.1.77", "1.2.826.0.1.88"


@pytest.fixture
def series(team: CareTeam) -> Series:
    received = take_in(film_file(5), team)
    assert received.instance is not None
    return received.instance.series


def code(value: str = "TRIAGE", scheme: str = "99OUTSIDE") -> dict[str, Any]:
    return {
        "00080100": {"vr": "SH", "Value": [value]},
        "00080102": {"vr": "SH", "Value": [scheme]},
        "00080104": {"vr": "LO", "Value": ["Triage"]},
    }


def request_for(series: Series, **changes: Any) -> dict[str, Any]:
    """A new workitem on a series; a change to None leaves the attribute out."""
    model: dict[str, Any] = {
        "00741000": {"vr": "CS", "Value": ["SCHEDULED"]},
        "00741204": {"vr": "LO", "Value": ["分诊"]},
        "00404018": {"vr": "SQ", "Value": [code()]},
        "00404021": {
            "vr": "SQ",
            "Value": [
                {
                    "0020000D": {"vr": "UI", "Value": [series.study.study_instance_uid]},
                    "0020000E": {"vr": "UI", "Value": [series.series_instance_uid]},
                }
            ],
        },
        **{f"{tag:0>8}": value for tag, value in changes.items()},
    }
    return {tag: value for tag, value in model.items() if value is not None}


def post(api: APIClient, url: str, model: Any) -> Any:
    return api.post(url, data=json.dumps([model]), content_type=JSON)


def create(api: APIClient, series: Series, uid: str = UID) -> Any:
    return post(api, f"{URL}?{uid}", request_for(series))


def to_state(api: APIClient, state: str, transaction: str = TRANSACTION, uid: str = UID) -> Any:
    model: dict[str, Any] = {"00741000": {"vr": "CS", "Value": [state]}}
    if transaction:
        model["00081195"] = {"vr": "UI", "Value": [transaction]}
    return api.put(f"{URL}/{uid}/state", data=json.dumps([model]), content_type=JSON)


def performed() -> dict[str, Any]:
    """What the final state requires."""
    item = {
        "00404019": {"vr": "SQ", "Value": [code()]},
        "00404050": {"vr": "DT", "Value": ["20260301120000"]},
        "00404051": {"vr": "DT", "Value": ["20260301120100"]},
        "00404033": {"vr": "SQ"},
    }
    return {"00741216": {"vr": "SQ", "Value": [item]}}


def shown(api: APIClient, uid: str = UID) -> dict[str, Any]:
    answer = api.get(f"{URL}/{uid}")
    assert answer.status_code == 200 and answer.headers["Content-Type"] == JSON
    (model,) = answer.json()
    return dict(model)


def state_of(api: APIClient, uid: str = UID) -> str:
    return str(shown(api, uid)["00741000"]["Value"][0])


def test_a_tool_outside_claims_and_completes_a_workitem(api: APIClient, series: Series) -> None:
    created = create(api, series)
    assert created.status_code == 201
    assert created.headers["Content-Location"].endswith(f"{URL}/{UID}")
    model = shown(api)
    assert model["00080018"]["Value"] == [UID] and model["00741000"]["Value"] == ["SCHEDULED"]
    assert model["00741204"]["Value"] == ["分诊"]
    assert model["00100020"]["Value"] == ["MRN-1"]
    assert model["00100010"]["Value"] == [{"Alphabetic": "Lindqvist^Åsa"}]
    (item,) = model["00404021"]["Value"]
    assert len(item["00081199"]["Value"]) == 1
    assert to_state(api, "IN PROGRESS").status_code == 200
    model = shown(api)
    assert model["00741000"]["Value"] == ["IN PROGRESS"] and "00081195" not in model, "the Transaction UID is secret"
    refused = to_state(api, "COMPLETED")
    assert refused.status_code == 409 and "(0074,1216)" in refused.json()["detail"]
    assert post(api, f"{URL}/{UID}?{TRANSACTION}", performed()).status_code == 200
    assert to_state(api, "COMPLETED").status_code == 200
    assert state_of(api) == "COMPLETED"
    assert "Value" in shown(api)["00741216"]
    again = to_state(api, "COMPLETED")
    assert again.status_code == 200 and "already" in again.headers["Warning"]


@pytest.mark.parametrize(
    ("before", "state", "transaction", "status", "words"),
    [
        ("SCHEDULED", "COMPLETED", TRANSACTION, 409, "not IN PROGRESS yet"),
        ("SCHEDULED", "CANCELED", TRANSACTION, 409, "not IN PROGRESS yet"),
        ("SCHEDULED", "SCHEDULED", TRANSACTION, 400, "must be IN PROGRESS"),
        ("SCHEDULED", "DONE", TRANSACTION, 400, "must be IN PROGRESS"),
        ("SCHEDULED", "", TRANSACTION, 400, "must be IN PROGRESS"),
        ("SCHEDULED", "IN PROGRESS", "", 400, "missing"),
        ("SCHEDULED", "IN PROGRESS", "not a UID", 400, "missing"),
        ("IN PROGRESS", "IN PROGRESS", "1.2.3", 409, "already IN PROGRESS"),
        ("IN PROGRESS", "COMPLETED", "1.2.3", 400, "incorrect"),
        ("IN PROGRESS", "CANCELED", "1.2.3", 400, "incorrect"),
        ("IN PROGRESS", "CANCELED", "", 400, "missing"),
        ("COMPLETED", "IN PROGRESS", TRANSACTION, 409, "no longer"),
        ("COMPLETED", "CANCELED", TRANSACTION, 409, "no longer"),
        ("CANCELED", "IN PROGRESS", TRANSACTION, 409, "no longer"),
        ("CANCELED", "COMPLETED", TRANSACTION, 409, "no longer"),
    ],
)
def test_illegal_transitions_change_nothing(
    api: APIClient, series: Series, before: str, state: str, transaction: str, status: int, words: str
) -> None:
    create(api, series)
    Workitem.objects.update(state=before, transaction_uid="" if before == "SCHEDULED" else TRANSACTION)
    answer = to_state(api, state, transaction)
    assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.json()
    assert state_of(api) == before


def test_updates_need_the_transaction_of_who_performs_it(api: APIClient, series: Series) -> None:
    create(api, series)
    label = {"00741204": {"vr": "LO", "Value": ["New label"]}, "00741000": {"vr": "CS", "Value": ["COMPLETED"]}}
    assert post(api, f"{URL}/{UID}", label).status_code == 200
    assert shown(api)["00741204"]["Value"] == ["New label"]
    assert state_of(api) == "SCHEDULED", "the state changes by its own transaction"
    to_state(api, "IN PROGRESS")
    assert post(api, f"{URL}/{UID}", label).status_code == 400
    assert post(api, f"{URL}/{UID}?1.2.3", label).status_code == 400
    assert post(api, f"{URL}/{UID}?transaction={TRANSACTION}", performed()).status_code == 200
    assert to_state(api, "CANCELED").status_code == 200
    assert post(api, f"{URL}/{UID}?{TRANSACTION}", label).status_code == 409


def test_cancellation_is_possible_while_nobody_performs_it(api: APIClient, series: Series) -> None:
    create(api, series)
    create(api, series, "1.2.3.4")
    to_state(api, "IN PROGRESS", uid="1.2.3.4")
    assert api.post(f"{URL}/1.2.3.4/cancelrequest").status_code == 409
    assert api.post(f"{URL}/{UID}/cancelrequest").status_code == 202
    assert state_of(api) == "CANCELED"
    again = api.post(f"{URL}/{UID}/cancelrequest")
    assert again.status_code == 202 and "already" in again.headers["Warning"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"00741000": None}, "(0074,1000)"),
        ({"00741000": {"vr": "CS", "Value": ["IN PROGRESS"]}}, "(0074,1000)"),
        ({"00081195": {"vr": "UI", "Value": ["1.2.3"]}}, "(0008,1195)"),
        ({"00404018": None}, "(0040,4018)"),
        ({"00404018": {"vr": "SQ", "Value": [code("none", SCHEME)]}}, "is installed"),
        ({"00404021": None}, "(0040,4021)"),
        ({"00404021": {"vr": "SQ", "Value": [{}]}}, "(0040,4021)"),
        ({"00741204": {"vr": "XX"}}, "JSON model"),
    ],
)
def test_requests_that_lack_something_say_what(
    api: APIClient, series: Series, changes: dict[str, Any], words: str
) -> None:
    answer = post(api, f"{URL}?{UID}", request_for(series, **changes))
    assert answer.status_code == 400 and words in answer.json()["detail"], answer.json()
    assert not Workitem.objects.exists()


def test_bodies_and_uids_that_are_none(api: APIClient, series: Series) -> None:
    for body in ("", "{", "[]", "[1]", "null", '{"00741000": 1}'):
        assert api.post(f"{URL}?{UID}", data=body, content_type=JSON).status_code == 400, body
    assert api.post(f"{URL}?{UID}", data="<x/>", content_type="application/dicom+xml").status_code == 415
    assert post(api, f"{URL}?1.2.{'3' * 70}", request_for(series)).status_code == 400
    assert post(api, URL, request_for(series)).status_code == 400
    assert create(api, series).status_code == 201
    assert create(api, series).status_code == 409
    for uid in ("1.2.3", "x", "2.25.abc", f"2.25.{2**129}", f"2.25.{7}"):
        assert api.get(f"{URL}/{uid}").status_code == 404, uid
    assert api.post(f"{URL}/{UID}/subscribers/TOOL").status_code == 403


@pytest.mark.usefixtures("packages")
def test_a_model_of_this_site_is_asked_and_performs_the_workitem_itself(api: APIClient, series: Series) -> None:
    package = next(
        package
        for package in PackageVersion.objects.filter(active=True, card__task__in=IMAGES)
        if _rejection(series, package) is None
    )
    for other in PackageVersion.objects.exclude(card__task__in=IMAGES):
        model = request_for(series, **{"00404018": {"vr": "SQ", "Value": [code(other.name, SCHEME)]}})
        assert post(api, f"{URL}?{UID}", model).status_code == 400
    model = request_for(series, **{"00404018": {"vr": "SQ", "Value": [code(package.name, SCHEME)]}})
    assert post(api, f"{URL}?{UID}", model).status_code == 201
    analysis = Analysis.objects.get(series=series, package=package)
    states = {"queued": "SCHEDULED", "running": "IN PROGRESS", "succeeded": "COMPLETED", "failed": "CANCELED"}
    for state, expected in states.items():
        Analysis.objects.filter(pk=analysis.pk).update(state=state, reason_code="internal" if state == "failed" else "")
        assert state_of(api) == expected
    assert shown(api)["00741238"]["Value"], "why it failed"
    assert to_state(api, "IN PROGRESS").status_code == 409


@pytest.mark.usefixtures("packages")
def test_analyses_are_seen_as_workitems(api: APIClient, team: CareTeam) -> None:
    analysis = arrive(film_file(6), team)
    (model,) = api.get(f"{URL}?PatientID=MRN-1&00741000=SCHEDULED").json()
    uid = f"2.25.{analysis.pk.int}"
    assert model["00080018"]["Value"] == [uid]
    Analysis.objects.filter(pk=analysis.pk).update(state=State.RUNNING, progress=30)
    model = shown(api, uid)
    assert model["00741000"]["Value"] == ["IN PROGRESS"] and model["00741004"]["Value"] == [30]
    assert to_state(api, "COMPLETED", uid=uid).status_code == 409
    assert api.post(f"{URL}/{uid}/cancelrequest").status_code == 409


def test_searches(api: APIClient, series: Series) -> None:
    assert api.get(URL).status_code == 204
    for number in range(3):
        create(api, series, f"1.2.3.{number + 1}")
    to_state(api, "IN PROGRESS", uid="1.2.3.2")
    found = {
        query: [row["00080018"]["Value"][0] for row in answer.json()] if answer.status_code == 200 else []
        for query in (
            "ProcedureStepState=SCHEDULED",
            "ProcedureStepState=IN PROGRESS",
            "ProcedureStepState=COMPLETED",
            "SOPInstanceUID=1.2.3.3",
            f"InputInformationSequence.SeriesInstanceUID={series.series_instance_uid}",
            "00404021.0020000D=1.2.3",
            "00404018.00080100=TRIAGE",
            "PatientID=nobody",
            "PatientID=",
        )
        for answer in [api.get(f"{URL}?{query}")]
    }
    assert [len(uids) for uids in found.values()] == [2, 1, 0, 1, 3, 0, 3, 0, 3]
    pages = [api.get(f"{URL}?limit=2&offset={offset}").json() for offset in (0, 2)]
    assert [len(page) for page in pages] == [2, 1]
    refused = api.get(f"{URL}?Modality=CT")
    assert refused.status_code == 400 and "ProcedureStepState" in refused.json()["detail"]


def test_other_teams_see_and_change_nothing(api: APIClient, series: Series, stranger: User, nurse: User) -> None:
    create(api, series)
    other = APIClient()
    other.force_authenticate(stranger)
    assert other.get(URL).status_code == 204
    for answer in (
        other.get(f"{URL}/{UID}"),
        to_state(other, "IN PROGRESS"),
        post(other, f"{URL}/{UID}", {}),
        other.post(f"{URL}/{UID}/cancelrequest"),
    ):
        assert answer.status_code == 404
    refused = create(other, series, "1.2.3.9")
    assert refused.status_code == 400 and "not stored here" in refused.json()["detail"]
    reader = APIClient()
    reader.force_authenticate(nurse)
    assert reader.get(f"{URL}/{UID}").status_code == 200
    assert to_state(reader, "IN PROGRESS").status_code == 404
    assert state_of(api) == "SCHEDULED"


def test_without_consent_to_ai_there_is_no_workitem(api: APIClient, series: Series, doctor: User) -> None:
    create(api, series)
    record_consent(series.study.patient, Purpose.AI, ConsentState.WITHDRAWN, actor=doctor)
    assert api.get(URL).status_code == 204 and api.get(f"{URL}/{UID}").status_code == 404
    refused = create(api, series, "1.2.3.9")
    assert refused.status_code == 409 and "consent" in refused.json()["detail"]


def test_a_generated_uid_is_taken_from_the_data_set(api: APIClient, series: Series) -> None:
    uid = generate_uid()
    model = request_for(series, **{"00001000": {"vr": "UI", "Value": [uid]}})
    assert post(api, URL, model).status_code == 201
    assert state_of(api, uid) == "SCHEDULED"
