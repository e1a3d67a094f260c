from __future__ import annotations

import io
from typing import Any

import pydicom
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pydicom.uid import EncapsulatedPDFStorage

from apps.accounts.models import AuditEntry, CareTeam, Notice, User
from apps.accounts.notifications import mark_read
from apps.imaging import quarantine_decision
from apps.imaging.access import can, deciders_of, quarantined_visible_to
from apps.imaging.forms import RegisterForm
from apps.imaging.ingest import Received, receive
from apps.imaging.models import Decision, Instance, Outcome, QuarantinedFile
from apps.imaging.quarantine import held_together
from apps.imaging.quarantine_decision import decide, decide_together, register_patient
from apps.jobs.errors import UserError
from apps.patients.identity import Identity, register
from apps.patients.models import Patient
from apps.protection import blobs
from tests.conftest import SHARED
from tests.factories import UserFactory, browser_of, film_file, take_in
from tests.imaging.files import beside, changed


@pytest.fixture
def held(team: CareTeam) -> QuarantinedFile:
    take_in(film_file(1), team)
    take_in(film_file(2, name="Somebody^Else"), team)
    return QuarantinedFile.objects.get()


def hold_unnamed(user: User, *seeds: int, **values: Any) -> list[QuarantinedFile]:
    """Files without a Patient ID, uploaded by a user."""
    for seed in seeds:
        content = changed(
            film_file(seed, identity=["one study"]), PatientID="", SOPInstanceUID=f"1.2.3.{seed}", **values
        )
        assert receive(io.BytesIO(content), actor=user).outcome == Outcome.HELD
    return list(QuarantinedFile.objects.filter(patient=None).order_by("created_at"))


def test_the_same_patient_files_it_under_the_record(held: QuarantinedFile, doctor: User) -> None:
    received = decide(held, Decision.SAME, actor=doctor)
    assert received and received.instance
    assert received.instance.series.study.patient == held.patient
    assert not blobs.exists(held.blob)
    held.refresh_from_db()
    assert (held.decision, held.instance) == (Decision.SAME, received.instance)


def test_another_patient_discards_it(held: QuarantinedFile, doctor: User) -> None:
    assert decide(held, Decision.OTHER, actor=doctor) is None
    assert Instance.objects.count() == 1
    assert not blobs.exists(held.blob)


@pytest.mark.parametrize("first", [Decision.SAME, Decision.OTHER])
@pytest.mark.parametrize("second", [Decision.SAME, Decision.OTHER])
def test_the_second_decision_changes_nothing(
    held: QuarantinedFile, doctor: User, first: Decision, second: Decision
) -> None:
    decide(held, first, actor=doctor)
    assert decide(held, second, actor=doctor) is None
    held.refresh_from_db()
    assert (held.decision, Instance.objects.count()) == (first, 2 if first == Decision.SAME else 1)
    assert AuditEntry.objects.filter(action="file.decided").count() == 1


def test_only_the_care_team_decides(held: QuarantinedFile, stranger: User, admin_user: User) -> None:
    for other in (stranger, admin_user):
        with pytest.raises(PermissionError):
            decide(held, Decision.SAME, actor=other)


def test_a_process_killed_after_filing_leaves_a_file_that_can_be_decided_again(
    held: QuarantinedFile, doctor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_args: Any, **_options: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(quarantine_decision.audit, "record", killed)
        with pytest.raises(KeyboardInterrupt):
            decide(held, Decision.SAME, actor=doctor)
    held.refresh_from_db()
    assert not held.decision and blobs.exists(held.blob)
    again = decide(held, Decision.SAME, actor=doctor)
    assert again and again.outcome == Outcome.DUPLICATE
    assert (Instance.objects.count(), blobs.exists(held.blob)) == (2, False)


def test_filing_that_fails_keeps_the_file(held: QuarantinedFile, doctor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_args: Any, **_options: Any) -> Received:
        raise OSError("the disk is full")

    monkeypatch.setattr(quarantine_decision, "receive_decided", fails)
    with pytest.raises(OSError, match="full"):
        decide(held, Decision.SAME, actor=doctor)
    held.refresh_from_db()
    assert not held.decision and blobs.exists(held.blob)


def test_filing_that_ends_in_another_conflict_keeps_the_file_with_the_new_reason(team: CareTeam, doctor: User) -> None:
    first = take_in(film_file(1, mrn="MRN-9", name="Other^Olga"), team).instance
    assert first
    study_uid = first.series.study.study_instance_uid
    (unnamed,) = hold_unnamed(doctor, 2, StudyInstanceUID=study_uid)
    wrong = register(Identity("MRN-5", "", "Wrong^Will"), care_teams=[team], actor=doctor)
    received = decide(unnamed, Decision.ASSIGNED, actor=doctor, patient=wrong)
    assert received and received.code == "study_of_other_patient"
    unnamed.refresh_from_db()
    assert (unnamed.decision, unnamed.reason_code) == ("", "study_of_other_patient")
    assert blobs.exists(unnamed.blob) and QuarantinedFile.objects.count() == 1
    page = browser_of(doctor).get(reverse("imaging:held-file", args=[unnamed.pk])).content.decode()
    assert "Study of another patient" in page and "Olga Other" in page
    right = decide(unnamed, Decision.ASSIGNED, actor=doctor, patient=first.series.study.patient)
    assert right and right.outcome == Outcome.STORED


def test_a_file_that_is_stored_under_another_patient_stays_held(team: CareTeam, doctor: User) -> None:
    unnamed = hold_unnamed(doctor, 1)[0]
    right, wrong = (
        register(Identity(mrn, "", ""), care_teams=[team], actor=doctor) for mrn in ("MRN-RIGHT", "MRN-WRONG")
    )
    with quarantine_decision.open_held(unnamed) as file:
        assert quarantine_decision.receive_decided(file.as_file(), actor=doctor, patient=right).instance
    assert decide(unnamed, Decision.ASSIGNED, actor=doctor, patient=wrong)
    unnamed.refresh_from_db()
    assert (unnamed.decision, unnamed.reason_code) == ("", "stored_for_other_patient")
    assert blobs.exists(unnamed.blob)


def test_who_may_assign_a_file_without_a_patient(
    team: CareTeam, doctor: User, radiologist: User, nurse: User, stranger: User, admin_user: User
) -> None:
    (unnamed,) = hold_unnamed(doctor, 1)
    url = reverse("imaging:held-file", args=[unnamed.pk])
    statuses = [browser_of(user).get(url).status_code for user in (doctor, radiologist, nurse, stranger, admin_user)]
    assert statuses == [200, 200, 404, 404, 200]
    picture = reverse("imaging:held-picture", args=[unnamed.pk])
    download = reverse("imaging:held-download", args=[unnamed.pk])
    assert browser_of(doctor).get(picture)["Content-Type"] == "image/png"
    assert [browser_of(admin_user).get(path).status_code for path in (picture, download)] == [404, 404]
    page = browser_of(admin_user).get(url).content.decode()
    assert "held-picture" not in page and picture not in page and 'value="other"' not in page


def test_the_list_and_the_permission_agree(
    held: QuarantinedFile, doctor: User, radiologist: User, nurse: User, stranger: User, admin_user: User
) -> None:
    hold_unnamed(doctor, 3)
    hold_unnamed(stranger, 4, StudyInstanceUID="1.2.3.4.5")
    rows = list(QuarantinedFile.objects.all())
    assert len(rows) == 3
    for user in (doctor, radiologist, nurse, stranger, admin_user):
        allowed = {row for row in rows if can(user, "imaging.assign_heldfile", row)}
        assert set(quarantined_visible_to(user)) == allowed
        told = {row for row in rows if user in deciders_of(row)}
        assert told <= allowed and (user.role != "doctor" or told == allowed)


def test_an_administrator_assigns_by_exact_mrn_and_does_not_discard(
    team: CareTeam, doctor: User, admin_user: User
) -> None:
    (unnamed,) = hold_unnamed(doctor, 1)
    patient = register(Identity("MRN-77", "", "Exact^Eva"), care_teams=[team], actor=doctor)
    client, url = browser_of(admin_user), reverse("imaging:held-file", args=[unnamed.pk])
    assert "Eva Exact" not in client.post(url, {"decision": "assigned", "search": "Exact"}).content.decode()
    assert "Eva Exact" in client.post(url, {"decision": "assigned", "search": "MRN-77"}).content.decode()
    assert client.post(url, {"decision": "other", "sure": "1"}).status_code == 404
    answer = client.post(url, {"decision": "assigned", "patient": str(patient.pk), "sure": "1"})
    assert answer.status_code == 302 and answer.url == reverse("imaging:held")
    assert Instance.objects.get().series.study.patient == patient


def test_the_download_is_the_file_as_received(doctor: User, team: CareTeam) -> None:
    content = changed(film_file(4), PatientID="")
    receive(io.BytesIO(content), actor=doctor)
    unnamed = QuarantinedFile.objects.get()
    answer = browser_of(doctor).get(reverse("imaging:held-download", args=[unnamed.pk]))
    assert answer.content == content


def test_files_of_one_study_are_decided_on_together(team: CareTeam, doctor: User, radiologist: User) -> None:
    files = hold_unnamed(doctor, 1, 2, 3)
    assert held_together(files[0]).count() == 3
    assert [notice.code for notice in Notice.objects.filter(user=radiologist)] == ["file_held"]
    client = browser_of(doctor)
    assert client.get(reverse("imaging:held")).content.decode().count("Compare and decide") == 1
    patient = register(Identity("MRN-3", "", "Three^Tom"), care_teams=[team], actor=doctor)
    url = reverse("imaging:held-file", args=[files[1].pk])
    confirm = client.post(url, {"decision": "assigned", "patient": str(patient.pk), "together": "1"})
    assert "Tom Three" in confirm.content.decode() and not Instance.objects.exists()
    client.post(url, {"decision": "assigned", "patient": str(patient.pk), "together": "1", "sure": "1"})
    assert Instance.objects.filter(series__study__patient=patient).count() == 3
    assert not QuarantinedFile.objects.filter(decision="").exists()


def test_a_notification_that_nobody_has_read_is_not_repeated(team: CareTeam, doctor: User, radiologist: User) -> None:
    hold_unnamed(doctor, 1)
    hold_unnamed(doctor, 2, StudyInstanceUID="1.2.3.4.5")
    assert Notice.objects.filter(user=radiologist).count() == 1
    assert not Notice.objects.filter(user=doctor).exists()
    mark_read(radiologist)
    hold_unnamed(doctor, 3, StudyInstanceUID="1.2.3.4.6")
    assert Notice.objects.filter(user=radiologist, read_at=None).count() == 1


def test_files_of_two_people_or_studies_are_not_decided_on_together(team: CareTeam, doctor: User) -> None:
    first = hold_unnamed(doctor, 1)[0]
    hold_unnamed(doctor, 2, PatientName="Somebody^Else")
    hold_unnamed(doctor, 3, StudyInstanceUID="1.2.3.4.5.6")
    assert list(held_together(first)) == [first]


def test_a_new_patient_is_registered(team: CareTeam, doctor: User) -> None:
    (unnamed,) = hold_unnamed(doctor, 1)
    client, url = browser_of(doctor), reverse("imaging:held-file", args=[unnamed.pk])
    said = {"decision": "registered", "family_name": "Lindqvist", "given_name": "Åsa", "care_team": str(team.pk)}
    assert client.post(url, {**said, "mrn": ""}).status_code == 422
    answer = client.post(url, {**said, "mrn": "MRN-NEW", "birth_date": "2021-05-04", "sex": "F"})
    assert answer.status_code == 302 and answer.url.startswith("/studies/")
    patient = Patient.objects.get()
    assert (patient.mrn, patient.name, list(patient.care_teams.all())) == ("MRN-NEW", "Lindqvist^Åsa", [team])
    assert Instance.objects.get().series.study.patient == patient


def test_an_mrn_that_exists_registers_nobody(held: QuarantinedFile, team: CareTeam, doctor: User) -> None:
    with pytest.raises(UserError, match="exists already"):
        register_patient(held, Identity("MRN-1"), care_teams=[team], actor=doctor)
    url = reverse("imaging:held-file", args=[held.pk])
    said = {"decision": "registered", "mrn": "MRN-1", "care_team": str(team.pk)}
    answer = browser_of(doctor).post(url, said)
    assert answer.status_code == 422 and "exists already" in answer.content.decode()
    assert Patient.objects.count() == 1


def test_discarding_asks_first(held: QuarantinedFile, browser_client: Client) -> None:
    url = reverse("imaging:held-file", args=[held.pk])
    page = browser_client.post(url, {"decision": "other"}).content.decode()
    assert "cannot be restored" in page and blobs.exists(held.blob)
    assert browser_client.post(url, {"decision": "other", "sure": "1"}).status_code == 302
    assert not blobs.exists(held.blob)


def test_what_differs_from_the_stored_object_is_shown(team: CareTeam, doctor: User) -> None:
    content = film_file(1)
    take_in(content, team)
    take_in(changed(content, StudyDescription="Another description", WindowCenter=None), team)
    held = QuarantinedFile.objects.get()
    assert held.reason_code == "sop_instance_differs"
    page = browser_of(doctor).get(reverse("imaging:held-file", args=[held.pk])).content.decode()
    assert "Another description" in page and "Study Description" in page
    assert "The images are the same" in page and 'value="same"' not in page and 'value="other"' in page
    pixels = bytearray(pydicom.dcmread(io.BytesIO(content)).PixelData)
    pixels[0] ^= 1
    take_in(changed(content, PixelData=bytes(pixels)), team)
    other = QuarantinedFile.objects.exclude(pk=held.pk).get()
    page = browser_of(doctor).get(reverse("imaging:held-file", args=[other.pk])).content.decode()
    assert "The images are different" in page


def test_the_page_compares_and_decides(held: QuarantinedFile, browser_client: Client) -> None:
    url = reverse("imaging:held-file", args=[held.pk])
    page = browser_client.get(url).content.decode()
    assert "Åsa Lindqvist" in page and "Else Somebody" in page
    assert browser_client.post(url, {}).status_code == 200
    answer = browser_client.post(url, {"decision": "same"})
    assert answer.status_code == 302 and answer.url.startswith("/studies/")
    assert "has already decided" in browser_client.get(url).content.decode()


def test_a_file_lost_from_storage_is_said_to_be_lost(held: QuarantinedFile, browser_client: Client) -> None:
    blobs.delete(held.blob)
    url = reverse("imaging:held-file", args=[held.pk])
    assert "cannot be read from storage" in browser_client.get(url).content.decode()
    assert browser_client.post(url, {"decision": "same"}).status_code == 500
    held.refresh_from_db()
    assert not held.decision


def test_what_happens_to_one_file_does_not_stop_the_others(team: CareTeam, doctor: User) -> None:
    files = hold_unnamed(doctor, 1, 2)
    patient = register(Identity("MRN-3", "", ""), care_teams=[team], actor=doctor)
    other = take_in(film_file(8, mrn="MRN-8"), team).instance
    assert other
    Instance.objects.filter(pk=other.pk).update(sop_instance_uid="1.2.3.1")
    decided = decide_together(files, Decision.ASSIGNED, actor=doctor, patient=patient)
    assert (len(decided.filed), len(decided.kept)) == (1, 1)
    files[0].refresh_from_db()
    assert (files[0].decision, files[0].reason_code) == ("", "sop_instance_differs")


def test_a_stored_object_that_was_deleted_is_said_to_be(team: CareTeam, doctor: User) -> None:
    content = film_file(1)
    stored = take_in(content, team).instance
    assert stored
    take_in(changed(content, StudyDescription="Another description"), team)
    held = QuarantinedFile.objects.get()
    Instance.every.filter(pk=stored.pk).update(deleted_at=timezone.now())
    page = browser_of(doctor).get(reverse("imaging:held-file", args=[held.pk])).content.decode()
    assert "was deleted" in page and "Another description" in page
    assert "belongs to another care team" not in page


def test_a_file_can_be_filed_once_the_stored_object_is_gone(team: CareTeam, doctor: User) -> None:
    content = film_file(1)
    stored = take_in(content, team).instance
    assert stored
    take_in(changed(content, StudyDescription="Another description"), team)
    held = QuarantinedFile.objects.get()
    client, url = browser_of(doctor), reverse("imaging:held-file", args=[held.pk])
    assert client.post(url, {"decision": "same"}).status_code == 422
    said = {"decision": "registered", "mrn": "MRN-NEW", "care_team": str(team.pk)}
    assert client.post(url, said).status_code == 422
    assert Patient.objects.count() == 1
    Instance.every.filter(pk=stored.pk).delete()
    assert 'value="same"' in client.get(url).content.decode()
    assert client.post(url, {"decision": "same"}).status_code == 302
    assert Instance.objects.get().series.study.patient == held.patient


def test_a_large_value_that_differs_is_named(team: CareTeam, doctor: User) -> None:
    film = film_file(1)
    for letter in (b"a", b"b"):
        pdf = b"%PDF-1.4 " + letter * (2 * 2**20) + b" "
        take_in(beside(film, EncapsulatedPDFStorage, Modality="DOC", EncapsulatedDocument=pdf), team)
    held = QuarantinedFile.objects.get()
    page = browser_of(doctor).get(reverse("imaging:held-file", args=[held.pk])).content.decode()
    assert "Encapsulated Document" in page and "2097162 B" in page
    assert "The images are" not in page


def test_a_study_of_another_patient_can_be_filed_under_its_record(team: CareTeam, doctor: User) -> None:
    first = take_in(film_file(1, mrn="MRN-A", identity=["same study"]), team).instance
    assert first
    second = changed(film_file(2, mrn="MRN-B"), StudyInstanceUID=first.series.study.study_instance_uid)
    assert take_in(second, team).code == "study_of_other_patient"
    held = QuarantinedFile.objects.get()
    page = browser_of(doctor).get(reverse("imaging:held-file", args=[held.pk])).content.decode()
    assert "MRN-A" in page and "MRN-B" in page and 'value="same"' in page
    received = decide(held, Decision.SAME, actor=doctor)
    assert received and received.instance and received.instance.series.study == first.series.study


def test_what_a_user_types_cannot_part_a_name(team: CareTeam, doctor: User) -> None:
    (unnamed,) = hold_unnamed(doctor, 1)
    said = {"mrn": "M", "family_name": "A^B=C", "given_name": "D", "care_team": str(team.pk)}
    form = RegisterForm(said, quarantined=unnamed, user=doctor)
    assert form.is_valid() and form.identity().name == "A B C^D"


def test_the_stored_object_of_another_team_is_not_shown(team: CareTeam, doctor: User) -> None:
    (unnamed,) = hold_unnamed(doctor, 1)
    elsewhere = CareTeam.objects.create(name="Another ward")
    other = take_in(film_file(8, mrn="MRN-8", name="Secret^Sam"), elsewhere).instance
    assert other
    Instance.objects.filter(pk=other.pk).update(sop_instance_uid="1.2.3.1")
    patient = register(Identity("MRN-3", "", ""), care_teams=[team], actor=doctor)
    decide(unnamed, Decision.ASSIGNED, actor=doctor, patient=patient)
    page = browser_of(doctor).get(reverse("imaging:held-file", args=[unnamed.pk])).content.decode()
    assert "Differs from the stored object" not in page and "another care team" in page
    assert "MRN-8" not in page and "Secret" not in page


def test_the_same_unnamed_file_of_two_users_is_held_for_each(team: CareTeam, doctor: User) -> None:
    other_team = CareTeam.objects.create(name="Another ward")
    other = UserFactory(teams=[other_team])
    content = changed(film_file(4), PatientID="")
    for user in (doctor, doctor, other):
        receive(io.BytesIO(content), actor=user)
    assert QuarantinedFile.objects.count() == 2


def test_no_claimed_identity_outlives_the_decision_on_an_unnamed_file(doctor: User, team: CareTeam) -> None:
    (unnamed,) = hold_unnamed(doctor, 1)
    decide(unnamed, Decision.OTHER, actor=doctor)
    row = QuarantinedFile.objects.get()
    assert (row.claimed_name, row.claimed_birth_date, row.headers) == ("", None, {})


def test_real_files_with_one_uid_and_other_content(team: CareTeam, doctor: User) -> None:
    folder = SHARED.parent / "cases" / "dicom" / "same_uid_other_content"
    if not folder.is_dir():
        pytest.skip("the shared cases do not lie beside the project")
    outcomes = [take_in(path.read_bytes(), team).outcome for path in sorted(folder.glob("*.dcm"))]
    assert outcomes == [Outcome.STORED, Outcome.HELD]
    url = reverse("imaging:held-file", args=[QuarantinedFile.objects.get().pk])
    assert "What differs" in browser_of(doctor).get(url).content.decode()
