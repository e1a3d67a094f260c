"""Training, evaluation and packaging of ``note-specialty`` on words: the specialty of a note's summary."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from safetensors.numpy import save_file
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import GroupShuffleSplit

from apps.inference.engines.bag_of_words.words import VOCABULARY, WEIGHTS, Words, terms
from apps.inference.training.evaluation import bootstrap
from apps.inference.training.packing import begin, finish

LABELS = {
    "surgery": ("Surgery", "外科"),
    "radiology": ("Radiology", "放射科"),
    "urology": ("Urology", "泌尿科"),
    "general_medicine": ("General Medicine", "全科"),
    "pain_management": ("Pain Management", "疼痛科"),
}
"""The five most frequent specialties; progress notes are a kind of note, not a specialty."""
RECIPE = {"C": 20.0, "class_weight": "balanced", "max_iter": 2000}
SEED, HELD_BACK = 5, 0.25
MINIMUM = 2
SOURCE = (
    "MTSamples: sample medical transcriptions, one-line descriptions with specialties; published as public domain "
    "(CC0)."
)


def train(data: Path, output: Path, *, version: str) -> dict[str, Any]:
    """Train on ``data/descriptions.csv`` and write the package to ``output``.

    Returns:
        The card.

    Raises:
        FileNotFoundError: if there is no ``descriptions.csv``.
        FileExistsError: if ``output`` holds a package already.
    """
    begin(output)
    texts, labels = read_summaries(data / "descriptions.csv")
    # Notes may share a description: duplicates must be on one side of the split.
    groups = np.unique([text.lower() for text in texts], return_inverse=True)[1]
    splitter = GroupShuffleSplit(1, test_size=HELD_BACK, random_state=SEED)
    rest, test = next(splitter.split(texts, labels, groups))
    counter = TfidfVectorizer(analyzer=terms, sublinear_tf=True, min_df=MINIMUM)
    fitted = LogisticRegression(**RECIPE).fit(counter.fit_transform([texts[row] for row in rest]), labels[rest])
    vocabulary = [str(term) for term in counter.get_feature_names_out()]
    words = Words({term: index for index, term in enumerate(vocabulary)}, counter.idf_, fitted.coef_, fitted.intercept_)
    stored = {"rarity": words.rarity, "weights": words.weights, "bias": words.bias}
    save_file({name: np.ascontiguousarray(value) for name, value in stored.items()}, output / WEIGHTS)
    (output / VOCABULARY).write_text(json.dumps(vocabulary, ensure_ascii=False) + "\n")
    answers, truth = words.probabilities([texts[row] for row in test]).argmax(axis=1), labels[test]

    def measure(rows: Any) -> dict[str, float]:
        return {
            "accuracy": float(accuracy_score(truth[rows], answers[rows])),
            "macro_f1": float(f1_score(truth[rows], answers[rows], average="macro", zero_division=0)),
        }

    figures = bootstrap(measure, np.array([str(group) for group in groups[test]]))
    counts = np.bincount(truth, minlength=len(LABELS)).tolist()
    card = _card(version, counts, {name: asdict(figure) for name, figure in figures.items()}, len(rest))
    return finish(output, card)


def read_summaries(path: Path) -> tuple[list[str], Any]:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: the folder must hold descriptions.csv")
    codes = {english: index for index, (english, _chinese) in enumerate(LABELS.values())}
    with path.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["medical_specialty"].strip() in codes]
    rows = [row for row in rows if row["description"].strip()]
    labels = np.array([codes[row["medical_specialty"].strip()] for row in rows])
    return [row["description"].strip() for row in rows], labels


def _card(version: str, counts: list[int], values: dict[str, Any], trained: int) -> dict[str, Any]:
    return {
        "name": "note-specialty",
        "version": version,
        "title": {"en": "Specialty of a note's summary", "zh-hans": "病历摘要所属专科"},
        "task": "text-classification",
        "runtime": "words",
        "architecture": "logistic regression over weighted words and pairs of words",
        "labels": [
            {"code": code, "title": {"en": english, "zh-hans": chinese}} for code, (english, chinese) in LABELS.items()
        ],
        "metrics": [
            {
                "data": "held back",
                "how": f"{sum(counts)} summaries, equal ones on one side ({', '.join(map(str, counts))} by label); "
                "95 % intervals by 1,000 bootstrap draws.",
                "patients": sum(counts),
                "values": values,
            }
        ],
        "intended_use": {
            "en": "To show how answers about English text are explained; sorting summaries by specialty. Not for care.",
            "zh-hans": "用于演示英文文本模型的解释方式,按专科整理摘要。不用于诊疗。",
        },
        "population": {
            "en": "Sample transcriptions of one American collection.",
            "zh-hans": "一份美国病历样本集。",
        },
        "limits": [
            {"en": "English only; one-line summaries.", "zh-hans": "仅限英文单行摘要。"},
            {
                "en": "It counts words: it does not know that 'no fever' is not fever.",
                "zh-hans": "仅统计词语,不理解否定。",
            },
        ],
        "training_data": [f"{trained} summaries. {SOURCE}"],
        "training": {**RECIPE, "seed": SEED, "framework": f"scikit-learn {sklearn.__version__}"},
        "licence": "CC0-1.0",
        "attribution": SOURCE,
    }
