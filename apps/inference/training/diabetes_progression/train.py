"""Training, evaluation and packaging of ``diabetes-progression``, a small tabular model on scikit-learn's data."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from sklearn.datasets import load_diabetes
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.metrics import mean_absolute_error, r2_score

from apps.inference.engines.tree_table.trees import TREES, from_sklearn
from apps.inference.training.evaluation import bootstrap
from apps.inference.training.packing import begin, finish
from apps.inference.training.recipes import TrainingRun

RECIPE = {"n_estimators": 150, "learning_rate": 0.04, "max_depth": 3, "subsample": 0.7, "min_samples_leaf": 8}
SEED, HELD_BACK = 7, 110
BACKGROUND = 100
SOURCE = (
    "Efron, Hastie, Johnstone, Tibshirani (2004): Least Angle Regression, Annals of Statistics 32(2): 442 patients "
    "with diabetes, ten values at the start, disease progression a year later; as shipped with scikit-learn "
    "(BSD-3-Clause)."
)
FEATURES: dict[str, tuple[str, str, str, str]] = {
    "age": ("Age", "年龄", "years", "person"),
    "sex": ("Sex", "性别", "", "person"),
    "bmi": ("Body mass index", "体重指数", "kg/m²", "person"),
    "bp": ("Mean blood pressure", "平均血压", "mmHg", "circulation"),
    "s1": ("Total cholesterol", "总胆固醇", "mg/dl", "lipids"),
    "s2": ("Low-density lipoproteins", "低密度脂蛋白", "mg/dl", "lipids"),
    "s3": ("High-density lipoproteins", "高密度脂蛋白", "mg/dl", "lipids"),
    "s4": ("Total cholesterol over HDL", "总胆固醇与高密度脂蛋白之比", "", "lipids"),
    "s5": ("Triglycerides, logarithm", "甘油三酯(对数)", "ln(mg/dl)", "lipids"),
    "s6": ("Blood sugar", "血糖", "mg/dl", "sugar"),
}
"""Code to English, Chinese, unit, group. The source does not state the coding of sex."""
GROUPS = {
    "person": {"en": "Person", "zh-hans": "个人"},
    "circulation": {"en": "Circulation", "zh-hans": "循环"},
    "lipids": {"en": "Blood lipids", "zh-hans": "血脂"},
    "sugar": {"en": "Blood sugar", "zh-hans": "血糖"},
}


def run(job: TrainingRun) -> dict[str, Any]:
    """Train the package; return its card."""
    return train(job.output, version=job.version)


def train(output: Path, *, version: str) -> dict[str, Any]:
    """Train and write the package to ``output``; takes seconds.

    Returns:
        The card.

    Raises:
        FileExistsError: if ``output`` holds a package already.
    """
    begin(output)
    data = load_diabetes(scaled=False)
    order = np.random.default_rng(SEED).permutation(len(data.target))
    test, rest = order[:HELD_BACK], order[HELD_BACK:]
    booster = GradientBoostingRegressor(**RECIPE, random_state=SEED).fit(data.data[rest], data.target[rest])
    trees = from_sklearn(booster, np.ascontiguousarray(data.data[rest][:BACKGROUND]))
    trees.write(output / TREES)
    answers, truth = trees.predict(data.data[test]), data.target[test]

    def measure(rows: Any) -> dict[str, float]:
        return {
            "r2": float(r2_score(truth[rows], answers[rows])),
            "mean_absolute_error": float(mean_absolute_error(truth[rows], answers[rows])),
        }

    figures = bootstrap(measure, np.array([str(row) for row in test]))
    card = _card(version, data, rest, {name: asdict(figure) for name, figure in figures.items()})
    return finish(output, card)


def _card(version: str, data: Any, rest: Any, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": "diabetes-progression",
        "version": version,
        "title": {"en": "Progression of diabetes within a year", "zh-hans": "糖尿病一年内的进展"},
        "task": "tabular-regression",
        "runtime": "trees",
        "architecture": "gradient-boosted trees",
        "features": [_feature(code, data.data[rest][:, index]) for index, code in enumerate(FEATURES)],
        "groups": GROUPS,
        "target": {
            "title": {"en": "Disease progression", "zh-hans": "疾病进展"},
            "unit": {"en": "points of the study's scale, 25 to 346", "zh-hans": "研究量表分(25 至 346)"},
        },
        "metrics": [
            {
                "data": "held back",
                "how": f"{HELD_BACK} patients drawn at random and held back; 95 % intervals by 1,000 bootstrap draws.",
                "patients": HELD_BACK,
                "values": values,
            }
        ],
        "intended_use": {
            "en": "To show how answers from tables are explained. The scale is that of one study: not for care.",
            "zh-hans": "用于演示表格模型的解释方式。量表仅属于单项研究,不用于诊疗。",
        },
        "population": {
            "en": "442 patients with diabetes of one study, published in 2004.",
            "zh-hans": "2004 年发表的一项研究中的 442 名糖尿病患者。",
        },
        "limits": [
            {
                "en": "A small, old data set; more than half of the variance stays unexplained.",
                "zh-hans": "数据集小且旧,超过一半的方差未被解释。",
            },
            {
                "en": "Outside the values seen in training the trees answer as at the edge.",
                "zh-hans": "超出训练范围的数值按边界值回答。",
            },
        ],
        "training_data": [SOURCE],
        "training": {**RECIPE, "seed": SEED, "framework": f"scikit-learn {sklearn.__version__}"},
        "licence": "BSD-3-Clause",
        "attribution": SOURCE,
    }


def _feature(code: str, column: Any) -> dict[str, Any]:
    english, chinese, unit, group = FEATURES[code]
    choices = {}
    if code == "sex":
        words = [{"en": f"group {number}", "zh-hans": f"第 {number} 组"} for number in (1, 2)]
        choices = {"choices": [{"value": index + 1, "title": title} for index, title in enumerate(words)]}
    return {
        "code": code,
        "title": {"en": english, "zh-hans": chinese},
        "unit": unit,
        "low": float(column.min()),
        "high": float(column.max()),
        "typical": float(np.median(column)),
        "group": group,
        **choices,
    }
