"""Vectors of cases and the nearest among those that somebody may see."""

from __future__ import annotations

import io
import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import QuerySet
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.notes.models import CaseVector, Concept
from apps.patients.access import permitted_filter
from apps.patients.models import Purpose
from apps.protection import blobs
from apps.records.access import models_permitted, visible_to
from apps.records.models import Case

logger = logging.getLogger(__name__)
Vector = npt.NDArray[np.float32]
MOST = 100_000
"""Newest cases that are compared: opened vectors of these are kept in memory."""
LEAST = 0.2
"""Cosine below this is no likeness."""
_KEPT: OrderedDict[tuple[object, object], Vector] = OrderedDict()


@dataclass(frozen=True)
class SimilarCase:
    """A case that resembles another one, and in what."""

    case: Case
    likeness: float
    shared: list[str]

    @property
    def percent(self) -> float:
        """Cosine likeness in percent."""
        return 100 * self.likeness


def remember(case: Case, vector: npt.NDArray[np.floating], *, parts: list[str], maker: str) -> None:
    """Keep what a case is like."""
    row = CaseVector.objects.filter(case=case).first() or CaseVector(case=case)
    row.parts, row.maker, row.made_at = parts, maker, timezone.now()
    buffer = io.BytesIO()
    np.save(buffer, vector.astype(np.float32), allow_pickle=False)
    blobs.write(row.blob, buffer.getvalue(), holder=row.key_holder)
    row.save()


def nearest(actor: Actor | None, case: Case, *, limit: int = 5) -> list[SimilarCase]:
    """Other patients' cases that the actor sees, most alike first, with what both speak of.

    Exact search over the vectors of the cases that are visible: an approximate index over all cases would have to be
    filtered afterwards, and a doctor who sees few would be shown fewer still (tests/benchmarks/similarity.py).
    """
    own = CaseVector.objects.filter(case=case).select_related("case").first()
    if own is None or not models_permitted(case.patient):
        return []
    seen = visible_to(actor).filter(permitted_filter(Purpose.AI, "patient__")).exclude(patient=case.patient_id)
    rows = list(_rows(seen, own.maker))
    table = _table(rows)
    if not len(table):
        return []
    mine = _vector(own)
    likeness = table @ mine
    best = [int(place) for place in np.argsort(-likeness)[:limit] if likeness[place] >= LEAST]
    wanted = _concepts([case])
    return [
        SimilarCase(rows[place].case, float(likeness[place]), sorted(wanted & _concepts([rows[place].case]))[:6])
        for place in best
    ]


def search(table: npt.NDArray[np.float32], wanted: Vector, count: int) -> npt.NDArray[np.intp]:
    """The places of the rows that are nearest, nearest first; exact, in one pass."""
    likeness = table @ wanted
    best = np.argpartition(-likeness, min(count, len(table) - 1))[:count]
    return np.asarray(best[np.argsort(-likeness[best])])


def _rows(seen: QuerySet[Case], maker: str) -> QuerySet[CaseVector]:
    rows = CaseVector.objects.filter(case__in=seen, maker=maker).select_related("case__patient")
    return rows.order_by("-made_at")[:MOST]


def _table(rows: Sequence[CaseVector]) -> npt.NDArray[np.float32]:
    return np.stack([_vector(row) for row in rows]) if rows else np.zeros((0, 1), dtype=np.float32)


def _vector(row: CaseVector) -> Vector:
    """Opened once a process and version of the vector; the holder's key is asked for each time it is opened."""
    key = (row.pk, row.made_at)
    if key not in _KEPT:
        stored: Any = np.load(io.BytesIO(blobs.read(row.blob, holder=row.key_holder)), allow_pickle=False)
        _KEPT[key] = np.asarray(stored, dtype=np.float32)
        while len(_KEPT) > MOST:
            _KEPT.popitem(last=False)
    return _KEPT[key]


def forget() -> None:
    """Drop opened vectors, as after an erasure."""
    _KEPT.clear()


def _concepts(cases: Sequence[Case]) -> set[str]:
    """What the notes of these cases affirm, by the lexicon's codes."""
    rows = Concept.objects.filter(
        reading__note__case__in=cases, negated=False, family=False, kind__in=["problem", "symptom"]
    )
    return {row.details["concept"] for row in rows.select_related("reading__note__case") if row.details.get("concept")}
