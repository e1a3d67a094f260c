"""From facts to proposals: consent, contraindications, recall, conflicts, broken rules."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import CareTeam, Notice, User
from apps.inference.jobs import analyse
from apps.inference.models import Finding, Verdict
from apps.inference.review import review as review_finding
from apps.jobs.errors import UserError
from apps.jobs.models import State
from apps.patients.consent import record_consent
from apps.patients.models import ConsentState, Patient, Purpose
from apps.recommendations import active_ranker, catalogue, engine, maintenance, patient_response, review
from apps.recommendations.models import CareItem, GuidelineRule, Recommendation, RecommendationState, RuleEvaluation
from apps.recommendations.patient_facts import egfr, facts_of, months, years
from apps.records import observations
from apps.records.models import Case
from tests.case_factories import deliver_events
from tests.factories import arrive, film_file
from tests.recommendations.conftest import ACTOR, answered, item, problem, rule

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("guidelines")]


def test_rules_propose_with_their_facts(patient: Patient, doctor: User) -> None:
    rows = answered(patient)
    assert set(rows) == {"screening", "vaccine"}
    assert rows["vaccine"].urgency == 1 and rows["screening"].urgency == 0
    ground = rows["screening"].why["grounds"][0]
    assert (ground["rule"], ground["version"]) == ("screen-50", 1)
    assert ground["facts"][0]["values"] == [str(facts_of(patient)["age"])]
    assert rows["screening"].due == timezone.localdate() + timedelta(days=90)
    assert Notice.objects.filter(user=doctor, code="recommendations_waiting").count() == 1


def test_a_limit_is_no_number_for_rules(patient: Patient, case: Case, doctor: User) -> None:
    """Neither the limit nor the older number is what the newest result says."""
    now = timezone.now()
    for code, value, unit, hours in (
        ("2160-0", "3.0", "mg/dL", 5),
        ("2160-0", "<0.5", "mg/dL", 2),
        ("2524-7", ">2", "mmol/L", 5),
        ("2524-7", "1.8", "mmol/L", 2),
    ):
        observations.add(case, code, value, unit, now - timedelta(hours=hours), actor=doctor)
    facts = facts_of(patient)
    assert [(row["code"], row["value"]) for row in facts["observations"]] == [("2524-7", 1.8)]
    assert "egfr" not in facts


def test_asking_again_proposes_nothing_twice_and_waits_once(patient: Patient) -> None:
    first = answered(patient)
    engine.request_evaluation(patient)
    engine.request_evaluation(patient, interactive=True)
    assert RuleEvaluation.objects.filter(patient=patient, state="queued").count() == 1
    assert RuleEvaluation.objects.get(patient=patient, state="queued").urgency == 1
    assert {code: row.pk for code, row in answered(patient).items()} == {code: row.pk for code, row in first.items()}


def test_a_patient_without_data_gets_nothing(team: CareTeam) -> None:
    from tests.factories import take_in

    received = take_in(film_file(4, mrn="MRN-2", birth_date=None), team)
    assert received.instance is not None
    nobody = received.instance.series.study.patient
    assert answered(nobody) == {}
    assert facts_of(nobody).get("age") is None


def test_a_contraindication_holds_back_and_recalls(patient: Patient, case: Case, doctor: User) -> None:
    row = review.release(answered(patient)["vaccine"], revision=1, actor=doctor)
    problem(case, "Z34.90", doctor)
    after = answered(patient)["vaccine"]
    assert after.state == RecommendationState.RECALLED
    assert "Pregnancy" in after.steps.get(act="recalled").reason
    assert Notice.objects.filter(user=patient.portal_user, code="recommendation_recalled").exists()
    with pytest.raises(UserError) as refused:
        review.release(row, revision=after.revision, actor=doctor)
    assert refused.value.code == "recommendation_closed"


def test_what_is_forbidden_since_it_was_proposed_is_not_released(patient: Patient, case: Case, doctor: User) -> None:
    row = answered(patient)["vaccine"]
    problem(case, "O09.90", doctor)
    with pytest.raises(UserError) as refused:
        review.release(row, revision=1, actor=doctor)
    assert refused.value.code == "recommendation_forbidden" and "Pregnancy" in str(refused.value)
    row.refresh_from_db()
    assert row.state == RecommendationState.PROPOSED


def test_facts_that_changed_take_a_proposal_back(patient: Patient) -> None:
    assert answered(patient)["screening"].is_open
    Patient.objects.filter(pk=patient.pk)
    fresh = Patient.objects.get(pk=patient.pk)
    fresh.birth_date = timezone.localdate() - timedelta(days=20 * 365)
    fresh.save()
    assert answered(fresh)["screening"].state == RecommendationState.RECALLED


def test_a_rule_that_stumbles_stops_no_other_and_is_told_once(patient: Patient, admin_user: User) -> None:
    first = answered(patient)["screening"]
    broken = GuidelineRule.objects.get(code="screen-50", active=True)
    GuidelineRule.objects.filter(pk=broken.pk).update(content={**broken.content, "condition": "age.nonsense("})
    rows = answered(patient)
    assert rows["vaccine"].is_open
    assert rows["screening"].pk == first.pk and rows["screening"].is_open  # not the facts have changed
    answered(patient)
    assert Notice.objects.filter(user=admin_user, code="rule_stumbled").count() == 1
    assert GuidelineRule.objects.get(pk=broken.pk).broken


def test_rules_that_disagree_are_held_back_and_shown(patient: Patient) -> None:
    catalogue.save_rule(rule("not-so", "screening", "age >= 60", effect="avoid"), actor=ACTOR)
    assert "screening" not in answered(patient)
    decisions = engine.verdict_of(patient, facts_of(patient)).decisions
    assert [one.item for one in decisions if not one.proposed] == ["screening"]


def test_without_consent_to_care_nothing_is_proposed(patient: Patient, doctor: User) -> None:
    record_consent(patient, Purpose.CARE, ConsentState.WITHDRAWN, actor=doctor)
    assert answered(Patient.objects.get(pk=patient.pk)) == {}


def test_without_consent_to_models_rules_still_answer_and_no_model_orders(
    patient: Patient, doctor: User, packages: None
) -> None:
    known = {"items": [item("stop-smoking")], "rules": [rule("stop-50", "stop-smoking", "age >= 50")]}
    catalogue.load(known, actor=ACTOR)
    ordered = answered(patient)["stop-smoking"]
    assert ordered.why["ranker"].startswith("care-ranker") and ordered.why["ranked"]["shares"]
    record_consent(patient, Purpose.AI, ConsentState.WITHDRAWN, actor=doctor)
    plain = answered(Patient.objects.get(pk=patient.pk))["stop-smoking"]
    assert "ranked" not in plain.why and plain.is_open


def test_a_model_that_was_never_trained_leaves_the_order_to_urgency(patient: Patient) -> None:
    assert active_ranker.active() == (None, "")
    rows = answered(patient)
    assert rows["vaccine"].position < rows["screening"].position and "ranked" not in rows["vaccine"].why


def test_what_a_model_found_counts_after_a_doctors_word(packages: None, team: CareTeam, doctor: User) -> None:
    catalogue.save_rule(
        rule("treat-finding", "treatment", "findings.where(label = 'pneumonia' and confirmed).exists()",
             examples=[{"facts": {"findings": [{"label": "pneumonia", "confirmed": True}]}, "holds": True},
                       {"facts": {"findings": [{"label": "pneumonia", "confirmed": False}]}, "holds": False}]),
        actor=ACTOR,
    )  # fmt: skip
    analysis = arrive(film_file(3, pattern="focal"), team)
    analyse(str(analysis.pk))
    person = analysis.series.study.patient
    assert "treatment" not in answered(person)
    finding = Finding.objects.get(analysis=analysis, label="pneumonia")
    assert finding.positive
    review_finding(finding, Verdict.AGREE, actor=doctor)
    assert answered(person)["treatment"].item.clinicians_only
    review_finding(finding, Verdict.DISAGREE, actor=doctor)
    assert answered(person)["treatment"].state == RecommendationState.RECALLED


def test_an_item_withdrawn_after_release_is_recalled_everywhere(
    patient: Patient, doctor: User, admin_user: User
) -> None:
    row = review.release(answered(patient)["screening"], revision=1, actor=doctor)
    assert engine.withdraw_item(row.item, "A better test", actor=admin_user) == 1
    row.refresh_from_db()
    assert row.state == RecommendationState.RECALLED and "A better test" in row.steps.get(act="recalled").reason
    assert engine.withdraw_item(row.item, "", actor=admin_user) == 0
    assert "screening" not in {code for code, one in answered(patient).items() if one.is_open}
    with pytest.raises(PermissionError):
        engine.withdraw_item(row.item, "", actor=doctor)


def test_what_was_declined_stays_quiet_for_half_a_year(patient: Patient, doctor: User, patient_user: User) -> None:
    row = review.release(answered(patient)["screening"], revision=1, actor=doctor)
    patient_response.answer(row, "declined", actor=patient_user, reason="I do not want it")
    assert answered(patient)["screening"].state == RecommendationState.DECLINED
    long_ago = timezone.now() - timedelta(days=engine.COOLDOWN_DAYS + 1)
    Recommendation.objects.filter(pk=row.pk).update(closed_at=long_ago)
    assert answered(patient)["screening"].is_open


def test_the_catalogue_refuses_what_cannot_work(admin_user: User, doctor: User) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        (rule("a", "screening", "age >"), "rule_broken"),
        (rule("a", "nothing", "age >= 50"), "item_unknown"),
        (rule("a", "screening", "age >= 50", examples=[]), "rule_untested"),
        (rule("a", "screening", "age >= 99"), "rule_examples"),
    ]
    for given, code in cases:
        with pytest.raises(UserError) as refused:
            catalogue.save_rule(given, actor=admin_user)
        assert refused.value.code == code
    hard = "Pharmacological prophylaxis necessitates individualised anticoagulation considerations."
    for given, code in [
        (item("hard", patient_text={"en": hard, "zh-hans": "难"}), "recommendation_hard"),
        (item("circle", after=["circle"]), "item_circle"),
        (item("lost", after=["nowhere"]), "item_unknown"),
        (item("broken", contraindications=[{"condition": "(", "reason": {"en": "x", "zh-hans": "x"}}]), "rule_broken"),
        (item("screening"), "item_changed"),
    ]:
        with pytest.raises(UserError) as refused:
            catalogue.save_item(given, revision=0, actor=admin_user)
        assert refused.value.code == code, given["code"]
    assert not CareItem.objects.filter(code__in=("hard", "circle", "lost", "broken")).exists()
    with pytest.raises(PermissionError):
        catalogue.save_item(item("mine"), revision=0, actor=doctor)


def test_a_rule_has_versions_and_loading_again_changes_nothing(admin_user: User) -> None:
    assert catalogue.save_rule(rule("screen-50", "screening", "age >= 50"), actor=admin_user) is None
    newer = catalogue.save_rule(rule("screen-50", "screening", "age >= 45"), actor=admin_user)
    assert newer is not None and newer.version == 2
    assert [row.version for row in GuidelineRule.objects.filter(code="screen-50", active=True)] == [2]
    assert catalogue.load(catalogue.bundled(), actor=ACTOR)[0] == len(catalogue.bundled()["items"])
    assert catalogue.load(catalogue.bundled(), actor=ACTOR) == (0, 0)


def test_the_software_brings_back_nothing_that_an_administrator_decided(admin_user: User) -> None:
    items = [item("screening"), item("vaccine", kind="vaccination")]
    rules = [rule("screen-50", "screening", "age >= 50"), rule("vaccinate-50", "vaccine", "age >= 50", urgency="soon")]
    bundled = {"items": items, "rules": rules}
    words = {"en": "Our own words.", "zh-hans": "自己的话。"}
    catalogue.save_item(item("screening", patient_text=words), revision=1, actor=admin_user)
    catalogue.save_rule(rule("screen-50", "screening", "age >= 55"), actor=admin_user)
    catalogue.stop_rule(GuidelineRule.objects.get(code="vaccinate-50", active=True), actor=admin_user)
    changed = catalogue.load(bundled, actor=ACTOR)
    assert changed == (1, 0)  # the vaccine's item, which nobody touched and which lost its contraindication
    assert CareItem.objects.get(code="screening").content["patient_text"] == words
    assert GuidelineRule.objects.get(code="screen-50", active=True).content["condition"] == "age >= 55"
    assert not GuidelineRule.objects.filter(code="vaccinate-50", active=True).exists()
    assert catalogue.load(bundled, actor=admin_user)[1] == 2  # a person who brings a file means it


def test_a_treatment_is_for_clinicians_whatever_its_item_says(admin_user: User) -> None:
    saved = catalogue.save_item(item("pills", kind="treatment", clinicians_only=False), revision=0, actor=admin_user)
    assert saved.clinicians_only


def test_time_expires_reminds_and_looks_again(patient: Patient, doctor: User, patient_user: User) -> None:
    rows = answered(patient)
    review.release(rows["screening"], revision=1, actor=doctor)
    today = timezone.localdate()
    Recommendation.objects.filter(pk=rows["vaccine"].pk).update(due=today - maintenance.LATE - timedelta(days=1))
    Recommendation.objects.filter(pk=rows["screening"].pk).update(
        due=today + timedelta(days=3), released_at=timezone.now() - timedelta(days=30)
    )
    Notice.objects.all().delete()
    assert (maintenance.expire(), maintenance.remind(), maintenance.remind()) == (1, 1, 0)
    assert Recommendation.objects.get(pk=rows["vaccine"].pk).state == RecommendationState.EXPIRED
    assert Notice.objects.filter(user=patient_user, code="recommendation_reminder").count() == 1
    assert maintenance.evaluate_stale_patients() == 0
    RuleEvaluation.objects.update(queued_at=timezone.now() - timedelta(days=8))
    assert maintenance.evaluate_stale_patients() == 1


def test_facts(case: Case, patient: Patient, doctor: User) -> None:
    problem(case, "F17.210", doctor)
    now = timezone.now() - timedelta(minutes=5)
    for code, value, unit in (("29463-7", "90", "kg"), ("8302-2", "180", "cm"), ("2160-0", "1.0", "mg/dL")):
        observations.add(case, code, value, unit, now, actor=doctor)
    facts = facts_of(patient)
    assert facts["bmi"] == 27.8 and facts["smoker"] is True and facts["sex"] == "female"
    # CKD-EPI 2021 for a woman of 66 with 1.0 mg/dL
    assert facts["egfr"] == pytest.approx(round(142 * (1 / 0.7) ** -1.2 * 0.9938 ** facts["age"] * 1.012))


def test_ages_and_kidneys() -> None:
    from datetime import date

    assert years(date(2000, 2, 29), date(2026, 2, 28)) == 25 and years(date(2000, 2, 29), date(2026, 3, 1)) == 26
    assert months(date(2025, 12, 31), date(2026, 2, 28)) == 1
    assert egfr(0.9, 40, "male") == pytest.approx(142 * 0.9938**40)
    assert egfr(0.7, 30, "female") == pytest.approx(142 * 0.9938**30 * 1.012)


def test_changes_of_the_chart_have_the_rules_evaluated_again(case: Case, doctor: User) -> None:
    def evaluations() -> int:
        deliver_events()
        return RuleEvaluation.objects.filter(patient=case.patient, state=State.QUEUED).update(state=State.SUCCEEDED)

    evaluations()
    problem(case, "I10", doctor)
    assert evaluations() == 1
    observations.add(case, "8867-4", "80", "/min", timezone.now() - timedelta(minutes=1), actor=doctor)
    assert evaluations() == 1
    assert evaluations() == 0
