"""Similar-case search: nearest neighbours among the case vectors the actor may see."""

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
MAX_CASES = 100_000
"""Newest cases that are compared; their decrypted vectors are cached in memory."""
MIN_SIMILARITY = 0.2
"""Minimum cosine similarity of a result."""
_CACHE: OrderedDict[tuple[object, object], Vector] = OrderedDict()


@dataclass(frozen=True)
class SimilarCase:
    """A similar case, its cosine similarity and the concepts both share."""

    case: Case
    likeness: float
    shared: list[str]

    @property
    def percent(self) -> float:
        """Cosine similarity in percent."""
        return 100 * self.likeness


def store_case_vector(case: Case, vector: npt.NDArray[np.floating], *, parts: list[str], maker: str) -> None:
    """Store a case's similarity vector.

    Args:
        parts: the modalities that went in, ``image`` and ``text``.
        maker: name of the encoder; vectors of different encoders are never compared.
    """
    row = CaseVector.objects.filter(case=case).first() or CaseVector(case=case)
    row.parts, row.maker, row.made_at = parts, maker, timezone.now()
    buffer = io.BytesIO()
    np.save(buffer, vector.astype(np.float32), allow_pickle=False)
    blobs.write(row.blob, buffer.getvalue(), holder=row.key_holder)
    row.save()


def nearest(actor: Actor | None, case: Case, *, limit: int = 5) -> list[SimilarCase]:
    """The most similar visible cases of other patients, with the concepts they share.

    Exact search over the visible cases only: results of an approximate index over all cases would have to be filtered
    afterwards, and a physician who sees few cases would get even fewer results (tests/benchmarks/similarity.py).
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
    best = [int(index) for index in np.argsort(-likeness)[:limit] if likeness[index] >= MIN_SIMILARITY]
    wanted = _concepts([case])
    return [
        SimilarCase(rows[index].case, float(likeness[index]), sorted(wanted & _concepts([rows[index].case]))[:6])
        for index in best
    ]


def search(table: npt.NDArray[np.float32], wanted: Vector, count: int) -> npt.NDArray[np.intp]:
    """Indices of the ``count`` rows most similar to ``wanted``, most similar first; exact."""
    likeness = table @ wanted
    best = np.argpartition(-likeness, min(count, len(table) - 1))[:count]
    return np.asarray(best[np.argsort(-likeness[best])])


def _rows(seen: QuerySet[Case], maker: str) -> QuerySet[CaseVector]:
    rows = CaseVector.objects.filter(case__in=seen, maker=maker).select_related("case__patient")
    return rows.order_by("-made_at")[:MAX_CASES]


def _table(rows: Sequence[CaseVector]) -> npt.NDArray[np.float32]:
    return np.stack([_vector(row) for row in rows]) if rows else np.zeros((0, 1), dtype=np.float32)


def _vector(row: CaseVector) -> Vector:
    """The decrypted vector, cached per process and version; each decryption asks for the key holder's key."""
    key = (row.pk, row.made_at)
    if key not in _CACHE:
        stored: Any = np.load(io.BytesIO(blobs.read(row.blob, holder=row.key_holder)), allow_pickle=False)
        _CACHE[key] = np.asarray(stored, dtype=np.float32)
        while len(_CACHE) > MAX_CASES:
            _CACHE.popitem(last=False)
    return _CACHE[key]


def forget() -> None:
    """Drop the cached vectors, for example after an erasure."""
    _CACHE.clear()


def _concepts(cases: Sequence[Case]) -> set[str]:
    """Lexicon codes of the problems and symptoms that the cases' notes affirm."""
    rows = Concept.objects.filter(
        reading__note__case__in=cases, negated=False, family=False, kind__in=["problem", "symptom"]
    )
    return {row.details["concept"] for row in rows.select_related("reading__note__case") if row.details.get("concept")}
