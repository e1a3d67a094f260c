"""CDS Hooks 2.0 services: guideline recommendations for a patient, checks of drafted orders.

Clients authenticate with a clinician's token (scope ``recommendations:read``) instead of the standard's
server-to-server JWT, so that they see what that clinician may see. Cards are never shown to patients.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import audit
from apps.accounts.access import AsksGuidelines
from apps.accounts.actors import signed_in
from apps.accounts.models import User
from apps.patients.access import visible_to as visible_patients
from apps.patients.models import Patient
from apps.patients.queries import with_identity
from apps.recommendations import engine
from apps.recommendations.access import visible_to
from apps.recommendations.drafts import Draft, drafts_of
from apps.recommendations.guidelines.drug_names import drugs_in
from apps.recommendations.guidelines.expressions import Facts
from apps.recommendations.guidelines.rule_engine import Decision
from apps.recommendations.models import OPEN_STATES, CareItem, Recommendation
from apps.recommendations.patient_facts import facts_of, order_context
from apps.recommendations.queries import format_fact
from apps.terminology.drugs import ingredients_of_code
from apps.terminology.order_check import Warning as OrderWarning
from apps.terminology.order_check import check_order

INDICATORS = {"routine": "info", "soon": "warning", "urgent": "critical"}
SERVICES = {
    "medportal-patient": ("patient-view", "What guidelines recommend for this patient, with citations."),
    "medportal-order": ("order-select", "Allergies, interactions and guideline rules against drafted medication."),
    "medportal-order-sign": ("order-sign", "Allergies, interactions and guideline rules against orders to sign."),
}
SEVERITIES = {"contraindicated": "critical", "high": "critical", "moderate": "warning", "low": "info"}
"""Indicator of a card by the severity of a warning."""
PREFETCH = {"patient": "Patient/{{context.patientId}}"}
NAMESPACE = uuid.UUID("6d656470-6f72-7461-6c2d-63617264732d")
MAX_DRAFTS = 50


class CallSerializer(serializers.Serializer[None]):
    hook = serializers.CharField(max_length=60)
    hookInstance = serializers.UUIDField()  # noqa: N815  # the standard's name
    context = serializers.DictField()  # type: ignore[assignment]  # the standard's name
    prefetch = serializers.DictField(required=False)


class OneFeedback(serializers.Serializer[None]):
    card = serializers.UUIDField()
    outcome = serializers.ChoiceField(choices=["accepted", "overridden"])
    outcomeTimestamp = serializers.DateTimeField()  # noqa: N815
    overrideReason = serializers.DictField(required=False)  # noqa: N815
    acceptedSuggestions = serializers.ListField(required=False)  # noqa: N815


class FeedbackSerializer(serializers.Serializer[None]):
    feedback = serializers.ListField(child=OneFeedback(), allow_empty=False, max_length=200)


class Discovery(APIView):
    """CDS Hooks discovery endpoint."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(responses=OpenApiTypes.OBJECT, operation_id="cds_services")
    def get(self, request: Request) -> Response:
        """List the CDS services."""
        services = [
            {"id": name, "hook": hook, "title": "MedPortal", "description": text, "prefetch": PREFETCH}
            for name, (hook, text) in SERVICES.items()
        ]
        return Response({"services": services})


class Service(APIView):
    """CDS Hooks service endpoint."""

    permission_classes = (AsksGuidelines,)

    @extend_schema(request=CallSerializer, responses=OpenApiTypes.OBJECT, operation_id="cds_service")
    def post(self, request: Request, name: str) -> Response:
        """Return the cards for a hook: decision support, not a diagnosis."""
        if name not in SERVICES:
            raise Http404
        serializer = CallSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        call = serializer.validated_data
        if call["hook"] != SERVICES[name][0]:
            raise serializers.ValidationError({"hook": f"this service is for {SERVICES[name][0]}"})
        actor = signed_in(request)
        patient = _patient(actor, str(call["context"].get("patientId", "")))
        audit.record(actor, "record.opened", patient, why="treatment", part=f"cds {call['hook']}")
        if call["hook"] == "patient-view":
            return Response({"cards": _recommended(actor, patient)})
        return Response({"cards": _against(patient, *_drafts(call["context"]))})


class Feedback(APIView):
    """CDS Hooks feedback endpoint."""

    permission_classes = (AsksGuidelines,)

    @extend_schema(request=FeedbackSerializer, responses={200: None}, operation_id="cds_feedback")
    def post(self, request: Request, name: str) -> Response:
        """Log the feedback to the recommendations' history; decisions are only made on their pages."""
        if name not in SERVICES:
            raise Http404
        serializer = FeedbackSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        actor = signed_in(request)
        with transaction.atomic():
            for entry in serializer.validated_data["feedback"]:
                row = visible_to(actor).filter(pk=entry["card"]).select_related("patient", "item").first()
                if row is not None:
                    words = str((entry.get("overrideReason") or {}).get("userComment", ""))[:500]
                    engine.log_recommendation_event(row, "cds", actor, words, outcome=entry["outcome"])
                    audit.record(actor, "recommendation.feedback", row, why="treatment", outcome=entry["outcome"])
        return Response()


def _patient(actor: User, identifier: str) -> Patient:
    """Find a patient by MedPortal id, or by MRN without an issuer.

    Raises:
        NotFound: if there is none the actor may see.
    """
    try:
        patient = visible_patients(actor).filter(pk=uuid.UUID(identifier)).first()
    except ValueError:
        known = with_identity(identifier, "") if identifier else None
        patient = visible_patients(actor).filter(pk=known.pk).first() if known else None
    if patient is None:
        raise NotFound("context.patientId names no patient of this clinician: send MedPortal's id or the MRN")
    return patient


def _recommended(actor: User, patient: Patient) -> list[dict[str, Any]]:
    rows = {
        row.item.code: row
        for row in visible_to(actor).filter(patient=patient, state__in=OPEN_STATES).select_related("patient", "item")
    }
    items = {row.code: row for row in CareItem.objects.filter(withdrawn_at=None)}
    verdict = engine.verdict_of(patient, facts_of(patient))
    in_cooldown = engine.items_in_cooldown(patient)
    proposed = [row for row in verdict.decisions if row.proposed and (row.item in rows or row.item not in in_cooldown)]
    if any(row.item not in rows for row in proposed):
        engine.request_evaluation(patient)
    cards = [_card(row, items[row.item], rows.get(row.item), patient) for row in proposed]
    return sorted(cards, key=lambda card: list(INDICATORS.values()).index(card["indicator"]), reverse=True)


def _card(decision: Decision, item: CareItem, row: Recommendation | None, patient: Patient) -> dict[str, Any]:
    first = decision.grounds[0].rule
    facts = [
        format_fact(fact.title, fact.values, fact.unit)
        for ground in decision.grounds
        for fact in ground.facts
        if fact.values
    ]
    path = (
        reverse("recommendations:detail", args=[row.pk])
        if row
        else reverse("recommendations:patient", args=[patient.pk])
    )
    return {
        "uuid": str(row.pk if row else uuid.uuid5(NAMESPACE, f"{patient.pk}{item.code}")),
        "summary": item.title[:139],
        "detail": "\n".join(["; ".join(facts), *(f"- {ground.rule.citation}" for ground in decision.grounds)]).strip(),
        "indicator": INDICATORS[decision.urgency],
        "source": {"label": first.citation[:200], **({"url": first.url} if first.url else {})},
        "links": [{"label": _("Review in MedPortal"), "url": settings.SITE_URL + path, "type": "absolute"}],
    }


def _drafts(context: dict[str, Any]) -> tuple[list[Draft], int]:
    """The drafted medication that is checked, and the number of drafts beyond the limit.

    Raises:
        ValidationError: if the context has no Bundle.
    """
    bundle = context.get("draftOrders")
    entries = bundle.get("entry", []) if isinstance(bundle, dict) else None
    if not isinstance(entries, list):
        raise serializers.ValidationError({"context": "draftOrders is a Bundle of drafted orders"})
    drafts = drafts_of(entries)
    return drafts[:MAX_DRAFTS], max(len(drafts) - MAX_DRAFTS, 0)


def _against(patient: Patient, drafts: list[Draft], unchecked: int) -> list[dict[str, Any]]:
    """Warnings about drafted orders: allergies, interactions, and rules that only hold with the drafts."""
    allergies, medications = order_context(patient)
    facts = facts_of(patient)
    cards = []
    for draft in drafts:
        warnings = check_order(
            draft.text,
            codes=draft.codes,
            allergies=allergies,
            medications=medications,
            pregnant=bool(facts.get("pregnant")),
            egfr=facts.get("egfr"),
        )
        cards += [_warning(patient, warning) for warning in warnings]
        medications.append(draft.known_code or draft.text)
    if unchecked:
        text = _("%(number)s orders were not checked: send at most %(limit)s at a time")
        text %= {"number": unchecked, "limit": MAX_DRAFTS}
        cards.append(_warning(patient, OrderWarning("not-recognised", "moderate", text)))
    unique = {card["uuid"]: card for card in cards}
    return [*unique.values(), *_rules_with(patient, drafts, facts)]


def _rules_with(patient: Patient, drafts: list[Draft], facts: Facts) -> list[dict[str, Any]]:
    """Cards of the guideline rules that hold with the drafts and not without."""
    before = {row.item for row in engine.verdict_of(patient, facts).decisions if row.proposed}
    by_code = [part.name for draft in drafts for part in ingredients_of_code(draft.known_code)]
    ordered = [name for draft in drafts if not draft.known_code for name in drugs_in(draft.text)] + by_code
    with_drafts = {**facts, "medications": [*facts.get("medications", []), *ordered]}
    items = {row.code: row for row in CareItem.objects.filter(withdrawn_at=None)}
    cards = []
    for decision in engine.verdict_of(patient, with_drafts).decisions:
        if decision.proposed and decision.item not in before and items[decision.item].clinicians_only:
            card = _card(decision, items[decision.item], None, patient)
            cards.append({**card, "summary": (_("With this order: %(advice)s") % {"advice": card["summary"]})[:139]})
    return cards


def _warning(patient: Patient, warning: OrderWarning) -> dict[str, Any]:
    return {
        "uuid": str(uuid.uuid5(NAMESPACE, f"{patient.pk}{warning.kind}{warning.text}")),
        "summary": warning.text[:139],
        "detail": warning.text,
        "indicator": SEVERITIES[warning.severity],
        "source": {"label": settings.HOSPITAL_NAME},
    }
