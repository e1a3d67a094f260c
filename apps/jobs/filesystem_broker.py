"""A filesystem broker for Celery without kombu's race conditions; the default for single-machine sites.

kombu's transport creates a message's file under its final name and then writes it. A worker that polls in between reads
an empty file, fails to decode it and exits (github.com/celery/kombu/issues/1551); the bindings file has the same race.
Here a message is renamed into place once complete, and bindings are read and written under a lock. A message that still
cannot be decoded is logged and dropped: the job's row is authoritative, and the sweeper sends the task again.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from json import JSONDecodeError
from pathlib import Path
from time import monotonic
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.encoding import str_to_bytes
from kombu.utils.json import dumps

logger = logging.getLogger(__name__)
locking: Any = filesystem
"""Its file lock also works on Windows; the type stubs lack it."""


class Channel(filesystem.Channel):
    """A channel that writes messages atomically and creates its folders."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for folder in (self.data_folder_in, self.control_folder):
            Path(folder).mkdir(parents=True, exist_ok=True, mode=0o700)

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]
        name = f"{round(monotonic() * 1000)}_{uuid.uuid4()}"
        folder = Path(self.data_folder_out)
        hidden = folder / f".{name}"
        try:
            hidden.write_bytes(str_to_bytes(dumps(payload)))
            hidden.replace(folder / f"{name}.{queue}.msg")
        except OSError as error:
            raise ChannelError(f"cannot add a message to {folder}") from error

    def _get(self, queue: str) -> Any:  # type: ignore[override]
        while True:
            try:
                return super()._get(queue)
            except (JSONDecodeError, UnicodeDecodeError) as error:
                logger.error("dropped an undecodable message of the queue %s (%s)", queue, type(error).__name__)

    def get_table(self, exchange: str) -> Any:
        with self._locked(locking.LOCK_SH):
            return super().get_table(exchange)

    def _queue_bind(self, *args: Any) -> None:
        with self._locked(locking.LOCK_EX):
            super()._queue_bind(*args)

    @contextmanager
    def _locked(self, how: Any) -> Iterator[None]:
        folder = Path(self.control_folder)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("ab") as file:
            locking.lock(file, how)
            try:
                yield
            finally:
                locking.unlock(file)


class Transport(filesystem.Transport):
    """The transport; referenced in the settings as ``apps.jobs.filesystem_broker:Transport``."""

    Channel = Channel
