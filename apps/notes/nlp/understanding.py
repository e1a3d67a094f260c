"""Full analysis of a note: extraction, sentence vectors, specialty, severity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from apps.inference.engines.sentence_head.encoder import Encoder
from apps.inference.engines.texts import text_model
from apps.inference.packages.card import Package, PackageRefused
from apps.notes.nlp.reader import Mention, Reading, read

MAX_SENTENCES = 600
OPENING = 1500
"""Leading characters from which the specialty is classified."""


@dataclass(frozen=True)
class NoteAnalysis:
    """Analysis of a note.

    Attributes:
        vectors: (sentences, width) float16, at most MAX_SENTENCES.
        maker: name of the sentence encoder.
        specialty: ``model``, ``title`` and ``probability``; empty if no model applies.
    """

    reading: Reading
    vectors: npt.NDArray[np.float16]
    maker: str
    specialty: dict[str, Any]


def analyse_note(text: str, encoder: Encoder, specialties: list[Package]) -> NoteAnalysis:
    """Analyse a note.

    Args:
        specialties: packages that classify the specialty of English notes, in order of preference.
    """
    reading = read(text)
    sentences = [text[start:end] for start, end in reading.sentences[:MAX_SENTENCES]]
    vectors = encoder.encode(sentences) if sentences else np.zeros((0, encoder.width), dtype=np.float32)
    specialty = _specialty(text, specialties) if reading.language == "en" else {}
    return NoteAnalysis(reading, vectors.astype(np.float16), encoder.name, specialty)


def _specialty(text: str, packages: list[Package]) -> dict[str, Any]:
    for package in packages:
        try:
            shares = text_model(package).probabilities([text[:OPENING]])[0]
        except PackageRefused:
            continue
        best = int(shares.argmax())
        label = package.card["labels"][best]
        return {
            "model": f"{package.name} {package.version}",
            "title": label["title"],
            "probability": float(shares[best]),
        }
    return {}


SEVERITY_LOG_ODDS = {
    "sepsis": 1.2, "respiratory_failure": 1.2, "hypoxia": 0.8, "hypotension": 0.9, "confusion": 0.8, "dyspnea": 0.4,
    "cyanosis": 0.9, "mi": 0.6, "heart_failure": 0.5, "renal_failure": 0.6, "metastasis": 0.6, "cancer": 0.3,
    "intracranial_hemorrhage": 1.0, "cirrhosis": 0.6, "pulmonary_embolism": 0.6, "pneumonia": 0.4, "tachycardia": 0.2,
}  # fmt: skip
"""Log-odds added by each condition, chosen after the items of CURB-65, qSOFA and Charlson; not fitted on outcomes."""
BASE_LOG_ODDS = -2.5
"""Log-odds of a note without any severe condition."""


def severity_log_odds(mentions: list[tuple[str, bool]]) -> tuple[float, list[str]]:
    """Severity of the notes' mentions as log-odds, and the conditions that contribute, strongest first.

    Args:
        mentions: lexicon code, and whether it is affirmed as current for the patient.
    """
    present = sorted(
        {code for code, holds in mentions if holds and code in SEVERITY_LOG_ODDS},
        key=lambda code: -SEVERITY_LOG_ODDS[code],
    )
    return BASE_LOG_ODDS + sum(SEVERITY_LOG_ODDS[code] for code in present), present


def affirmed(mention: Mention) -> bool:
    """Whether the mention is affirmed as current for the patient."""
    return not set(mention.assertions) & {"negated", "historical", "family", "uncertain"}
