"""Deletion: who may, what must be kept, that nothing shows what was deleted, restoring and destroying."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts.models import AuditEntry, CareTeam, User
from apps.accounts.tokens import make_token
from apps.imaging import deletion
from apps.imaging.access import can, visible_to
from apps.imaging.dicomweb import delete as delete_views
from apps.imaging.jobs import purge_deleted
from apps.imaging.models import Instance, Outcome, QuarantinedFile, Series, Study, StudyToken
from apps.imaging.verification import verify_archive
from apps.inference.access import visible_findings
from apps.inference.access import visible_to as visible_analyses
from apps.inference.jobs import analyse
from apps.inference.models import Finding
from apps.patients.erasure import lift_hold, place_hold
from apps.protection import blobs
from apps.reports.models import Report, ReportState, ReportVersion
from tests.factories import ACTOR, arrive, browser_of, film_file, related, take_in
from tests.imaging.test_search import file_of, found

STUDY = "/dicom-web/studies/1.1"


@pytest.fixture
def study(team: CareTeam) -> Study:
    """Two series, one of two instances."""
    for series, instance, modality in (("1", "1", "CT"), ("1", "2", "CT"), ("2", "1", "SR")):
        take_in(file_of("1", series, instance, Modality=modality, StudyDate="20260102"), team)
    return Study.objects.get()


def test_an_instance_a_series_and_a_study_are_deleted(api: APIClient, study: Study) -> None:
    assert api.delete(f"{STUDY}/series/1.1.1/instances/1.1.1.1").status_code == 204
    assert found(api, "instances") == ["1.1.2", "1.2.1"]
    assert api.get("/dicom-web/studies").json()[0]["00201208"]["Value"] == [2]
    assert api.delete(f"{STUDY}/series/1.1.2").status_code == 204
    (model,) = api.get("/dicom-web/studies").json()
    assert (model["00080061"]["Value"], model["00201206"]["Value"]) == (["CT"], [1])
    assert api.delete(f"{STUDY}/series/1.1.1/instances/1.1.1.2").status_code == 204  # the last one takes all with it
    assert found(api, "studies") == []
    actions = AuditEntry.objects.filter(action__endswith=".deleted").order_by("at")
    assert [(entry.action, entry.facts["instances"]) for entry in actions] == [
        ("instance.deleted", 1),
        ("series.deleted", 1),
        ("instance.deleted", 1),
    ]


def test_nothing_shows_what_was_deleted(api: APIClient, doctor: User, packages: None, team: CareTeam) -> None:
    analysis = arrive(film_file(3, pattern="focal"), team)
    analyse(str(analysis.pk))
    study, finding = analysis.series.study, Finding.objects.first()
    assert finding is not None and visible_findings(doctor).exists()
    url = reverse("dicomweb:study", args=[study.study_instance_uid])
    instance = analysis.series.instances.get()
    instance_url = f"{url}/series/{analysis.series.series_instance_uid}/instances/{instance.sop_instance_uid}"
    shown = [url, f"{url}/metadata", instance_url, f"{instance_url}/metadata", f"{instance_url}/frames/1"]
    shown += [f"{instance_url}/frames", f"{instance_url}/bulkdata/7FE00010"]
    browser = browser_of(doctor)
    assert browser.get(reverse("portal:study", args=[study.study_instance_uid])).status_code == 200
    assert {api.get(path).status_code for path in shown} == {200}
    assert api.delete(url).status_code == 204
    assert {api.get(path).status_code for path in shown} == {404}
    assert api.delete(url).status_code == 404
    for page in ("portal:study", "portal:findings", "portal:manifest"):
        assert browser.get(reverse(page, args=[study.study_instance_uid])).status_code == 404
    assert study.study_instance_uid not in browser.get(reverse("portal:worklist")).content.decode()
    study = Study.every.get(pk=study.pk)
    assert not visible_to(doctor).exists() and not can(doctor, "imaging.view_study", study)
    assert not visible_analyses(doctor).exists() and not visible_findings(doctor).exists()
    for path in ("studies", "series", "instances"):
        assert api.get(f"/dicom-web/{path}").status_code == 204


def test_of_two_deletions_at_once_the_second_finds_nothing(
    api: APIClient, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up = delete_views.visible_instances

    def overtaken(*args: Any) -> list[Instance]:
        rows = looked_up(*args)
        Study.objects.filter(pk=study.pk).update(deleted_at=timezone.now())
        return rows

    monkeypatch.setattr(delete_views, "visible_instances", overtaken)
    assert api.delete(STUDY).status_code == 404


def test_findings_of_a_deleted_series_are_hidden_while_the_study_stays(
    api: APIClient, doctor: User, packages: None, team: CareTeam
) -> None:
    analysis = arrive(film_file(3, pattern="focal"), team)
    analyse(str(analysis.pk))
    series = analysis.series
    other = Series.objects.create(study=series.study, series_instance_uid="1.9", modality="CT")
    Instance(series=other, sop_instance_uid="1.9.1", sop_class_uid="1").save(force_insert=True)
    deletion.delete(series, actor=doctor)
    assert visible_to(doctor).exists()
    assert not visible_findings(doctor).exists() and not visible_analyses(doctor).exists()


def test_who_may_delete(api: APIClient, study: Study, doctor: User, nurse: User, stranger: User) -> None:
    for user in (nurse, stranger):
        other = APIClient()
        other.force_authenticate(user)
        assert other.delete(STUDY).status_code == 404
        with pytest.raises(PermissionError):
            deletion.delete(study, actor=user)
    assert APIClient().delete(STUDY).status_code == 401
    for scopes, status in ((["studies:read"], 403), (["studies:write"], 204)):
        _, secret = make_token(doctor, name="x", scopes=scopes, days=1)
        assert APIClient(headers={"authorization": f"Token {secret}"}).delete(STUDY).status_code == status


def test_what_must_be_kept_is_refused_with_the_reason(
    api: APIClient, study: Study, settings: Any, admin_user: User
) -> None:
    settings.RETENTION_YEARS = 30
    answer = api.delete(STUDY)
    assert answer.status_code == 409
    assert answer.json()["detail"] == "The study must be kept until 2056-01-02 and cannot be deleted before."
    assert AuditEntry.objects.get(action="study.deletion_refused").facts == {"reason": "retention_period"}
    settings.RETENTION_YEARS = 0
    hold = place_hold(study.patient, "a court order", actor=admin_user)
    assert api.delete(f"{STUDY}/series/1.1.1").status_code == 409
    lift_hold(hold, actor=admin_user)
    assert api.delete(f"{STUDY}/series/1.1.1").status_code == 204


def test_a_study_with_a_signed_report_is_kept(api: APIClient, study: Study, doctor: User) -> None:
    from apps.cases.services import open_case

    case = open_case(study.patient, title="Cough", study=study, started_at=timezone.now(), actor=doctor)
    report = Report.objects.create(case=case, study=study, template="chest", author=doctor)
    version = ReportVersion.objects.create(report=report, number=1, state=ReportState.FINAL, issued_by=doctor)
    answer = api.delete(STUDY)
    assert answer.status_code == 409
    assert "report" in answer.json()["detail"]
    ReportVersion.objects.filter(pk=version.pk).update(state=ReportState.PRELIMINARY)
    assert api.delete(STUDY).status_code == 204


@pytest.mark.parametrize(
    ("start", "until"), [(date(2026, 1, 2), date(2036, 1, 2)), (date(2024, 2, 29), date(2034, 3, 1))]
)
def test_the_end_of_the_retention_period(study: Study, settings: Any, start: date, until: date) -> None:
    settings.RETENTION_YEARS = 10
    study.study_date = start
    assert deletion.kept_until(study) == until
    study.study_date = None
    assert deletion.kept_until(study).year == timezone.localdate().year + 10


def test_sent_again_it_is_restored(api: APIClient, study: Study) -> None:
    api.delete(STUDY)
    body, content_type = related(file_of("1", "1", "1", Modality="CT", StudyDate="20260102"))
    assert api.post("/dicom-web/studies", data=body, content_type=content_type).status_code == 200
    assert found(api, "instances") == ["1.1.1"]
    (model,) = api.get("/dicom-web/studies").json()
    assert model["00080061"]["Value"] == ["CT"]
    assert AuditEntry.objects.filter(action="study.restored").exists()


def test_other_content_under_a_deleted_uid_is_held_and_a_new_one_is_filed(
    api: APIClient, study: Study, team: CareTeam
) -> None:
    api.delete(STUDY)
    changed = take_in(file_of("1", "1", "1", StudyDescription="other"), team)
    assert (changed.outcome, changed.code) == (Outcome.HELD, "sop_instance_differs")
    assert QuarantinedFile.objects.count() == 1
    assert take_in(file_of("1", "1", "9"), team).outcome == Outcome.STORED
    assert found(api, "instances") == ["1.1.9"]


def test_an_outsider_does_not_restore(study: Study, doctor: User, stranger: User) -> None:
    deletion.delete(study, actor=doctor)
    received = take_in(file_of("1", "1", "1", Modality="CT", StudyDate="20260102"), None, actor=stranger)  # type: ignore[arg-type]
    assert (received.outcome, received.code) == (Outcome.HELD, "other_care_team")
    with pytest.raises(PermissionError):
        deletion.restore(study, actor=stranger)
    assert not Study.objects.exists()


def test_the_command_restores(study: Study) -> None:
    deletion.delete(study, actor=ACTOR)
    call_command("restore_study", "1.1")
    assert Instance.objects.count() == 3
    assert Study.objects.get().modality_list == ["CT", "SR"]
    with pytest.raises(CommandError, match="nothing of this study is deleted"):
        call_command("restore_study", "1.1")
    with pytest.raises(CommandError, match="no such study"):
        call_command("restore_study", "1.2")


def test_after_the_grace_time_it_is_destroyed(api: APIClient, study: Study, settings: Any) -> None:
    settings.DELETION_GRACE_DAYS = 30
    names = [instance.blob for instance in Instance.objects.all()]
    api.delete(f"{STUDY}/series/1.1.2")
    purge_deleted()
    assert Instance.every.count() == 3 and all(blobs.exists(name) for name in names)
    done = deletion.purge(timezone.now() + timedelta(days=31))
    assert (done.instances, done.studies, done.blobs) == (1, 0, 1)
    assert (Instance.every.count(), Series.every.count(), Study.every.count()) == (2, 1, 1)
    api.delete(STUDY)
    assert deletion.purge(timezone.now() + timedelta(days=31)).studies == 1
    assert not any(blobs.exists(name) for name in names)
    assert not Study.every.exists() and not StudyToken.objects.exists()
    assert AuditEntry.objects.filter(action="instance.purged").count() == 3
    assert deletion.purge(timezone.now() + timedelta(days=31)) == deletion.Purged()


def test_the_containers_of_what_depends_on_it_go_too(packages: None, team: CareTeam) -> None:
    from apps.explainability.jobs import explain
    from apps.explainability.scheduling import schedule_explanations

    analysis = arrive(film_file(3, pattern="focal"), team)
    analyse(str(analysis.pk))
    explanation = schedule_explanations(analysis.pk)[0]
    explain(str(explanation.pk))
    explanation.refresh_from_db()
    names = explanation.sealed_blobs()
    assert names and all(blobs.exists(name) for name in names)
    deletion.delete(analysis.series.study, actor=ACTOR)
    deletion.purge(timezone.now() + timedelta(days=31))
    assert not any(blobs.exists(name) for name in names)


def test_verification_keeps_what_can_be_restored(study: Study, settings: Any) -> None:
    settings.ARCHIVE_GRACE_SECONDS = 0
    names = [instance.blob for instance in Instance.objects.all()]
    deletion.delete(study, actor=ACTOR)
    run = verify_archive(actor=ACTOR)
    assert (run.checked, run.problems, run.orphans) == (3, [], 0)
    assert all(blobs.exists(name) for name in names)
