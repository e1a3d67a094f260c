"""Engine ``events``: prediction of the next event of a sequence."""

from __future__ import annotations

from apps.inference.engines.registry import Engine, schema_beside
from apps.inference.packages.card import EVENTS

ENGINE = Engine(
    runtime="events",
    task=EVENTS,
    schema=schema_beside(__file__),
    loader="apps.inference.engines.event_sequence.model:read_events",
)
