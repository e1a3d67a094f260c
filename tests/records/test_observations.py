from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.accounts.models import User
from apps.jobs.errors import UserError
from apps.records import observation_imports, observations
from apps.records.models import Case, Event, Observation, ObservationImport
from apps.records.observation_files import InvalidInput, read_file
from tests.factories import browser_of

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
CSV = """time;code;value;unit
2026-10-31 08:00;2160-0;90;umol/L
2026-10-31 08:00;Heart rate;88;/min
2026-10-31 09:00;8867-4;999;/min
2026-10-31 09:00;banana;1;
2026-13-31 09:00;8867-4;80;
2026-10-31 10:00;8310-5;101;[degF]
2026-10-31 10:00;2823-3;4,1;mmol/L
2026-10-31 11:00;2823-3;4.2;furlong
2027-01-01 00:00;2823-3;4.2;mmol/L
2026-10-31 12:00;2823-3;many;mmol/L
"""


def test_a_csv_row_by_row() -> None:
    kind, rows = read_file(CSV.encode(), now=NOW, zone=UTC)
    assert kind == "csv" and len(rows) == 10
    good = {(row.measure.code, row.value) for row in rows if row.measure and row.value is not None}
    assert good == {("2160-0", 1.01808), ("8867-4", 88.0), ("8310-5", 38.3333333), ("2823-3", 4.1)}
    problems = {row.number: row.problem.code for row in rows if row.problem}
    assert problems == {
        4: "value_impossible",
        5: "value_code",
        6: "value_time",
        9: "unit_unknown",
        10: "value_future",
        11: "value_number",
    }


def test_fhir_with_components_and_strangers() -> None:
    pressure = {
        "resourceType": "Observation",
        "status": "final",
        "effectiveDateTime": "2026-10-31T08:00:00Z",
        "component": [
            {
                "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
                "valueQuantity": {"value": value, "code": "mm[Hg]"},
            }
            for code, value in (("8480-6", 121), ("8462-4", 78))
        ],
    }
    bundle = {
        "resourceType": "Bundle",
        "entry": [{"resource": pressure}, {"resource": {"resourceType": "Patient"}}, {}],
    }
    kind, rows = read_file(json.dumps(bundle).encode(), now=NOW, zone=UTC)
    assert kind == "fhir" and [row.value for row in rows] == [121, 78, None, None]
    assert rows[2].problem and rows[2].problem.code == "value_resource"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "values_columns"),
        (b"a,b\n1,2\n", "values_columns"),
        (b"time,code,value\n", "values_empty"),
        (b'{"resourceType": ', "values_json"),
        (b"\x89PNG\x00\x00\x00", "values_binary"),
        ("time,code,value\n" + "2026-10-31,8867-4,80\n" * 20_001, "values_too_many"),
    ],
)
def test_files_that_cannot_be_read_say_why(content: bytes | str, code: str) -> None:
    with pytest.raises(InvalidInput) as problem:
        read_file(content.encode() if isinstance(content, str) else content, now=NOW, zone=UTC)
    assert problem.value.code == code


def test_other_encodings_are_understood() -> None:
    text = "时间,项目,数值,单位\n2026-10-31 08:00,心率,88,/min\n"
    for encoding in ("utf-8-sig", "utf-16", "gb18030"):
        _kind, rows = read_file(text.encode(encoding), now=NOW, zone=UTC)
        assert rows[0].value == 88, encoding


@given(st.binary(max_size=600))
@settings(max_examples=200, deadline=None)
def test_any_file_is_read_or_refused(content: bytes) -> None:
    try:
        _kind, rows = read_file(content, now=NOW, zone=UTC)
    except InvalidInput:
        return
    assert all(row.problem is not None or row.value is not None for row in rows)


def test_preview_then_take_over_once(case: Case, doctor: User) -> None:
    moment = (case.started_at + timedelta(hours=2)).strftime("%Y-%m-%d %H:%M")
    observations.add(case, "2524-7", "2.0", "", datetime.fromisoformat(f"{moment}+00:00"), actor=doctor)
    lines = ("8867-4,88,/min", "8867-4,89,/min", "2524-7,2.0,", "2524-7,3,")
    content = "time,code,value,unit\n" + "".join(f"{moment},{line}\n" for line in lines)
    client = browser_of(doctor)
    answer = client.post(
        reverse("records:bring", args=[case.pk]), {"file": SimpleUploadedFile("x.csv", content.encode())}
    )
    parcel = ObservationImport.objects.get()
    assert answer.url == reverse("records:import", args=[case.pk, parcel.pk])
    page = client.get(answer.url).content.decode()
    assert "1 rows can be imported, 3 cannot" in page and "Another value is already recorded for this time" in page
    assert Observation.objects.count() == 1
    for _click in range(2):
        client.post(reverse("records:take", args=[case.pk, parcel.pk]))
    assert {(row.code, row.content["value"]) for row in Observation.objects.all()} == {
        ("8867-4", 88.0),
        ("2524-7", 2.0),
    }
    assert Event.objects.filter(case=case, kind="value").count() == 2


def test_another_users_import_is_not_there(case: Case, doctor: User, radiologist: User) -> None:
    parcel = observation_imports.prepare_import(case, b"time,code,value\n2026-01-01,8867-4,80\n", actor=doctor)
    assert browser_of(radiologist).get(reverse("records:import", args=[case.pk, parcel.pk])).status_code == 404


def test_a_value_twice_a_voided_one_and_a_closed_case(case: Case, doctor: User) -> None:
    at = case.started_at + timedelta(hours=1)
    first = observations.add(case, "8867-4", "90", "/min", at, actor=doctor)
    for value, code in (("90", "value_twice"), ("95", "value_differs")):
        with pytest.raises(UserError) as refusal:
            observations.add(case, "8867-4", value, "", at, actor=doctor)
        assert refusal.value.code == code
    assert observations.void(first, actor=doctor) and not observations.void(first, actor=doctor)
    assert observations.add(case, "8867-4", "95", "", at, actor=doctor).content["value"] == 95
    assert [trend.last.content["value"] for trend in observations.trends(case)] == [95]
    with pytest.raises(UserError) as refusal:
        observations.add(case, "8867-4", "95", "", timezone.now() + timedelta(hours=1), actor=doctor)
    assert refusal.value.code == "value_future"
    Case.objects.filter(pk=case.pk).update(status="closed")
    with pytest.raises(UserError) as refusal:
        observations.add(case, "8867-4", "96", "", at + timedelta(hours=1), actor=doctor)
    assert refusal.value.code == "case_closed"


def observed(code: str, value: object, unit: str, **other: object) -> dict[str, object]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "valueQuantity": {"value": value, "code": unit},
        **other,
    }


def test_fhir_of_others_and_withdrawn_results_are_refused_and_limits_kept(case: Case, doctor: User) -> None:
    moments = [(case.started_at + timedelta(hours=hour)).isoformat() for hour in range(1, 7)]
    mine = {"subject": {"reference": "Patient/abc"}}
    patient = {"resourceType": "Patient", "id": "abc", "identifier": [{"value": case.patient.mrn}]}
    resources = [
        patient,
        observed("2823-3", 6.9, "mmol/L", status="entered-in-error", effectiveDateTime=moments[0], **mine),
        observed("2823-3", 5.9, "mmol/L", subject={"reference": "Patient/other"}, effectiveDateTime=moments[1]),
        observed("2823-3", 4.1, "mmol/L", effectiveDateTime=moments[2], **mine),
        observed("33959-8", 0.05, "ng/mL", effectiveDateTime=moments[3], **mine)
        | {"valueQuantity": {"value": 0.05, "code": "ng/mL", "comparator": "<"}},
        observed("2951-2", 40, "mmol/L", specimen={"display": "Urine"}, effectiveDateTime=moments[4], **mine),
        observed("6206-7", 3.1, "kU/L", effectiveDateTime=moments[5], **mine),
    ]
    bundle = {"resourceType": "Bundle", "entry": [{"resource": resource} for resource in resources]}
    parcel = observation_imports.prepare_import(case, json.dumps(bundle).encode(), actor=doctor)
    codes = [row.reason_code for row in parcel.rows.all()]
    assert codes == ["value_resource", "value_withdrawn", "value_other_patient", "", "", "value_specimen", ""]
    assert observation_imports.apply_import(parcel, actor=doctor) == 3
    kept = {row.code: (row.value, row.comparator) for row in Observation.objects.filter(case=case)}
    assert kept == {"2823-3": (4.1, ""), "33959-8": (0.05, "<"), "6206-7": (3.1, "")}
    page = browser_of(doctor).get(reverse("records:values", args=[case.pk])).content.decode()
    assert "&lt;0.05" in page and "Peanut" in page


def test_ambiguous_rows_wait_for_a_choice(case: Case, doctor: User) -> None:
    moment = (case.started_at + timedelta(hours=2)).strftime("%Y-%m-%d %H:%M")
    lines = ('9187-6,"1,500",mL', "29463-7,165,", '777-3,"150,000",/uL', "2951-2,1400,mmol/L", '2823-3,"12",mmol/L')
    content = "time,code,value,unit\n" + "".join(f"{moment},{line}\n" for line in lines)
    client = browser_of(doctor)
    answer = client.post(
        reverse("records:bring", args=[case.pk]), {"file": SimpleUploadedFile("x.csv", content.encode())}
    )
    parcel = ObservationImport.objects.get()
    page = " ".join(client.get(answer.url).content.decode().split())
    assert "3 rows need your decision." in page and "is impossible" in page and "1 500 mL" in page
    rows = {row.number: row for row in parcel.rows.all()}
    assert [[choice["value"] for choice in rows[number].choices] for number in (2, 6)] == [[1500, 1.5], [12]]
    chosen = {f"row-{rows[2].pk}": "1500.0", f"row-{rows[3].pk}": "", f"row-{rows[6].pk}": "7"}
    client.post(reverse("records:take", args=[case.pk, parcel.pk]), chosen)
    kept = {row.code: row.value for row in Observation.objects.filter(case=case)}
    assert kept == {"9187-6": 1500, "777-3": 150}, "7 was no choice of that row"


def test_an_unusual_value_is_asked_about_in_the_form(case: Case, doctor: User) -> None:
    client, url = browser_of(doctor), reverse("records:values", args=[case.pk])
    at = (case.started_at + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")
    form = {"code": "2823-3", "value": "12", "unit": "", "at": at}
    answer = client.post(url, form)
    page = answer.content.decode()
    assert answer.status_code == 422 and "Which value is meant?" in page and 'value="12"' in page
    assert client.post(url, {**form, "chosen": "13"}).status_code == 422
    assert client.post(url, {**form, "chosen": "12.0"}).status_code == 302
    assert Observation.objects.get().value == 12


def test_a_session_that_ended_keeps_the_value_that_was_typed(case: Case, doctor: User) -> None:
    client, url = browser_of(doctor), reverse("records:values", args=[case.pk])
    page = client.get(url).content.decode()
    assert f'hx-post="{url}" hx-target="#value-form" hx-select="#value-form"' in " ".join(page.split())
    assert page.count('id="form-token"') == page.count('id="form-message"') == 1
    at = (timezone.now() - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")
    form = {"code": "2160-0", "value": "1.1", "unit": "mg/dL", "at": at}
    client.logout()
    answer = client.post(url, form, headers={"HX-Request": "true"})
    assert answer.status_code == 401 and answer["HX-Retarget"] == "#form-message"
    client = browser_of(doctor)
    answer = client.post(url, {**form, "value": "one"}, headers={"HX-Request": "true"})
    assert answer.status_code == 422 and 'value="one"' in answer.content.decode()
    answer = client.post(url, form, headers={"HX-Request": "true"})
    assert answer.status_code == 200 and answer["HX-Redirect"] == url
    assert Observation.objects.get().value == 1.1


def test_a_child_is_not_judged_by_the_ranges_of_adults(case: Case, doctor: User) -> None:
    case.patient.birth_date = case.started_at.date() - timedelta(days=400)
    case.patient.save()
    observations.add(case, "8867-4", "150", "", case.started_at + timedelta(hours=1), actor=doctor)
    (trend,) = observations.trends(Case.objects.get(pk=case.pk))
    assert trend.measure.high is None and trend.flag == ""
