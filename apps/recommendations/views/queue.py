"""Review of recommendations by clinicians: queue, detail page, bulk decisions, patient page."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from apps.accounts import audit
from apps.accounts.access import role_required
from apps.accounts.actors import signed_in
from apps.accounts.models import CLINICIANS, PHYSICIANS
from apps.accounts.untrusted_input import whole_number
from apps.explainability.drawing import charts
from apps.jobs.errors import UserError
from apps.patients.access import active_emergencies
from apps.patients.access import visible_to as visible_patients
from apps.recommendations import engine, review
from apps.recommendations.access import can
from apps.recommendations.forms import WordsForm
from apps.recommendations.guidelines.plain import grade
from apps.recommendations.labels import FEATURES, STEPS
from apps.recommendations.models import CareItem, Recommendation, RuleEvaluation
from apps.recommendations.patient_facts import facts_of
from apps.recommendations.queries import PAGE, STATES, fact_summary, full, grounds, localised, of_patient, others, queue

ACTS = {"approve": review.approve, "release": review.release, "done": review.mark_done}
SHOWN_SHARES = 7
WITH_REASON = {"reject": review.reject, "recall": review.recall}


@role_required(*CLINICIANS)
@require_GET
def review_queue(request: HttpRequest) -> HttpResponse:
    """Show the review queue by tab."""
    actor = signed_in(request)
    tab = request.GET.get("tab", "waiting")
    tab = tab if tab in STATES else "waiting"
    after = whole_number(request.GET.get("after"))
    patient_id = request.GET.get("patient", "")
    person = get_object_or_404(visible_patients(actor), pk=patient_id) if _is_uuid(patient_id) else None
    page = queue(actor, tab, after=after, patient=person)
    audit.record(actor, "recommendations.listed", why="treatment", rows=len(page.rows))
    context = {
        "page": page,
        "patient": person,
        "rows": [(row, fact_summary(row)) for row in page.rows],
        "tab": tab,
        "tabs": [
            ("waiting", _("To review"), page.counts["waiting"]),
            ("approved", _("Approved"), page.counts["approved"]),
            ("out", _("With patients"), page.counts["out"]),
            ("closed", _("Closed"), page.counts["closed"]),
        ],
        "older": after + PAGE if page.more else 0,
        "may_decide": actor.role in PHYSICIANS,
    }
    return render(request, "recommendations/queue.html", context)


@role_required(*PHYSICIANS)
@require_POST
def bulk(request: HttpRequest) -> HttpResponse:
    """Apply one decision to the selected recommendations."""
    actor = signed_in(request)
    chosen = [tuple(value.split(":", 1)) for value in request.POST.getlist("chosen") if value.count(":") == 1]
    numbered = [(pk, whole_number(revision, default=None)) for pk, revision in chosen if _is_uuid(pk)]
    pairs = [(pk, revision) for pk, revision in numbered if revision is not None]
    try:
        outcome = review.bulk_decide(
            pairs, request.POST.get("act", ""), actor=actor, reason=request.POST.get("reason", "")
        )
    except ValueError:
        raise Http404 from None
    if outcome.done:
        messages.success(request, ngettext("%(n)s decided.", "%(n)s decided.", outcome.done) % {"n": outcome.done})
    for title, why in outcome.refused:
        messages.error(request, f"{title}: {why}")
    if not pairs:
        messages.error(request, _("Nothing is selected."))
    person = request.POST.get("patient", "")
    query = f"?patient={person}" if _is_uuid(person) else ""
    return redirect(reverse("recommendations:queue") + query)


@role_required(*CLINICIANS)
@require_GET
def detail(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a recommendation with its rules, ranking and history."""
    actor = signed_in(request)
    row = get_object_or_404(full(actor), pk=pk)
    _audit(request, row)
    return render(request, "recommendations/detail.html", _detail(request, row))


@role_required(*CLINICIANS)
@require_POST
def act(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Decide on a recommendation; refusals are shown on its page."""
    actor = signed_in(request)
    row = get_object_or_404(full(actor), pk=pk)
    if not can(actor, "recommendations.decide_recommendation", row):
        raise Http404
    what, revision = request.POST.get("act", ""), whole_number(request.POST.get("revision"), default=None)
    if revision is None:
        raise Http404
    try:
        if what == "edit":
            form = WordsForm(request.POST)
            if not form.is_valid():
                return render(request, "recommendations/detail.html", _detail(request, row, form), status=422)
            try:
                review.edit(row, form.words, revision=revision, actor=actor)
            except UserError as refusal:
                form.add_error(None, str(refusal))
                return render(request, "recommendations/detail.html", _detail(request, row, form), status=422)
        elif what in ACTS:
            ACTS[what](row, revision=revision, actor=actor)
        elif what in WITH_REASON:
            WITH_REASON[what](row, request.POST.get("reason", ""), revision=revision, actor=actor)
        else:
            raise Http404
    except UserError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Recorded."))
    return redirect("recommendations:detail", pk)


@role_required(*CLINICIANS)
@require_GET
def patient(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a patient's recommendations, the items held back with reasons, and the facts."""
    actor = signed_in(request)
    person = get_object_or_404(visible_patients(actor), pk=pk)
    if not request.headers.get("X-Polling"):
        audit.record(actor, "record.opened", person, why=_why(request, person), part="recommendations")
    facts = facts_of(person)
    decisions = engine.verdict_of(person, facts).decisions
    newest = RuleEvaluation.objects.filter(patient=person).order_by("-queued_at").first()
    titles = {row.code: row.title for row in CareItem.objects.all()}
    context = {
        "patient": person,
        "rows": of_patient(actor, person),
        "held": [
            (titles.get(row.item, row.item), [localised(reason) for reason in row.held_back], row)
            for row in decisions
            if not row.proposed
        ],
        "facts": _shown(facts),
        "asking": newest is not None and not newest.finished,
        "newest": newest,
        "emergency": active_emergencies(actor).filter(patient=person).first(),
    }
    part = "recommendations/_patient.html" if request.headers.get("HX-Request") else "recommendations/patient.html"
    return render(request, part, context)


@role_required(*CLINICIANS)
@require_POST
def ask(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Request a rule evaluation now."""
    person = get_object_or_404(visible_patients(signed_in(request)), pk=pk)
    engine.request_evaluation(person, interactive=True)
    return redirect("recommendations:patient", pk)


def _detail(request: HttpRequest, row: Recommendation, form: WordsForm | None = None) -> dict[str, Any]:
    actor = signed_in(request)
    words = {part: row.words.get(part) or row.item.content[part] for part in ("patient_text", "what_to_do")}
    initial = {
        f"{part}_{short}": words[part].get(code, "")
        for part in words
        for short, code in (("en", "en"), ("zh", "zh-hans"))
    }
    ranked = row.why.get("ranked")
    shares = _shares(ranked["shares"]) if ranked else []
    shown = [(str(FEATURES.get(name, name)), value) for name, value in shares[:SHOWN_SHARES]]
    if rest := shares[SHOWN_SHARES:]:
        shown.append((_("all other factors"), sum(value for _name, value in rest)))
    return {
        "row": row,
        "patient": row.patient,
        "grounds": grounds(row),
        "grade": grade(" ".join(words[part].get("en", "") for part in words)),
        "form": form or WordsForm(initial={**initial, "revision": row.revision}),
        "editing": form is not None,
        "may_decide": can(actor, "recommendations.decide_recommendation", row),
        "steps": [(STEPS.get(step.act, step.act), step) for step in row.steps.all()],
        "others": others(row.item),
        "held": [localised(reason) for reason in engine.held_back_reasons(row)] if row.is_open else [],
        "model": row.why.get("ranker", "").rsplit(" ", 1) if ranked else None,
        "ranked": ranked,
        "bars": charts.waterfall(
            ranked["base"],
            shown,
            (_("an average patient"), _("this patient")),
        )
        if ranked
        else [],
        "emergency": active_emergencies(actor).filter(patient=row.patient).first(),
    }


def _shares(shares: dict[str, float]) -> list[tuple[str, float]]:
    """Shares by magnitude; the two age terms are merged, zero shares are dropped."""
    joined = {**shares, "age": shares.get("age", 0.0) + shares.get("age_squared", 0.0), "age_squared": 0.0}
    return sorted(((name, value) for name, value in joined.items() if value), key=lambda row: -abs(row[1]))


def _audit(request: HttpRequest, row: Recommendation) -> None:
    audit.record(signed_in(request), "recommendation.opened", row, why=_why(request, row.patient), item=row.item.code)


def _why(request: HttpRequest, person: Any) -> str:
    return "emergency" if active_emergencies(signed_in(request)).filter(patient=person).exists() else "treatment"


def _shown(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """Facts as the rules see them, so that clinicians can tell why something is not recommended."""
    formatted = []
    for name, value in facts.items():
        if name == "observations":
            value = [f"{row['code']} {row['value']:g}" for row in value]
        elif name == "findings":
            value = [f"{row['label']}{' ✓' if row['confirmed'] else ' ?'}" for row in value]
        formatted.append((name, ", ".join(map(str, value)) if isinstance(value, list) else str(value)))
    return formatted


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
