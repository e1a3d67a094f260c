"""Sealed containers: any range comes back, and nothing that was moved, cut or exchanged opens."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.protection import blobs, containers, keys
from apps.protection.containers import PIECE_BYTES, SealedContainer
from apps.protection.keys import CannotOpen

CONTENT = os.urandom(2 * PIECE_BYTES + 1000)


def write(name: str, content: bytes = CONTENT, **options: object) -> None:
    containers.write(name, io.BytesIO(content), holder="h", **options)  # type: ignore[arg-type]


def test_a_content_comes_back_and_is_sealed_on_disk(sealed_store: Path) -> None:
    write("a/b", b"the content" * 9, index=b"the index", cuts=[11, 40, 4000])
    with SealedContainer("a/b", holder="h") as file:
        assert (file.read(), file.index, file.size) == (b"the content" * 9, b"the index", 99)
        assert [len(piece) for piece in file.pieces()] == [11, 29, 59]
    stored = (sealed_store / "a/b").read_bytes()
    assert b"the content" not in stored and b"the index" not in stored


@pytest.mark.parametrize("content", [b"", b"x", CONTENT[:PIECE_BYTES], CONTENT])
def test_contents_of_every_length_come_back(content: bytes) -> None:
    write("a", content)
    with SealedContainer("a", holder="h") as file:
        assert b"".join(file.pieces()) == content and file.read() == content and file.read() == b""


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 700), max_size=8),
    st.lists(st.tuples(st.integers(0, 700), st.integers(0, 700)), min_size=1, max_size=8),
)
def test_every_range_is_the_contents_own(cuts: list[int], ranges: list[tuple[int, int]]) -> None:
    content = CONTENT[:600]
    write("ranges", content, cuts=cuts)
    with SealedContainer("ranges", holder="h") as file:
        for start, length in ranges:
            assert file.read_range(start, length) == content[start : start + length]
            file.seek(start)
            assert file.read(length) == content[start : start + length]


def test_only_what_is_read_is_decrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    write("frames", CONTENT[:50_000], cuts=range(0, 50_000, 100))
    opened = []
    real = keys.open_sealed
    monkeypatch.setattr(
        keys, "open_sealed", lambda holder, sealed, place: opened.append(place) or real(holder, sealed, place)
    )
    with SealedContainer("frames", holder="h") as file:
        assert file.read_range(31_700, 100) == CONTENT[31_700:31_800]
    assert opened == ["container:frames:table", "container:frames:317"]


def test_memory_stays_flat(tmp_path: Path) -> None:
    import tracemalloc

    big = tmp_path / "big"
    with big.open("wb") as file:
        file.truncate(64 * 2**20)
    tracemalloc.start()
    try:
        with big.open("rb") as source:
            containers.write("big", source, holder="h")
        with SealedContainer("big", holder="h") as stored:
            assert sum(len(piece) for piece in stored.pieces()) == 64 * 2**20
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 12 * PIECE_BYTES


def test_a_container_moved_to_another_name_or_holder_does_not_open(sealed_store: Path) -> None:
    write("one")
    blobs.write("two", b"2", holder="other")
    with pytest.raises(CannotOpen):
        SealedContainer("one", holder="other")
    (sealed_store / "one").rename(sealed_store / "moved")
    with pytest.raises(CannotOpen):
        SealedContainer("moved", holder="h")


def test_damage_is_never_read_as_content(sealed_store: Path) -> None:
    """Each byte matters: cut anywhere, or changed anywhere, the container or the piece does not open."""
    content = CONTENT[:300]
    write("whole", content, cuts=[100, 200])
    path = sealed_store / "whole"
    stored = path.read_bytes()
    for place in range(len(stored)):
        for damaged in (stored[:place], stored[:place] + bytes([stored[place] ^ 1]) + stored[place + 1 :]):
            path.write_bytes(damaged)
            try:
                with SealedContainer("whole", holder="h") as file:
                    assert file.read() == content and place < len(containers.MAGIC)
            except CannotOpen:
                continue


def test_pieces_exchanged_do_not_open(sealed_store: Path) -> None:
    write("two pieces", CONTENT[:200], cuts=[100])
    path = sealed_store / "two pieces"
    stored, start, length = path.read_bytes(), len(containers.MAGIC), 100 + 33
    first, second = stored[start : start + length], stored[start + length : start + 2 * length]
    path.write_bytes(stored[:start] + second + first + stored[start + 2 * length :])
    with SealedContainer("two pieces", holder="h") as file, pytest.raises(CannotOpen):
        file.read()


def test_a_container_moves_to_a_new_key(sealed_store: Path) -> None:
    write("a", CONTENT[:500], index=b"index", cuts=[77])
    before = (sealed_store / "a").read_bytes()
    assert not blobs.reseal("a", holder="h")
    keys.renew("h")
    assert blobs.reseal("a", holder="h") and not blobs.reseal("a", holder="h")
    keys.drop_old("h")
    with SealedContainer("a", holder="h") as file:
        assert (file.read(), file.index) == (CONTENT[:500], b"index")
        assert [len(piece) for piece in file.pieces()] == [77, 423]
    assert (sealed_store / "a").read_bytes() != before
