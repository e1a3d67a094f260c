"""Reading notes, a long case's pages, and finding alike cases: exact search against an index."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import faiss
import numpy as np
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.cases.services import open_case
from apps.inference.engines.sentence_head.encoder import encoder
from apps.notes.nlp.reader import read
from apps.notes.similar_cases import search
from apps.patients.models import Patient
from apps.records import event_log
from apps.records.models import Case, Event, EventKind
from tests.benchmarks.table import Row, median_seconds

EVENTS = 10_000
SIZES = (1_000, 100_000, 1_000_000)
WIDTH, WANTED = 384, 10
QUERIES = 20
NOTES = Path(__file__).resolve().parents[3] / "shared/data/notes/transcriptions.csv"


def measure() -> Iterator[Row]:
    """After the worklist, which makes the databases."""
    yield from _reading()
    yield from _pages()
    for size in SIZES:
        yield from _alike(size)


def _reading() -> Iterator[Row]:
    import pandas as pd

    if not NOTES.is_file():
        return
    texts = [text for text in pd.read_csv(NOTES)["transcription"].head(120) if isinstance(text, str)]
    read(texts[0])
    seconds = median_seconds(lambda: [read(text) for text in texts], runs=3, warmup=0)
    letters = sum(map(len, texts)) / len(texts)
    yield Row(f"notes read a second ({letters:,.0f} letters each)", f"{len(texts) / seconds:.0f}")
    maker = encoder()
    sentences = [text[start:end] for text in texts[:20] for start, end in read(text).sentences]
    maker.encode(sentences[:8])
    seconds = median_seconds(lambda: maker.encode(sentences), runs=1, warmup=0)
    yield Row(f"sentences to vectors a second, {maker.name}", f"{len(sentences) / seconds:.0f}")


def _pages() -> Iterator[Row]:
    doctor = User.objects.get(username="bench")
    patient = Patient.objects.filter(care_teams__members=doctor).first()
    assert patient is not None
    case = open_case(patient, title="Bench", started_at=timezone.now() - timedelta(days=40), actor=doctor)
    event_log.store_events(_event(case, number) for number in range(EVENTS))
    client = Client()
    client.force_login(doctor)
    for part in ("overview", "timeline", "notes", "values", "risk"):
        url = reverse(f"cases:{part}", args=[case.pk])
        milliseconds = 1000 * median_seconds(lambda url=url: client.get(url), runs=9)  # type: ignore[misc]
        yield Row(f"case, {EVENTS:,} events, {part}, ms", f"{milliseconds:.0f}", "limit: 100", milliseconds / 100)


def _event(case: Case, number: int) -> Event:
    at = case.started_at + timedelta(minutes=5 * number)
    return event_log.build_event(
        case,
        EventKind.VALUE,
        "value.8867-4",
        at=at,
        subject=f"value:{number}",
        what="x",
        value="80",
        unit="/min",
        code_of="8867-4",
    )


def _alike(size: int) -> Iterator[Row]:
    """Drawn vectors in clusters, as notes of the same illness are."""
    rng = np.random.default_rng(size)
    centres = rng.normal(size=(200, WIDTH)).astype(np.float32)
    table = centres[rng.integers(0, len(centres), size)]
    table += rng.normal(scale=0.8, size=table.shape).astype(np.float32)
    table /= np.linalg.norm(table, axis=1, keepdims=True)
    wanted = table[rng.integers(0, size, QUERIES)] + rng.normal(scale=0.02, size=(QUERIES, WIDTH)).astype(np.float32)
    truth, exact = _timed(lambda query: search(table, query, WANTED), wanted)
    started = time.perf_counter()
    quantiser = faiss.IndexFlatIP(WIDTH)
    index = faiss.IndexIVFFlat(quantiser, WIDTH, max(16, int(np.sqrt(size))), faiss.METRIC_INNER_PRODUCT)
    index.train(table[rng.permutation(size)[:50_000]])
    index.add(table)
    index.nprobe = 16
    built = time.perf_counter() - started
    found, approximate = _timed(lambda query: index.search(query[None], WANTED)[1][0], wanted)
    recall = np.mean([len(set(a) & set(b)) / WANTED for a, b in zip(truth, found, strict=True)])
    yield Row(
        f"alike among {size:,} cases, exact, ms",
        f"{1000 * exact:.2f}",
        f"FAISS IVF: {1000 * approximate:.2f}",
        exact / approximate,
    )
    yield Row(f"recall at {WANTED} of that index", f"{recall:.2f}", f"built in {built:.0f} s; exact: 1.00")


def _timed(ask: Callable[[np.ndarray], np.ndarray], wanted: np.ndarray) -> tuple[list[np.ndarray], float]:
    ask(wanted[0])
    started = time.perf_counter()
    answers = [ask(query) for query in wanted]
    return answers, (time.perf_counter() - started) / len(wanted)
