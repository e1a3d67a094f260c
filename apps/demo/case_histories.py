"""Cases of the demo: three fictitious adults with generated values and written notes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from apps.synthetic.radiograph import Pattern


@dataclass(frozen=True)
class DemoCase:
    """One case: patient, radiograph, trend of the values, and notes by hours after admission."""

    mrn: str
    name: str
    birth_date: date
    sex: str
    seed: int
    pattern: Pattern
    title: str
    priority: int
    hours: int
    trend: float
    notes: tuple[tuple[float, str, str], ...]
    tasks: tuple[str, ...] = ()


CASES = (
    DemoCase(
        "SYN-9001",
        "Lindholm^Vera=林^薇",
        date(1951, 4, 17),
        "F",
        4_900_001,
        "focal",
        "Pneumonia with sepsis",
        2,
        34,
        1.0,
        (
            (
                0.6,
                "admission",
                "CHIEF COMPLAINT: Shortness of breath.\nHISTORY OF PRESENT ILLNESS: 75-year-old woman with fever, productive "
                "cough and increasing shortness of breath for 3 days. She denies chest pain and hemoptysis.\n"
                "PAST MEDICAL HISTORY: Hypertension, type 2 diabetes.\nFAMILY HISTORY: Father with coronary artery disease.\n"
                "MEDICATIONS: Metformin 850 mg twice daily, amlodipine 5 mg daily.\nALLERGIES: Penicillin.\n"
                "PHYSICAL EXAM: Temperature 38.9 C, heart rate 112, respiratory rate 26, SpO2 90 %. Crackles at the right base. "
                "No edema, no murmur.\nIMPRESSION: Community-acquired pneumonia, possible sepsis.\n"
                "PLAN: Blood cultures, ceftriaxone 2 g iv daily, azithromycin 500 mg iv daily, chest film.",
            ),
            (
                14.0,
                "progress",
                "SUBJECTIVE: More tired than yesterday, slept badly.\nEXAM: Heart rate 118, respiratory rate 28, SpO2 89 %. "
                "Blood pressure 98/54.\nASSESSMENT: Sepsis with respiratory failure, lactate rising. No pneumothorax on the film.\n"
                "PLAN: Noradrenaline, high-flow oxygen, discuss intubation.",
            ),
            (
                27.0,
                "nursing",
                "Confused since midnight. Urine output low. Family informed, the daughter will come at noon.",
            ),
        ),
        ("Repeat lactate in 2 hours", "Call the infectious disease team"),
    ),
    DemoCase(
        "SYN-9002",
        "Okoro^Samuel",
        date(1968, 9, 2),
        "M",
        4_900_002,
        "focal",
        "Cough after a cold",
        0,
        40,
        -0.4,
        (
            (
                1.0,
                "admission",
                "HISTORY: Cough for two weeks after a cold, no fever. He denies shortness of breath, chest pain and weight loss. "
                "He stopped smoking ten years ago.\nEXAM: Lungs clear, no wheezes. Temperature 36.9 C, heart rate 78, SpO2 97 %.\n"
                "IMPRESSION: Bronchitis. There is no pneumonia.\nPLAN: No antibiotics. Ibuprofen 400 mg as needed. Return if fever.",
            ),
            (
                22.0,
                "progress",
                "Feels better, cough less. No fever, no shortness of breath. Discharge tomorrow if the film is clear.",
            ),
        ),
        ("Follow-up call in one week",),
    ),
    DemoCase(
        "SYN-9003",
        "Chen^Guoqiang=陈^国强",
        date(1959, 12, 24),
        "M",
        4_900_003,
        "diffuse",
        "双肺感染",
        1,
        26,
        0.3,
        (
            (
                1.0,
                "admission",
                "主诉：发热、咳嗽5天。\n现病史：患者5天前出现发热，最高体温39.2℃，伴咳嗽、气促，无咯血，否认胸痛。\n既往史：高血压病史10年，否认糖尿病。\n"
                "家族史：母亲患糖尿病。\n查体：体温38.6℃，心率104次/分，呼吸24，双肺可闻及湿啰音，双下肢无水肿。\n诊断：考虑病毒性肺炎，不能排除细菌性肺炎。\n处理：奥司他韦 75 mg 口服 每日两次，吸氧。",
            ),
        ),
    ),
)
RULES = (("2708-6", None, 90.0), ("2524-7", 4.0, None), ("risk", 40.0, None))
"""Alarm rules: code, upper limit, lower limit."""


def values(case: DemoCase) -> Iterator[tuple[float, str, float]]:
    """Generate values as (hours after admission, code, value). A positive ``trend`` means deterioration."""
    rng = np.random.default_rng(case.seed)
    hourly = {
        "8867-4": (100.0, 1.1, 4.0), "9279-1": (22.0, 0.32, 1.5), "8480-6": (118.0, -1.0, 5.0), "8462-4": (66.0, -0.5, 4.0),
        "8478-0": (83.0, -0.7, 4.0), "2708-6": (93.0, -0.14, 0.8),
    }  # fmt: skip
    periodic = {
        "8310-5": (38.4, 0.02, 0.2, 4), "2524-7": (1.9, 0.12, 0.15, 4), "2160-0": (1.1, 0.035, 0.05, 8),
        "3094-0": (22, 0.6, 1, 8), "6690-2": (13.5, 0.2, 0.5, 8), "777-3": (230, -2.6, 8, 8), "1988-5": (120, 3, 8, 8),
        "2951-2": (138, 0.02, 0.6, 8), "2823-3": (4.1, 0.015, 0.1, 8), "1963-8": (22, -0.14, 0.5, 8),
        "2345-7": (150, 1, 10, 6), "9269-2": (15, -0.12, 0.0, 6), "2744-1": (7.37, -0.003, 0.01, 6),
        "2703-7": (72, -0.4, 3, 6), "2019-8": (36, 0.2, 1, 6), "9187-6": (60, -1.2, 8, 2), "3150-6": (32, 1.0, 2, 4),
    }  # fmt: skip
    for code, (start, slope, noise) in hourly.items():
        for hour in range(case.hours):
            yield hour + 0.1, code, float(round(start + case.trend * slope * hour + float(rng.normal(0, noise))))
    for code, (first, slope, scatter, interval) in periodic.items():
        for hour in range(1, case.hours, interval):
            value = first + case.trend * slope * hour + float(rng.normal(0, scatter))
            yield hour + 0.4, code, round(value, 0 if first >= 20 or code == "9269-2" else 2 if first < 8 else 1)
    yield 0.2, "29463-7", float(round(rng.normal(76, 9), 1))


def at(started: datetime, hours: float) -> datetime:
    """Return the time some hours after the start, in whole minutes."""
    return (started + timedelta(hours=hours)).replace(second=0, microsecond=0)
