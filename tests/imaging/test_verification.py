"""What is stored is verified; what is wrong is said; what belongs to nobody goes after a time of grace."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path

import pydicom
import pytest
from django.core.management import CommandError, call_command

from apps.accounts.actors import System
from apps.accounts.models import AuditEntry, CareTeam
from apps.imaging import verification
from apps.imaging.models import ArchiveVerification, Instance, QuarantinedFile
from apps.imaging.verification import verify_archive
from apps.protection import containers
from tests.factories import film_file, take_in

ACTOR = System("test")


@pytest.fixture
def films(team: CareTeam) -> list[Instance]:
    for seed in range(1, 6):
        take_in(film_file(seed, size=64), team)
    return list(Instance.objects.order_by("pk"))


def file_of(store: Path, row: Instance | QuarantinedFile) -> Path:
    return store / row.blob


def film_uid(content: bytes) -> str:
    return str(pydicom.dcmread(io.BytesIO(content)).SOPInstanceUID)


def age(path: Path, seconds: float = 90_000) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


def test_a_sound_archive_is_verified(films: list[Instance], team: CareTeam) -> None:
    take_in(film_file(9, name="Somebody^Else", size=64), team)
    run = verify_archive(actor=ACTOR)
    assert (run.checked, run.problems, run.orphans) == (6, [], 0)
    assert AuditEntry.objects.get(action="archive.verified").facts["checked"] == 6


def test_each_kind_of_damage_is_told(films: list[Instance], sealed_store: Path) -> None:
    lost, cut, exchanged, replaced, _sound = films
    file_of(sealed_store, lost).unlink()
    path = file_of(sealed_store, cut)
    path.write_bytes(path.read_bytes()[:-100])
    path = file_of(sealed_store, exchanged)
    content = bytearray(path.read_bytes())
    content[200] ^= 1
    path.write_bytes(bytes(content))
    containers.write(replaced.blob, io.BytesIO(b"other"), holder=replaced.key_holder)
    run = verify_archive(actor=ACTOR)
    told = {problem["id"]: problem["problem"] for problem in run.problems}
    assert told == {
        str(lost.pk): "lost",
        str(cut.pk): "damaged",
        str(exchanged.pk): "damaged",
        str(replaced.pk): "differs",
    }


def test_what_was_lost_or_damaged_is_mended_when_it_is_sent_again(
    films: list[Instance], sealed_store: Path, team: CareTeam
) -> None:
    lost, cut, held, *_sound = films
    contents = {film_uid(content): content for content in (film_file(seed, size=64) for seed in range(1, 6))}
    for row in films[:3]:
        path = file_of(sealed_store, row)
        path.write_bytes(path.read_bytes()[:-100])
    file_of(sealed_store, lost).unlink()
    for row in (lost, cut):
        assert take_in(contents[row.sop_instance_uid], team).code == "duplicate"
    assert {problem["id"] for problem in verify_archive(actor=ACTOR).problems} == {str(held.pk)}
    other_preamble = b"x" + contents[held.sop_instance_uid][1:]
    assert take_in(other_preamble, team).code == "sop_instance_differs"  # kept, for it cannot be compared


def test_a_file_without_a_row_goes_after_the_time_of_grace(films: list[Instance], sealed_store: Path) -> None:
    kept = file_of(sealed_store, films[0])
    young, old, part = (kept.with_name(name) for name in ("0" * 32, "1" * 32, ".part-abc"))
    for path in (young, old, part):
        path.write_bytes(b"sealed")
    for path in (old, part, kept):
        age(path)
    counted = verify_archive(actor=ACTOR, delete_orphans=False)
    assert (counted.orphans, counted.orphan_bytes, old.exists()) == (2, 12, True)
    run = verify_archive(actor=ACTOR)
    assert (run.orphans, old.exists(), part.exists(), young.exists(), kept.exists()) == (2, False, False, True, True)


def test_an_interrupted_verification_goes_on(films: list[Instance], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "BATCH", 2)
    seen: list[str] = []
    real = verification.problem_of

    def dies_at_the_fourth(row: Instance) -> str:
        seen.append(str(row.pk))
        if len(seen) == 4:
            raise KeyboardInterrupt
        return real(row)

    monkeypatch.setattr(verification, "problem_of", dies_at_the_fourth)
    with pytest.raises(KeyboardInterrupt):
        verify_archive(actor=ACTOR)
    run = verify_archive(actor=ACTOR)
    # The batch that was interrupted is checked again; what was done before it is not.
    assert [str(film.pk) for film in films] == [*seen[:2], *seen[4:]]
    assert run.finished_at and ArchiveVerification.objects.count() == 1


def test_the_command_says_what_to_do(films: list[Instance], sealed_store: Path) -> None:
    out, problems = io.StringIO(), io.StringIO()
    call_command("archive", "verify", stdout=out)
    assert "5 files verified, 0 with problems" in out.getvalue()
    file_of(sealed_store, films[2]).unlink()
    with pytest.raises(CommandError, match="1 files"):
        call_command("archive", "verify", stdout=out, stderr=problems)
    assert films[2].sop_instance_uid in problems.getvalue() and "restore it" in problems.getvalue()
