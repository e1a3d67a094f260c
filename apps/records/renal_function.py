"""Estimated glomerular filtration rate from the record."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from apps.patients.models import Patient, Sex
from apps.records.models import Observation

CREATININE = "2160-0"
RECENT = timedelta(days=365)
ADULT = 18


def newest_egfr(patient: Patient) -> float | None:
    """Return the estimated GFR in mL/min/1.73 m² from the newest creatinine of a year; None if it is not known.

    The equation holds for adults of known age and sex. A creatinine that is only known as a limit is no number, and an
    older one is out of date: below a limit of detection nothing is known; above a limit of measurement the true rate is
    lower still than the result, so that every reason against a drug that follows from it holds.
    """
    if patient.birth_date is None or patient.sex not in (Sex.FEMALE, Sex.MALE):
        return None
    age = (timezone.localdate() - patient.birth_date).days // 365.25
    if age < ADULT:
        return None
    rows = Observation.objects.filter(
        case__patient=patient, code=CREATININE, voided_at=None, at__gte=timezone.now() - RECENT
    ).select_related("case")
    newest = rows.order_by("-at", "-id").first()
    if newest is not None and newest.comparator.startswith("<"):
        return None
    sex = "female" if patient.sex == Sex.FEMALE else "male"
    return None if newest is None else round(egfr(newest.value, int(age), sex), 0)


def egfr(creatinine: float, age: int, sex: str) -> float:
    """Estimated GFR in mL/min/1.73 m² from creatinine in mg/dL (CKD-EPI 2021; Inker et al., NEJM 2021)."""
    kappa, alpha, factor = (0.7, -0.241, 1.012) if sex == "female" else (0.9, -0.302, 1.0)
    ratio = creatinine / kappa
    return float(142 * min(ratio, 1) ** alpha * max(ratio, 1) ** -1.2 * 0.9938**age * factor)
