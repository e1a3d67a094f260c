"""Calibration and evaluation metrics with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from scipy.stats import rankdata
from sklearn.metrics import roc_curve

Scores = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Figure:
    """A metric with its 95 % bootstrap interval over patients."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Calibration:
    """Temperature and bias of vector scaling: softmax(logits / temperature + bias)."""

    temperature: float
    bias: tuple[float, ...]

    def apply(self, logits: Scores) -> Scores:
        """(n, classes) calibrated probabilities from (n, classes) logits."""
        return np.asarray(softmax(logits / self.temperature + np.array(self.bias), axis=1), dtype=np.float64)


def fit_calibration(logits: Scores, labels: Labels) -> Calibration:
    """Fit temperature and biases by negative log likelihood (Guo et al., ICML 2017, section 4.2).

    The biases undo the class weights of the training, under which the network learns probabilities for
    balanced classes; a temperature alone cannot.

    Args:
        logits: (n, classes).
        labels: (n,) class index.
    """
    classes = logits.shape[1]

    def loss(parameters: Scores) -> float:
        bias = np.append(parameters[1:], 0.0)
        scaled = log_softmax(logits / np.exp(parameters[0]) + bias, axis=1)
        return float(-scaled[np.arange(len(labels)), labels].mean())

    best = minimize(loss, np.zeros(classes), method="L-BFGS-B", bounds=[(-3, 3)] + [(-5, 5)] * (classes - 1)).x
    return Calibration(float(np.exp(best[0])), (*[float(value) for value in best[1:]], 0.0))


def expected_calibration_error(probability: Scores, truth: npt.NDArray[np.bool_], bins: int = 15) -> float:
    """ECE with equal-mass bins: |confidence - frequency| averaged over bins, weighted by size."""
    order = np.argsort(probability)
    error = 0.0
    for rows in np.array_split(order, bins):
        if len(rows):
            error += len(rows) / len(order) * abs(float(probability[rows].mean() - truth[rows].mean()))
    return error


def threshold_for_sensitivity(probability: Scores, truth: npt.NDArray[np.bool_], sensitivity: float) -> float:
    """The highest threshold with at least this sensitivity."""
    _, true_positive_rate, thresholds = roc_curve(truth, probability)
    return min(float(thresholds[np.flatnonzero(true_positive_rate >= sensitivity)[0]]), 1.0)


def threshold_by_youden(probability: Scores, truth: npt.NDArray[np.bool_]) -> float:
    """The threshold with the largest Youden index (sensitivity + specificity - 1)."""
    false_positive_rate, true_positive_rate, thresholds = roc_curve(truth, probability)
    return min(float(thresholds[np.argmax(true_positive_rate - false_positive_rate)]), 1.0)


def film_figures(
    probability: Scores, labels: Labels, groups: npt.NDArray[np.str_], *, threshold: float, rounds: int = 1000
) -> dict[str, Figure]:
    """Metrics of a three-class radiograph model (normal, bacterial, viral).

    Args:
        probability: (n, 3) calibrated.
        labels: (n,) class index.
        groups: (n,) patient, the unit of the bootstrap.
        threshold: operating point for pneumonia (sum of both kinds).
    """

    def measure(rows: npt.NDArray[np.intp]) -> dict[str, float]:
        return _measure(probability[rows], labels[rows], threshold)

    return bootstrap(measure, groups, rounds=rounds)


def _measure(probability: Scores, labels: Labels, threshold: float) -> dict[str, float]:
    sick, ill = 1 - probability[:, 0], labels > 0
    kind = probability[ill, 1] / np.clip(probability[ill, 1] + probability[ill, 2], 1e-12, None)
    return {
        "auroc_pneumonia": auroc(ill, sick),
        "auroc_bacterial_vs_viral": auroc(labels[ill] == 1, kind),
        "sensitivity_pneumonia": float((sick[ill] >= threshold).mean()),
        "specificity_pneumonia": float((sick[~ill] < threshold).mean()),
        "accuracy_three_classes": float((probability.argmax(axis=1) == labels).mean()),
        "ece_pneumonia": expected_calibration_error(sick, ill),
    }


def auroc(truth: npt.NDArray[np.bool_], score: Scores) -> float:
    """AUROC as the Mann-Whitney statistic; NaN if a bootstrap sample has one class only, which excludes the sample.

    Thousands of bootstrap samples are measured; scikit-learn's function spends most of its time on checks of its input.
    """
    positive, negative = int(truth.sum()), int((~truth).sum())
    if not positive or not negative:
        return float("nan")
    return float((rankdata(score)[truth].sum() - positive * (positive + 1) / 2) / (positive * negative))


def bootstrap(
    measure: Callable[[npt.NDArray[np.intp]], dict[str, float]],
    groups: npt.NDArray[np.str_],
    *,
    rounds: int = 1000,
    seed: int = 0,
) -> dict[str, Figure]:
    """Percentile bootstrap over groups (patients), since a patient's images are correlated."""
    rng = np.random.default_rng(seed)
    names, inverse = np.unique(groups, return_inverse=True)
    members = np.split(np.argsort(inverse, kind="stable"), np.cumsum(np.bincount(inverse))[:-1])
    point = measure(np.arange(len(groups)))
    draws = []
    for _ in range(rounds):
        picked = rng.integers(len(names), size=len(names))
        draws.append(list(measure(np.concatenate([members[p] for p in picked])).values()))
    low, high = np.nanpercentile(np.array(draws), [2.5, 97.5], axis=0)
    return {name: Figure(value, float(low[i]), float(high[i])) for i, (name, value) in enumerate(point.items())}
