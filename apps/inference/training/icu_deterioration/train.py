"""Training, evaluation and packaging of ``icu-deterioration``: in-hospital death from the first 48 hours in the ICU.

Five-fold cross-validation gives five members. Their out-of-fold predictions fit, calibrate and evaluate the blend of
trees and GRU; the package averages all members.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.numpy import save_file
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score
from sklearn.model_selection import StratifiedKFold

from apps.inference.engines.icu_timeseries.features import HOURS, STATICS, SUMMARIES, Grid, features
from apps.inference.engines.icu_timeseries.model import BANDS, FIRST, MEMBERS, Blend, Member, band_of
from apps.inference.engines.icu_timeseries.trajectory import Course, standardised
from apps.inference.engines.tree_table.trees import Trees, from_histogram
from apps.inference.training.evaluation import Figure, bootstrap, expected_calibration_error
from apps.inference.training.icu_deterioration.card import card_of
from apps.inference.training.icu_deterioration.data import CODES, Stays, read_set
from apps.inference.training.packing import begin, finish
from apps.inference.training.recipes import TrainingRun

Values = npt.NDArray[np.float64]
Progress = Callable[[str, int, int, str], None]
SEED, FOLDS = 11, 5
LEARNED = (6, 9, 12, 18, 24, 30, 36, 42, 48)
"""Hours at which the trees are trained on each stay."""
MEASURED = (6, 12, 24, 36, 48)
PLAIN = ("last", "first", "mean", "low", "high", "spread", "share")
"""Summaries of the baseline: plain statistics, untuned boosting."""


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters; all are written to the model card."""

    trees: int = 400
    learning_rate: float = 0.03
    leaves: int = 10
    least: int = 80
    ridge: float = 10.0
    share: float = 0.15
    epochs: int = 18
    hidden: int = 80
    batch: int = 96
    step: float = 2e-3


def run(job: TrainingRun) -> dict[str, Any]:
    """Train the package; return its card."""
    return train(job.data_folder(), job.output, version=job.version, progress=job.progress)


def train(
    data: Path, output: Path, *, version: str, recipe: Recipe | None = None, progress: Progress = lambda *_: None
) -> dict[str, Any]:
    """Train on the sets in ``data`` and write the package to ``output``; about 20 minutes on two cores.

    Returns:
        The card.

    Raises:
        FileNotFoundError: naming the file of the data that is missing.
        FileExistsError: if ``output`` holds a package already.
    """
    begin(output)
    recipe = recipe or Recipe()
    stays = read_set(data)
    fitted = fit(stays, recipe, progress)
    _write(fitted, output / MEMBERS)
    values = figures(fitted, stays.died)
    card = card_of(
        stays.grid,
        version=version,
        stays=len(stays.died),
        deaths=int(stays.died.sum()),
        threshold=balanced_threshold(fitted.risks[:, -1], stays.died),
        metrics={name: {what: asdict(figure) for what, figure in part.items()} for name, part in values.items()},
        recipe={**asdict(recipe), "seed": SEED, "members": FOLDS, "framework": f"torch {torch.__version__}"},
    )
    return finish(output, card)


@dataclass(frozen=True)
class Fitted:
    """Members, their blend, and out-of-fold predictions.

    Attributes:
        risks: (stays, hours of MEASURED), blended with weights fitted on the other folds.
        alone: the same for trees only and GRU only, each calibrated, and for the baseline.
    """

    members: list[Member]
    blend: Blend
    risks: Values
    alone: dict[str, Values]


def fit(stays: Stays, recipe: Recipe, progress: Progress) -> Fitted:
    """Cross-validate by stay; the folds' models become the members."""
    count = len(stays.died)
    trees, course = np.zeros((count, len(LEARNED))), np.zeros((count, len(LEARNED)))
    plain = np.zeros(count)
    members, folds = [], np.zeros(count, dtype=int)
    tables = {hour: features(stays.grid, hour, CODES) for hour in LEARNED}
    for fold, held in enumerate(folds_of(stays.died)):
        rest = np.setdiff1d(np.arange(count), held)
        folds[held] = fold
        own = [{h: table for h, table in tables.items() if band_of(h) == index} for index in range(len(BANDS))]
        forests = tuple(_boost(part, stays.died, rest, recipe, fold) for part in own)
        centre, scale = _standard(stays.grid[rest])
        network = _course(stays.grid, stays.died, rest, centre, scale, recipe, fold, progress)
        member = Member(forests, network, centre, scale)
        members.append(member)
        for index, hour in enumerate(LEARNED):
            trees[held, index] = member.tree_log_odds(tables[hour][held], hour)
        course[held] = member.course_log_odds(stays.grid[held])[:, np.array(LEARNED) - 1]
        plain[held] = _plain(tables[HOURS], stays.died, rest, held)
        gained = roc_auc_score(stays.died[held], trees[held, -1]), roc_auc_score(stays.died[held], course[held, -1])
        progress("folds", fold + 1, FOLDS, f"fold {fold + 1}: AUROC trees {gained[0]:.3f}, course {gained[1]:.3f}")
    measured = [LEARNED.index(hour) for hour in MEASURED]
    nothing = np.zeros_like(trees)
    columns = {"blend": (trees, course), "trees": (trees, nothing), "course": (nothing, course)}
    crossed = {name: _crossed(*pair, stays.died, folds)[:, measured] for name, pair in columns.items()}
    blend = fit_blend(trees, course, stays.died)
    risks = crossed.pop("blend")
    return Fitted(members, blend, risks, {**crossed, "plain": np.tile(plain[:, None], (1, len(MEASURED)))})


def folds_of(died: npt.NDArray[np.bool_]) -> list[npt.NDArray[np.intp]]:
    """Held-out stays of each member, in the members' order."""
    splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    return [held for _rest, held in splitter.split(np.zeros(len(died)), died)]


def fit_blend(trees: Values, course: Values, died: npt.NDArray[np.bool_]) -> Blend:
    """Fit the blend on log-odds (stays, hours of LEARNED) by logistic regression over all stays and hours."""
    late = np.broadcast_to((np.array(LEARNED) - 27.0) / 21.0, trees.shape)
    columns = np.stack([np.ones_like(trees), trees, course], axis=2)
    rows = np.concatenate([columns, columns * late[..., None]], axis=2).reshape(-1, 6)
    truth = np.repeat(died, trees.shape[1])
    regression = LogisticRegression(C=100.0, fit_intercept=False, max_iter=500).fit(rows, truth)
    return Blend(regression.coef_.reshape(2, 3))


def figures(fitted: Fitted, died: npt.NDArray[np.bool_]) -> dict[str, dict[str, Figure]]:
    """Metrics by model: at the last hour, and AUROC at the earlier hours except for the baseline."""
    stays = np.arange(len(died)).astype(str)

    def measured(risks: Values) -> Callable[[npt.NDArray[np.intp]], dict[str, float]]:
        def measure(rows: npt.NDArray[np.intp]) -> dict[str, float]:
            truth, last = died[rows], risks[rows, -1]
            values = {
                "auroc_death": float(roc_auc_score(truth, last)),
                "average_precision_death": float(average_precision_score(truth, last)),
                "event1_death": event1(last, truth),
                "ece_death": expected_calibration_error(last, truth),
            }
            return values | {
                f"auroc_death_hour_{hour}": float(roc_auc_score(truth, risks[rows, index]))
                for index, hour in enumerate(MEASURED[:-1])
            }

        return measure

    everything = {"blend": fitted.risks, **fitted.alone}
    intervals = {name: bootstrap(measured(risks), stays, rounds=300) for name, risks in everything.items()}
    intervals["plain"] = {name: figure for name, figure in intervals["plain"].items() if "hour" not in name}
    return intervals


def event1(risk: Values, died: npt.NDArray[np.bool_]) -> float:
    """The challenge's Event 1 score: the maximum over thresholds of min(sensitivity, positive predictive value)."""
    precision, recall, _ = precision_recall_curve(died, risk)
    return float(np.minimum(precision, recall).max())


def balanced_threshold(risk: Values, died: npt.NDArray[np.bool_]) -> float:
    """The threshold that attains the Event 1 score."""
    precision, recall, thresholds = precision_recall_curve(died, risk)
    return float(thresholds[int(np.minimum(precision, recall)[:-1].argmax())])


def _crossed(trees: Values, course: Values, died: npt.NDArray[np.bool_], folds: npt.NDArray[np.int_]) -> Values:
    """Risks (stays, hours of LEARNED), each fold's with a blend fitted on the others."""
    risks = np.zeros_like(trees)
    for fold in range(FOLDS):
        held = folds == fold
        blend = fit_blend(trees[~held], course[~held], died[~held])
        risks[held] = blend.risk(trees[held], course[held], np.array(LEARNED, dtype=float))
    return risks


def _boost(
    tables: dict[int, npt.NDArray[np.float32]], died: npt.NDArray[np.bool_], rest: Any, recipe: Recipe, seed: int
) -> Trees:
    rows = np.concatenate([table[rest] for table in tables.values()])
    # scikit-learn cannot bin a constant column.
    useful = np.flatnonzero([len(np.unique(column[np.isfinite(column)])) > 1 for column in rows.T])
    booster = HistGradientBoostingClassifier(
        max_iter=recipe.trees,
        learning_rate=recipe.learning_rate,
        max_leaf_nodes=recipe.leaves,
        min_samples_leaf=recipe.least,
        l2_regularization=recipe.ridge,
        max_features=recipe.share,
        early_stopping=False,
        random_state=seed,
    )
    booster.fit(rows[:, useful], np.tile(died[rest], len(tables)))
    return from_histogram(booster, useful, rows.shape[1])


def _plain(table: npt.NDArray[np.float32], died: npt.NDArray[np.bool_], rest: Any, held: Any) -> Values:
    """Baseline: plain statistics and untuned boosting on the same folds."""
    width = len(SUMMARIES)
    columns = [index * width + SUMMARIES.index(name) for index in range(len(CODES)) for name in PLAIN]
    rows = np.concatenate([table[:, columns], table[:, -1 - len(STATICS) : -1]], axis=1)
    rows = rows[:, [len(np.unique(column[np.isfinite(column)])) > 1 for column in rows[rest].T]]
    booster = HistGradientBoostingClassifier(learning_rate=0.05, max_iter=300, random_state=0)
    return np.asarray(booster.fit(rows[rest], died[rest]).predict_proba(rows[held])[:, 1])


def _standard(grid: Grid) -> tuple[Values, Values]:
    with np.errstate(invalid="ignore"):
        width = grid.mean.shape[2]
        flat = grid.mean.reshape(-1, width)
        centre = np.concatenate([np.nanmean(flat, axis=0), np.nanmean(grid.static, axis=0)])
        scale = np.concatenate([np.nanstd(flat, axis=0), np.nanstd(grid.static, axis=0)])
    return np.nan_to_num(centre), np.where(np.isfinite(scale) & (scale > 1e-6), scale, 1.0)


def _course(
    grid: Grid, died: npt.NDArray[np.bool_], rest: Any, centre: Values, scale: Values, recipe: Recipe, seed: int,
    progress: Progress,
) -> Course:  # fmt: skip
    """Train the GRU; the loss covers every hour from FIRST on."""
    torch.manual_seed(SEED + seed)
    network = Course(len(CODES), len(STATICS), hidden=recipe.hidden)
    inputs = standardised(grid[rest], centre, scale)
    truth = torch.from_numpy(died[rest].astype(np.float32))
    steps = recipe.epochs * (len(truth) // recipe.batch)
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.step, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.step, total_steps=steps)
    loss_of = torch.nn.BCEWithLogitsLoss()
    for epoch in range(recipe.epochs):
        network.train()
        for batch in torch.randperm(len(truth))[: steps // recipe.epochs * recipe.batch].split(recipe.batch):
            logits = network(*(part[batch] for part in inputs))[:, FIRST - 1 :]
            loss = loss_of(logits, truth[batch, None].expand_as(logits))
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
        progress(f"course {seed + 1}", epoch + 1, recipe.epochs, "")
    return network.eval()


def _write(fitted: Fitted, path: Path) -> None:
    stored: dict[str, npt.NDArray[Any]] = {"blend": fitted.blend.weights}
    for number, member in enumerate(fitted.members):
        for band, trees in enumerate(member.trees):
            stored |= {f"{number}.trees{band}.{name}": array for name, array in trees.arrays().items()}
        weights = member.course.state_dict()
        stored |= {f"{number}.course.{name}": np.array(array.numpy(), np.float16) for name, array in weights.items()}
        stored |= {f"{number}.centre": member.centre, f"{number}.scale": member.scale}
    save_file({name: np.ascontiguousarray(array) for name, array in stored.items()}, path)
