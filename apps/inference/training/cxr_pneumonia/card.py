"""Model card of ``cxr-pneumonia``; every figure comes from the training run."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from apps.inference.training.evaluation import Calibration, Figure

ATTRIBUTION = (
    "Kermany, Zhang, Goldbaum (2018): Labeled Optical Coherence Tomography (OCT) and Chest X-Ray Images for "
    "Classification, Mendeley Data V2, doi:10.17632/rscbjbr9sj.2, CC BY 4.0; films resized to 224 x 224 pixels."
)


def compose(
    *,
    version: str,
    recipe: dict[str, Any],
    calibration: Calibration,
    thresholds: dict[str, float],
    novelty: float,
    figures: dict[str, dict[str, Figure]],
    counts: dict[str, tuple[int, int]],
    train_count: tuple[int, int],
    framework: str,
) -> dict[str, Any]:
    """Build the card without the files' digests.

    Args:
        counts: (images, patients) of each test set; ``train_count`` likewise.
    """
    return {
        "name": "cxr-pneumonia",
        "version": version,
        "title": {"en": "Pneumonia on children's chest films", "zh-hans": "儿童胸片肺炎"},
        "task": "image-classification",
        "runtime": "torch-film",
        "architecture": recipe["architecture"],
        "input": {
            "modalities": ["CR", "DX", "SC"],
            "views": ["AP", "PA"],
            "body_parts": ["CHEST", "THORAX", "LUNG"],
            "minimum_size": 128,
            "photometric": ["MONOCHROME1", "MONOCHROME2"],
        },
        "preprocessing": {
            "size": recipe["size"],
            "steps": [
                "modality and VOI look-up tables, larger = brighter",
                "0.5th to 99.5th percentile to 0..255",
                "resize to 224 x 224 (squeezed, box filter)",
                "histogram equalisation",
                f"resize to {recipe['size']} x {recipe['size']} (bilinear)",
                "mean 0 and standard deviation 1 per film",
            ],
        },
        "labels": _LABELS,
        "calibration": {
            "method": "vector scaling",
            "temperature": calibration.temperature,
            "bias": list(calibration.bias),
            "fitted_on": "real films of the validation patients",
        },
        "thresholds": _thresholds(thresholds),
        "novelty": {
            "method": "pca-reconstruction",
            "threshold": novelty,
            "how": "99.5th percentile of the reconstruction error of the validation films, real or synthetic, "
            "whichever is larger; "
            "beyond it no answer is given",
        },
        "metrics": [
            {
                "data": name,
                "how": _HOW[name],
                "films": counts[name][0],
                "patients": counts[name][1],
                "values": {key: asdict(figure) for key, figure in values.items()},
            }
            for name, values in figures.items()
        ],
        "intended_use": _INTENDED_USE,
        "population": _POPULATION,
        "patient_age": {"minimum": 1, "maximum": 5, "unknown": "refuse"},
        "limits": _LIMITS,
        "training_data": [
            f"{train_count[0]} films of {train_count[1]} patients, 750 of them synthetic (one each). {ATTRIBUTION}",
            "Synthetic films drawn by this project: focal opacity stands for bacterial, diffuse for viral.",
        ],
        "training": {**recipe, "framework": framework, "command": "manage.py train cxr-pneumonia --data DIR"},
        "licence": "CC BY 4.0",
        "attribution": ATTRIBUTION,
    }


def _thresholds(values: dict[str, float]) -> dict[str, Any]:
    sensitive = {"en": "98 % sensitivity on the validation patients", "zh-hans": "验证集患者灵敏度 98%"}
    balanced = {
        "en": "largest sensitivity + specificity on the validation patients",
        "zh-hans": "验证集患者灵敏度与特异度之和最大",
    }
    kind = {
        "en": "largest sensitivity + specificity on the validation patients; asked only if pneumonia is above its own",
        "zh-hans": "验证集患者灵敏度与特异度之和最大；仅在肺炎高于其阈值时判断",
    }
    points = {"pneumonia": sensitive, "normal": balanced}
    return {code: {"value": value, "operating_point": points.get(code, kind)} for code, value in values.items()}


_HOW = {
    "real": "Real films of patients held back from training and calibration (split by patient); "
    "95 % intervals by 1,000 bootstrap draws of patients.",
    "synthetic": "Synthetic films of seeds used nowhere else; 95 % intervals by 1,000 bootstrap draws.",
}
_LABELS = [
    {"code": "pneumonia", "title": {"en": "Pneumonia", "zh-hans": "肺炎"}, "outputs": [1, 2], "finding": True},
    {
        "code": "bacterial_pneumonia",
        "title": {"en": "Bacterial pneumonia", "zh-hans": "细菌性肺炎"},
        "outputs": [1],
        "finding": True,
        "requires": "pneumonia",
    },
    {
        "code": "viral_pneumonia",
        "title": {"en": "Viral pneumonia", "zh-hans": "病毒性肺炎"},
        "outputs": [2],
        "finding": True,
        "requires": "pneumonia",
    },
    {"code": "normal", "title": {"en": "No pneumonia", "zh-hans": "未见肺炎"}, "outputs": [0], "finding": False},
]
_INTENDED_USE = {
    "en": "Decision support for doctors: which frontal chest films of young children may show pneumonia and should be "
    "read first. It does not replace the reading, and it is not a medical device.",
    "zh-hans": "供医生决策参考：提示哪些幼儿正位胸片可能有肺炎、应优先阅片。不能代替医生阅片，不是医疗器械。",
}
_POPULATION = {
    "en": "Children of one to five years from one hospital in Guangzhou, China.",
    "zh-hans": "来自中国广州一家医院的一至五岁儿童。",
}
_LIMITS = [
    {
        "en": "One hospital, one continent, one age group: elsewhere its probabilities are not calibrated.",
        "zh-hans": "数据来自单一医院、单一地区、单一年龄段；用于其他人群时概率未经校准。",
    },
    {
        "en": "It knows three classes only: effusion, pneumothorax, fractures and tumours are not looked for.",
        "zh-hans": "仅识别三类：不检测积液、气胸、骨折和肿瘤。",
    },
    {
        "en": "Bacterial and viral pneumonia overlap on films; the kind needs laboratory tests.",
        "zh-hans": "细菌性与病毒性肺炎影像表现重叠，病原类型须经实验室检查确定。",
    },
    {
        "en": "Trained on films of 224 x 224 pixels: small findings are lost.",
        "zh-hans": "以 224 × 224 像素胸片训练，细小病灶可能丢失。",
    },
]
