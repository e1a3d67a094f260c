from __future__ import annotations

from pathlib import Path

import pytest

from apps.accounts.models import CareTeam
from apps.imaging.queries import frame_bytes
from apps.protection import blobs, keys
from apps.protection.keys import CannotOpen
from tests.factories import film_file, take_in


def test_a_blob_comes_back_and_is_sealed_on_disk(sealed_store: Path) -> None:
    blobs.write("a/b", b"the content", holder="h")
    assert blobs.read("a/b", holder="h") == b"the content"
    assert blobs.exists("a/b")
    assert b"the content" not in (sealed_store / "a/b").read_bytes()


def test_a_blob_can_be_replaced_and_removed() -> None:
    blobs.write("a", b"1", holder="h")
    blobs.write("a", b"2", holder="h")
    assert blobs.read("a", holder="h") == b"2"
    blobs.delete("a")
    blobs.delete("a")
    with pytest.raises(FileNotFoundError):
        blobs.read("a", holder="h")


def test_a_blob_moved_to_another_name_does_not_open(sealed_store: Path) -> None:
    blobs.write("one", b"1", holder="h")
    (sealed_store / "one").rename(sealed_store / "two")
    with pytest.raises(CannotOpen):
        blobs.read("two", holder="h")


def test_a_blob_of_another_holder_does_not_open() -> None:
    blobs.write("one", b"1", holder="h")
    blobs.write("two", b"2", holder="other")
    with pytest.raises(CannotOpen):
        blobs.read("one", holder="other")


def test_one_frame_of_many_is_opened_alone(team: CareTeam, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading one frame of an object with 500 opens that frame's blob and no other."""
    instance = take_in(film_file(), team).instance
    assert instance
    instance.frames = 500
    for number in range(2, 501):
        blobs.write(instance.frame_blob(number), b"frame %d" % number, holder=instance.key_holder)
    opened = []
    real = keys.open_sealed
    monkeypatch.setattr(
        keys, "open_sealed", lambda holder, sealed, place: opened.append(place) or real(holder, sealed, place)
    )
    assert frame_bytes(instance, 317) == b"frame 317"
    assert opened == [f"blob:{instance.frame_blob(317)}"]
    assert "frame-317" in opened[0] and instance.sop_instance_uid in opened[0]
