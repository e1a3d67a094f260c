"""Search for studies, series and instances by DICOM attributes, within what the actor may see.

Plain columns are compared by the database. Sealed values are first narrowed down by blind indexes, then decrypted and
compared, so an answer never holds a false match. What the indexes cannot narrow down to a few rows is refused rather
than answered by decrypting the archive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db.models import Q, QuerySet

from apps.accounts.actors import Actor
from apps.imaging.access import visible_study_filter
from apps.imaging.dicom.query import Condition, InvalidQuery, Query
from apps.imaging.dicom.query_attributes import Level
from apps.imaging.matching import series_checks, study_checks
from apps.imaging.models import Instance, Series, Study
from apps.imaging.plain_conditions import PREFIXES, plain_condition
from apps.imaging.preselection import Preselection, preselect
from apps.protection import keys

MAX_EXAMINED = 5_000
"""Rows whose sealed values are decrypted for one answer, at most."""
BATCH = 250
MAX_COUNTED = 1_000

Row = Study | Series | Instance


class TooBroad(InvalidQuery):
    """The query leaves too many rows that can be compared only after decryption."""


@dataclass
class Results:
    """A page of results.

    Attributes:
        remaining: how many more there are, counted to MAX_COUNTED; -1 if there are more and they were not counted.
    """

    rows: list[Any]
    remaining: int = 0
    studies: list[Study] = field(default_factory=list)


def search(query: Query, level: Level, *, actor: Actor, count: bool = False) -> Results:
    """Return a page of the studies, series or instances that match, those of the newest studies first.

    Args:
        count: whether to count the results that follow the page.

    Raises:
        TooBroad: if sealed values of more than MAX_EXAMINED rows had to be compared.
    """
    conditions = list(query.conditions.values())
    narrowed = preselect(query, actor)
    plain = _plain(conditions, level, narrowed)
    rows = _ordered(_base(level).filter(_visible(level, actor), *plain), level)
    rows = rows.filter(narrowed.condition(PREFIXES[level][Level.STUDY]))
    checks = _checks(query, level, narrowed)
    if not checks:
        page = list(rows[query.offset : query.offset + query.limit + 1])
        remaining = _count_rest(rows, query) if count and len(page) > query.limit else 0
        return _results(page, query, level, remaining)
    matching = islice(_examined(rows, checks, level), query.offset, query.offset + query.limit + 1)
    return _results(list(matching), query, level, -1)


def _results(page: list[Any], query: Query, level: Level, remaining: int) -> Results:
    rows = page[: query.limit]
    return Results(
        rows, remaining if len(page) > query.limit else 0, list({s.pk: s for s in map(_study, rows)}.values())
    )


def _study(row: Row) -> Study:
    if isinstance(row, Study):
        return row
    return row.study if isinstance(row, Series) else row.series.study


def _base(level: Level) -> QuerySet[Any]:
    """Return the rows; patients come in a query of their own: joined, SQLite starts from them and sorts everything."""
    if level is Level.STUDY:
        return Study.objects.prefetch_related("patient")
    if level is Level.SERIES:
        return Series.objects.select_related("study").prefetch_related("study__patient")
    rows = Instance.objects.select_related("series__study").prefetch_related("series__study__patient")
    return rows.defer("content_digest")


def _visible(level: Level, actor: Actor) -> Q:
    return visible_study_filter(actor, f"{PREFIXES[level][Level.STUDY]}patient_id")


def _ordered(rows: QuerySet[Any], level: Level) -> QuerySet[Any]:
    study, series = PREFIXES[level][Level.STUDY], PREFIXES[level][Level.SERIES]
    order = [f"-{study}sort_date", f"-{study}id"]
    if level >= Level.SERIES:
        order += [f"{series}number", f"{series}series_instance_uid", f"{series}id"]
    if level is Level.INSTANCE:
        order += ["number", "sop_instance_uid"]
    return rows.order_by(*order)


def _plain(conditions: list[Condition], level: Level, narrowed: Preselection) -> Iterator[Q]:
    by_path = {condition.attribute.path: condition for condition in conditions}
    for condition in conditions:
        plain = plain_condition(condition, by_path, level, broad=condition.attribute.path in narrowed.broad)
        if plain is not None:
            yield plain


def _checks(query: Query, level: Level, narrowed: Preselection) -> list[Callable[[Row], bool]]:
    """Return the predicates on sealed values that are left to compare."""
    left = [condition for path, condition in query.conditions.items() if path not in narrowed.settled]
    checks: list[Callable[[Row], bool]] = [
        lambda row, check=check: check(_study(row))  # type: ignore[misc]
        for check in study_checks(left, fuzzy=query.fuzzy)
    ]
    checks += [
        lambda row, check=check: check(row if isinstance(row, Series) else row.series)  # type: ignore[misc,union-attr]
        for check in series_checks(left)
    ]
    return checks


def _examined(rows: QuerySet[Any], checks: list[Callable[[Row], bool]], level: Level) -> Iterator[Any]:
    """Yield the rows that all predicates accept.

    Raises:
        TooBroad: after MAX_EXAMINED rows.
    """
    iterator = rows[: MAX_EXAMINED + 1].iterator(chunk_size=BATCH)
    examined = 0
    while batch := list(islice(iterator, BATCH)):
        keys.warm({row.key_holder for row in batch})
        for row in batch:
            examined += 1
            if examined > MAX_EXAMINED:
                raise TooBroad(
                    f"more than {MAX_EXAMINED} objects would have to be decrypted: add a date range, a complete "
                    "PatientID or AccessionNumber, or at least two characters of a name before the first wildcard"
                )
            if all(check(row) for check in checks):
                yield row


def _count_rest(rows: QuerySet[Any], query: Query) -> int:
    start = query.offset + query.limit
    return rows[start : start + MAX_COUNTED + 1].count()
