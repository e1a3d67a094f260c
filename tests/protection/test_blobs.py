from __future__ import annotations

from pathlib import Path

import pytest

from apps.protection import blobs
from apps.protection.keys import CannotOpen


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
