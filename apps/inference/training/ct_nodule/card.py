"""Model card of ``ct-nodule``; every figure comes from the training run."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from apps.inference.training.ct_nodule.data import SHAPE, WINDOW
from apps.inference.training.evaluation import Calibration, Figure


def compose(
    *,
    version: str,
    recipe: dict[str, Any],
    calibration: Calibration,
    threshold: float,
    novelty: float,
    figures: dict[str, Figure],
    count: int,
) -> dict[str, Any]:
    """Build the card without the files' digests."""
    return {
        "name": "ct-nodule",
        "version": version,
        "title": {"en": "Lung nodule on chest CT (demonstration)", "zh-hans": "胸部 CT 肺结节（演示）"},
        "task": "volume-classification",
        "runtime": "torch-volume",
        "architecture": recipe["architecture"],
        "demonstration": True,
        "input": {
            "modalities": ["CT"],
            "views": [],
            "body_parts": ["CHEST", "THORAX", "LUNG"],
            "minimum_size": 80,
            "photometric": ["MONOCHROME1", "MONOCHROME2"],
            "minimum_slices": 24,
            "extent": [200, 400],
        },
        "preprocessing": {
            "shape": list(SHAPE),
            "window": list(WINDOW),
            "steps": [
                "slices in order from head to feet, in Hounsfield units",
                f"resize to {SHAPE[0]} x {SHAPE[1]} x {SHAPE[2]} (squeezed, means over areas)",
                f"{WINDOW[0]:.0f} to {WINDOW[1]:.0f} HU to 0..255",
            ],
        },
        "labels": _LABELS,
        "calibration": {
            "method": "vector scaling",
            "temperature": calibration.temperature,
            "bias": list(calibration.bias),
            "fitted_on": "drawn validation volumes",
        },
        "thresholds": {
            "nodule": {
                "value": threshold,
                "operating_point": {
                    "en": "95 % sensitivity on the drawn validation volumes",
                    "zh-hans": "绘制的验证集灵敏度 95%",
                },
            },
            "no_nodule": {
                "value": 1 - threshold,
                "operating_point": {"en": "the rest", "zh-hans": "其余情况"},
            },
        },
        "novelty": {
            "method": "pca-reconstruction",
            "threshold": novelty,
            "how": "99.5th percentile of the reconstruction error of the drawn validation volumes; beyond it no answer "
            "is given",
        },
        "metrics": [
            {
                "data": "drawn volumes",
                "how": "Drawn volumes of seeds used nowhere else, half of them with a nodule of 12 to 30 mm; 95 % "
                "intervals by 1,000 bootstrap draws. Real CT was not at hand: nothing is known of it.",
                "films": count,
                "patients": count,
                "values": {key: asdict(figure) for key, figure in figures.items()},
            }
        ],
        "intended_use": _INTENDED_USE,
        "population": {"en": "Drawn chests; nobody's.", "zh-hans": "程序绘制的胸部，不属于任何人。"},
        "limits": _LIMITS,
        "training_data": [
            f"{recipe['volumes']} chest volumes drawn by this project, half of them with a nodule; no real CT."
        ],
        "training": {**recipe, "command": "manage.py train ct-nodule"},
        "licence": "Apache-2.0",
        "attribution": "Drawn and trained by MedPortal.",
    }


_LABELS = [
    {"code": "nodule", "title": {"en": "Lung nodule", "zh-hans": "肺结节"}, "outputs": [1], "finding": True},
    {"code": "no_nodule", "title": {"en": "No lung nodule", "zh-hans": "未见肺结节"}, "outputs": [0], "finding": False},
]
_INTENDED_USE = {
    "en": "To show how volumes are read, answered and explained, in demonstrations and tests. It was trained on drawn "
    "chests alone and must not be used for patients; it is asked in demonstrations only.",
    "zh-hans": "用于演示和测试系统如何读取、分析和解释三维影像。仅以程序绘制的胸部训练，不得用于患者；只在演示环境中运行。",
}
_LIMITS = [
    {
        "en": "Never saw a real CT: what it says of one means nothing. Its guard refuses what does not look drawn.",
        "zh-hans": "从未见过真实 CT：其对真实影像的结论没有意义；与绘制影像不相似的输入会被拒绝。",
    },
    {
        "en": "Nodules below 12 mm were not drawn; voxels of some 4 x 4 x 6 mm would not show them.",
        "zh-hans": "未绘制 12 毫米以下的结节；约 4 × 4 × 6 毫米的体素也无法显示。",
    },
    {
        "en": "Says whether there is a nodule, not how many nor whether they are malignant.",
        "zh-hans": "只判断有无结节，不判断数目和良恶性。",
    },
]
