"""Training, evaluation and packaging of ``case-risk``: late fusion of image, notes and values with missing sources.

No open data set has images, notes and ICU values of the same patients. Values and deaths are real (out-of-fold predictions
of the members of ``icu-deterioration``); images and notes are simulated with a stated effect size. The weights therefore
show how fusion works; they are no evidence about patients.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import sklearn
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold

from apps.inference.engines.fusion.model import Fusion, Source
from apps.inference.engines.icu_timeseries.model import StaysModel
from apps.inference.engines.runtime_cache import loaded_model
from apps.inference.packages.card import Package
from apps.inference.training.evaluation import bootstrap, expected_calibration_error
from apps.inference.training.icu_deterioration.card import SOURCE
from apps.inference.training.icu_deterioration.data import Stays, read_set
from apps.inference.training.icu_deterioration.train import folds_of
from apps.inference.training.packing import begin, finish
from apps.inference.training.recipes import TrainingRun

Values = npt.NDArray[np.float64]
SEED = 41
SOURCES = ("image", "text", "values")
TITLES = {"image": ("Image", "图像"), "text": ("Notes", "病历文本"), "values": ("Values", "检验与体征")}
SIMULATED = {"image": 0.7, "text": 0.9}
"""Effect size in standard deviations between patients who die and those who survive."""
MISSING = {"image": 0.3, "text": 0.3, "values": 0.3}
HOUR = 24


def run(job: TrainingRun) -> dict[str, Any]:
    """Train the package; return its card."""
    return train(job.data_folder(), job.output, job.newest("icu-deterioration"), version=job.version)


def train(data: Path, output: Path, deterioration: Package, *, version: str) -> dict[str, Any]:
    """Fit the fusion and write the package; takes about a minute.

    Args:
        data: folder with the challenge's sets.
        deterioration: an installed ``icu-deterioration``.

    Returns:
        The card.

    Raises:
        FileNotFoundError: naming the file of the data that is missing.
        FileExistsError: if ``output`` holds a package already.
    """
    begin(output)
    stays = read_set(data)
    rng = np.random.default_rng(SEED)
    risks = _unseen(loaded_model(deterioration), stays)
    odds = {"values": logit(np.clip(risks, 1e-4, 1 - 1e-4))}
    for name, effect in SIMULATED.items():
        odds[name] = rng.normal(size=len(risks)) + effect * stays.died - 1.5
    available = {name: rng.random(len(risks)) >= MISSING[name] for name in SOURCES}
    folds = np.zeros(len(risks))
    for rest, held in KFold(5, shuffle=True, random_state=SEED).split(risks):
        folds[held] = _risks(_fit(odds, available, stays.died, rest), odds, available, held)
    fusion = _fit(odds, available, stays.died, np.arange(len(risks)))
    alone = expit(odds["values"])

    def measure(rows: npt.NDArray[np.intp]) -> dict[str, float]:
        truth = stays.died[rows]
        seen = rows[available["values"][rows]]
        return {
            "auroc_fusion": float(roc_auc_score(truth, folds[rows])),
            "auroc_fusion_with_values": float(roc_auc_score(stays.died[seen], folds[seen])),
            "auroc_values_alone": float(roc_auc_score(stays.died[seen], alone[seen])),
            "ece_fusion": expected_calibration_error(folds[rows], truth),
        }

    figures = bootstrap(measure, np.arange(len(risks)).astype(str), rounds=200)
    (output / "README.txt").write_text("The fusion's weights lie in card.json.\n")
    return finish(output, _card(version, fusion, len(risks), {name: asdict(value) for name, value in figures.items()}))


def _unseen(runtime: StaysModel, stays: Stays) -> Values:
    """Out-of-fold risks (stays,): each stay's risk from the member that was not trained on it."""
    risks = np.zeros(len(stays.died))
    for number, held in enumerate(folds_of(stays.died)):
        for rows in np.array_split(held, 8):
            risks[rows] = runtime.risks(stays.grid[rows], (HOUR,))[number, :, 0]
    return risks


def _fit(odds: dict[str, Values], available: dict[str, Any], died: npt.NDArray[np.bool_], rows: Any) -> Fusion:
    centres = {name: float(odds[name][rows].mean()) for name in SOURCES}
    columns = [available[name] * (odds[name] - centres[name]) for name in SOURCES] + [
        1.0 - available[name] for name in SOURCES
    ]
    regression = LogisticRegression(C=10.0, max_iter=500).fit(np.stack(columns, axis=1)[rows], died[rows])
    weights = regression.coef_[0]
    return Fusion(
        float(regression.intercept_[0]),
        {
            name: Source(
                float(weights[at]),
                centres[name],
                float(weights[at + 3]),
                *np.percentile(odds[name][rows], [1, 99]).tolist(),
            )
            for at, name in enumerate(SOURCES)
        },
    )


def _risks(fusion: Fusion, odds: dict[str, Values], available: dict[str, Any], rows: Any) -> Values:
    risks = [
        fusion.risk({name: float(expit(odds[name][row])) for name in SOURCES if available[name][row]}) for row in rows
    ]
    return np.array(risks)


def _card(version: str, fusion: Fusion, stays: int, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": "case-risk",
        "version": version,
        "title": {"en": "Risk from image, notes and values together", "zh-hans": "图像、病历与数值综合风险"},
        "task": "fusion",
        "runtime": "fusion",
        "architecture": "late fusion of calibrated log-odds by logistic regression, with terms for what is missing",
        "fusion": {
            "constant": fusion.constant,
            "sources": {name: asdict(source) for name, source in fusion.sources.items()},
            "titles": {name: {"en": english, "zh-hans": chinese} for name, (english, chinese) in TITLES.items()},
        },
        "metrics": [
            {
                "data": "half simulated",
                "how": f"{stays} stays; deaths and values real, images and notes simulated ({SIMULATED['image']} and "
                f"{SIMULATED['text']} standard deviations apart), 30 % of each source missing; five folds; "
                "the values' risk comes from the member that had not seen the stay.",
                "patients": stays,
                "values": values,
            }
        ],
        "intended_use": {
            "en": "To show how evidence of several sources is joined and how much each gives. Its weights rest on simulated "
            "images and notes: not for care until it is fitted on a hospital's own cases.",
            "zh-hans": "用于展示如何合并多来源证据及各自贡献。权重基于模拟的图像与病历,在用本院病例拟合之前不得用于诊疗。",
        },
        "population": {
            "en": "Stays of the 2012 challenge with simulated films and notes.",
            "zh-hans": "2012 年挑战赛住院数据,配以模拟影像与病历。",
        },
        "limits": [
            {"en": "Images and notes are simulated.", "zh-hans": "图像与病历为模拟数据。"},
            {
                "en": "Sources are taken as independent given the outcome.",
                "zh-hans": "假设各来源在结局给定时相互独立。",
            },
        ],
        "training_data": [SOURCE, "Images and notes: drawn numbers, apps/inference/training/case_risk.py."],
        "training": {
            "seed": SEED,
            "simulated": SIMULATED,
            "missing": MISSING,
            "framework": f"scikit-learn {sklearn.__version__}",
        },
        "licence": "ODC-By-1.0",
        "attribution": SOURCE,
    }
