"""The embedded broker: messages appear whole, and what cannot be read stops no worker."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection

MESSAGES = 400


def connection(folder: Path) -> Connection:
    options = {
        "data_folder_in": str(folder / "messages"),
        "data_folder_out": str(folder / "messages"),
        "control_folder": str(folder / "control"),
    }
    return Connection("filesystem://", transport="apps.jobs.filesystem_broker:Transport", transport_options=options)


def ring(folder: Path, first: int) -> None:
    """What a web process does."""
    with connection(folder) as bell:
        queue = bell.SimpleQueue("short")
        for number in range(first, first + MESSAGES):
            queue.put({"number": number})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "messages").mkdir()
    (tmp_path / "control").mkdir()
    return tmp_path


def test_nothing_is_lost_or_torn_while_two_ring_and_one_listens(folder: Path) -> None:
    ringing = [
        multiprocessing.get_context("spawn").Process(target=ring, args=(folder, first)) for first in (0, MESSAGES)
    ]
    for process in ringing:
        process.start()
    heard: set[int] = set()
    with connection(folder) as bell:
        queue = bell.SimpleQueue("short")
        while len(heard) < 2 * MESSAGES:
            message = queue.get(timeout=60)
            heard.add(message.payload["number"])
            message.ack()
    for process in ringing:
        process.join(10)
    assert heard == set(range(2 * MESSAGES)) and not list((folder / "messages").iterdir())


def test_a_torn_message_is_dropped_with_a_word(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with connection(folder) as bell:
        queue = bell.SimpleQueue("torn")  # kombu keeps bindings by name in the process
        (folder / "messages" / "0_first.torn.msg").write_bytes(b"")
        queue.put({"number": 1})
        assert queue.get(timeout=5).payload == {"number": 1}
        with pytest.raises(Empty):
            queue.get_nowait()
    assert "dropped an undecodable message of the queue torn" in caplog.text
