from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.actors import System
from apps.accounts.models import User
from apps.cases import services
from apps.patients.models import Patient
from apps.recommendations import catalogue, engine
from apps.recommendations.jobs import EvaluateRules
from apps.recommendations.models import Recommendation, RuleEvaluation
from apps.records.models import Case, StatementKind
from apps.records.problem_list import add_statement

ACTOR = System("a test")


def item(code: str, **given: Any) -> dict[str, Any]:
    """An item with plain words."""
    words = {"en": f"We advise {code}.", "zh-hans": f"建议{code}。"}
    return {"code": code, "kind": "screening", "title": words, "patient_text": words, "what_to_do": words, **given}


def rule(code: str, item_code: str, condition: str, **given: Any) -> dict[str, Any]:
    """A rule that holds for some and not for a child of five."""
    said: dict[str, Any] = {
        "effect": "propose",
        "urgency": "routine",
        "due_days": 90,
        "repeat_days": 0,
        "citation": f"Guideline of {code}",
        "url": "https://example.org/",
        "grade": "B",
        "because": [{"title": {"en": "Age", "zh-hans": "年龄"}, "expression": "age", "unit": "a"}],
        "examples": [
            {"facts": {"age": 60, "smoker": True, "problems": ["J18.9"]}, "holds": True},
            {"facts": {"age": 5}, "holds": False},
        ],
        **given,
    }
    return {"code": code, "item": item_code, "condition": condition, **said}


@pytest.fixture
def guidelines(db: None) -> None:
    """A small catalogue: a screening, a vaccination with a contraindication, a treatment for clinicians."""
    pregnancy = {"condition": "pregnant", "reason": {"en": "Pregnancy", "zh-hans": "妊娠"}}
    content = {
        "items": [
            item("screening"),
            item("vaccine", kind="vaccination", contraindications=[pregnancy]),
            item("treatment", kind="treatment", clinicians_only=True),
        ],
        "rules": [
            rule("screen-50", "screening", "age >= 50"),
            rule("vaccinate-50", "vaccine", "age >= 50", urgency="soon"),
            rule(
                "treat", "treatment", "problems.where($this.startsWith('J18')).exists()", urgency="urgent", due_days=1
            ),
        ],
    }
    catalogue.load(content, actor=ACTOR)


@pytest.fixture
def case(patient: Patient, doctor: User) -> Case:
    return services.open_case(patient, title="Cough", started_at=timezone.now() - timedelta(hours=9), actor=doctor)


def problem(case: Case, code: str, doctor: User) -> None:
    """A problem on the case's list."""
    add_statement(case, StatementKind.PROBLEM, text=code, code=code, actor=doctor)


def answered(patient: Patient) -> dict[str, Recommendation]:
    """What the worker does: recommendations by item."""
    engine.request_evaluation(patient)
    for pk in RuleEvaluation.objects.filter(patient=patient, state="queued").values_list("pk", flat=True):
        EvaluateRules().execute(pk)
    rows = Recommendation.objects.filter(patient=patient).select_related("item", "patient").order_by("proposed_at")
    return {row.item.code: row for row in rows}
