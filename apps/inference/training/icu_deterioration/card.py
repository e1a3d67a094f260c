"""The model card of ``icu-deterioration``."""

from __future__ import annotations

from typing import Any

import numpy as np

from apps.inference.engines.icu_timeseries.features import Grid
from apps.inference.training.icu_deterioration.data import CODES

SOURCE = (
    "PhysioNet/Computing in Cardiology Challenge 2012, sets a and b: 8,000 stays in four intensive care units of one "
    "hospital in Boston (Silva, Moody, Scott, Celi, Mark: Predicting in-hospital mortality of ICU patients, "
    "Computing in Cardiology 39, 2012; PhysioNet challenge-2012 1.0.0), Open Data Commons Attribution 1.0."
)
VARIABLES: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "ALP": ("Alkaline phosphatase", "碱性磷酸酶", "U/L", ("6768-6",)),
    "ALT": ("Alanine transaminase", "丙氨酸氨基转移酶", "U/L", ("1742-6",)),
    "AST": ("Aspartate transaminase", "天冬氨酸氨基转移酶", "U/L", ("1920-8",)),
    "Albumin": ("Albumin", "白蛋白", "g/dL", ("1751-7",)),
    "BUN": ("Blood urea nitrogen", "血尿素氮", "mg/dL", ("3094-0",)),
    "Bilirubin": ("Bilirubin, total", "总胆红素", "mg/dL", ("1975-2",)),
    "Cholesterol": ("Cholesterol", "胆固醇", "mg/dL", ("2093-3",)),
    "Creatinine": ("Creatinine", "肌酐", "mg/dL", ("2160-0",)),
    "DiasABP": ("Diastolic pressure, invasive", "有创舒张压", "mm[Hg]", ("76213-8",)),
    "FiO2": ("Inspired oxygen fraction", "吸入氧浓度", "1", ("3150-6",)),
    "GCS": ("Glasgow coma score", "格拉斯哥昏迷评分", "{score}", ("9269-2",)),
    "Glucose": ("Glucose", "血糖", "mg/dL", ("2345-7",)),
    "HCO3": ("Bicarbonate", "碳酸氢根", "mmol/L", ("1963-8",)),
    "HCT": ("Haematocrit", "红细胞压积", "%", ("4544-3",)),
    "HR": ("Heart rate", "心率", "/min", ("8867-4",)),
    "K": ("Potassium", "钾", "mmol/L", ("2823-3",)),
    "Lactate": ("Lactate", "乳酸", "mmol/L", ("2524-7",)),
    "MAP": ("Mean pressure, invasive", "有创平均动脉压", "mm[Hg]", ("76214-6",)),
    "MechVent": ("Mechanical ventilation", "机械通气", "{yes}", ("mechanical-ventilation",)),
    "Mg": ("Magnesium", "镁", "mg/dL", ("19123-9",)),
    "NIDiasABP": ("Diastolic pressure", "舒张压", "mm[Hg]", ("8462-4", "76535-4")),
    "NIMAP": ("Mean pressure", "平均动脉压", "mm[Hg]", ("8478-0", "76536-2")),
    "NISysABP": ("Systolic pressure", "收缩压", "mm[Hg]", ("8480-6", "76534-7")),
    "Na": ("Sodium", "钠", "mmol/L", ("2951-2",)),
    "PaCO2": ("Arterial carbon dioxide", "动脉二氧化碳分压", "mm[Hg]", ("2019-8",)),
    "PaO2": ("Arterial oxygen", "动脉氧分压", "mm[Hg]", ("2703-7",)),
    "Platelets": ("Platelets", "血小板", "10*3/uL", ("777-3",)),
    "RespRate": ("Respiration rate", "呼吸频率", "/min", ("9279-1",)),
    "SaO2": ("Oxygen saturation", "血氧饱和度", "%", ("2708-6", "59408-5")),
    "SysABP": ("Systolic pressure, invasive", "有创收缩压", "mm[Hg]", ("76215-3",)),
    "Temp": ("Temperature", "体温", "Cel", ("8310-5",)),
    "TroponinI": ("Troponin I", "肌钙蛋白 I", "ng/mL", ("10839-9",)),
    "TroponinT": ("Troponin T", "肌钙蛋白 T", "ng/mL", ("6598-7",)),
    "Urine": ("Urine output", "尿量", "mL", ("9187-6",)),
    "WBC": ("White blood cells", "白细胞", "10*3/uL", ("6690-2",)),
    "Weight": ("Weight", "体重", "kg", ("29463-7",)),
    "pH": ("Arterial pH", "动脉血 pH", "[pH]", ("2744-1",)),
}
"""The challenge's code to English, Chinese, UCUM unit and the observation codes (LOINC) mapped to it.

The challenge states mmol/L for magnesium; its values are in mg/dL.
"""
PARTS = {
    "blend": "cross-validation",
    "trees": "trees alone",
    "course": "course alone",
    "plain": "plain peer",
}


def card_of(
    grid: Grid,
    *,
    version: str,
    stays: int,
    deaths: int,
    threshold: float,
    metrics: dict[str, dict[str, Any]],
    recipe: dict[str, Any],
) -> dict[str, Any]:
    """Build the card without the files' digests."""
    how = (
        f"{stays} stays, {deaths} deaths, each judged by members that had not seen it (five folds by stay); blend and "
        "calibration from the other folds; 95 % intervals by 300 bootstrap draws over stays."
    )
    return {
        "name": "icu-deterioration",
        "version": version,
        "title": {"en": "Risk of death in hospital, intensive care", "zh-hans": "重症监护院内死亡风险"},
        "task": "series-classification",
        "runtime": "stays",
        "architecture": "five members of boosted trees on summaries and a masked GRU over hours, calibrated blend",
        "variables": [_variable(grid, index, code) for index, code in enumerate(CODES)],
        "thresholds": {
            "death": {
                "value": threshold,
                "operating_point": {
                    "en": "sensitivity and positive predictive value are equal after 48 hours",
                    "zh-hans": "48 小时时灵敏度与阳性预测值相等",
                },
            }
        },
        "metrics": [
            {"data": PARTS[name], "how": how, "patients": stays, "values": values} for name, values in metrics.items()
        ],
        "intended_use": {
            "en": "To show clinicians in intensive care how the risk of dying in hospital develops over the first 48 "
            "hours, and what drives it. Decision support beside the clinical picture; not for triage or limiting care.",
            "zh-hans": "供重症监护医护人员了解入院最初 48 小时内院内死亡风险的变化及其原因。仅供决策支持,不用于分诊或限制治疗。",
        },
        "population": {
            "en": "Adults (16 and older) in coronary, cardiac surgery, medical and surgical intensive care, one hospital, "
            "before 2009.",
            "zh-hans": "一家医院 2009 年以前的冠心病、心脏外科、内科与外科重症监护成人患者(16 岁及以上)。",
        },
        "patient_age": {"minimum": 16, "unknown": "accept"},
        "limits": [
            {
                "en": "One hospital, one decade: measure it on your own stays before you rely on it.",
                "zh-hans": "数据来自一家医院的一个十年,使用前请在本院数据上验证。",
            },
            {
                "en": "What was measured, and how often, is part of what it learned: care that differs shifts the risk.",
                "zh-hans": "模型也学习了测量项目与频率,诊疗习惯不同会使风险产生偏移。",
            },
            {
                "en": "No answer before hour 6 and none after hour 48.",
                "zh-hans": "第 6 小时之前和第 48 小时之后不作回答。",
            },
            {
                "en": "The band is the spread of five members, not a confidence interval of the patient's fate.",
                "zh-hans": "区间表示五个成员模型的差异,并非患者结局的置信区间。",
            },
        ],
        "training_data": [SOURCE],
        "training": recipe,
        "licence": "ODC-By-1.0",
        "attribution": SOURCE,
    }


def _variable(grid: Grid, index: int, code: str) -> dict[str, Any]:
    english, chinese, unit, codes = VARIABLES[code]
    values = grid.mean[:, :, index]
    low, typical, high = (float(value) for value in np.nanpercentile(values, [0.5, 50, 99.5]))
    return {
        "code": code,
        "title": {"en": english, "zh-hans": chinese},
        "unit": unit,
        "observations": list(codes),
        "low": round(low, 3),
        "typical": round(typical, 3),
        "high": round(high, 3),
    }
