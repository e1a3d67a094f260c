"""CDS Hooks 2.0 services: guideline recommendations for a patient, checks of drafted orders.

Clients authenticate with a clinician's token (scope ``recommendations:read``) instead of the standard's
server-to-server JWT, so that they see what that clinician may see. Cards are never shown to patients.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
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
from apps.recommendations.guidelines.allergies import conflicts
from apps.recommendations.guidelines.drug_names import drug_of, drugs_in, ingredients_of
from apps.recommendations.guidelines.rule_engine import Decision
from apps.recommendations.models import OPEN_STATES, CareItem, Recommendation
from apps.recommendations.patient_facts import facts_of
from apps.recommendations.queries import format_fact

INDICATORS = {"routine": "info", "soon": "warning", "urgent": "critical"}
SERVICES = {
    "medportal-patient": ("patient-view", "What guidelines recommend for this patient, with citations."),
    "medportal-order": ("order-select", "Allergies, contraindications and guideline rules against drafted medication."),
}
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
        return Response({"cards": _against(patient, _drafts(call["context"]))})


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


def _drafts(context: dict[str, Any]) -> list[str]:
    """Names of the drafted medication (MedicationRequest.medication, R4 and R5).

    Raises:
        ValidationError: if the context has no Bundle.
    """
    bundle = context.get("draftOrders")
    entries = bundle.get("entry", []) if isinstance(bundle, dict) else None
    if not isinstance(entries, list):
        raise serializers.ValidationError({"context": "draftOrders is a Bundle of drafted orders"})
    names: list[str] = []
    for entry in entries[:MAX_DRAFTS]:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and resource.get("resourceType") == "MedicationRequest":
            names += _names(resource)
    return names


def _names(request: dict[str, Any]) -> Iterable[str]:
    wrapped = request.get("medication")
    concept = request.get("medicationCodeableConcept") or (
        wrapped.get("concept") if isinstance(wrapped, dict) else None
    )
    if not isinstance(concept, dict):
        return
    codings = concept.get("coding")
    texts = [concept.get("text")] + [coding.get("display") for coding in codings or [] if isinstance(coding, dict)]
    text = next((str(entry) for entry in texts if entry), "")
    if text:
        yield text[:200]


def _against(patient: Patient, drafts: list[str]) -> list[dict[str, Any]]:
    """Warnings about drafted orders: allergies, and rules that only hold with the drafts."""
    drugs = {code: text for text in drafts for code in (drugs_in(text) or [drug_of(text)])}
    facts = facts_of(patient)
    cards = []
    for drug, text in drugs.items():
        for allergy, family in conflicts(drug, facts.get("allergies", [])):
            summary = (
                _("%(drug)s: the patient has an allergy or intolerance to %(allergy)s") if not family
                else _("%(drug)s: in the same drug class as %(allergy)s, "
                       "to which the patient has an allergy or intolerance")
            ) % {"drug": text[:60], "allergy": allergy[:40]}  # fmt: skip
            cards.append(_warning(patient, f"{drug}{allergy}", summary, _("Known allergy or intolerance."), "critical"))
    before = {row.item for row in engine.verdict_of(patient, facts).decisions if row.proposed}
    ordered = [ingredient for drug in drugs for ingredient in ingredients_of(drug)]
    with_drafts = {**facts, "medications": [*facts.get("medications", []), *ordered]}
    items = {row.code: row for row in CareItem.objects.filter(withdrawn_at=None)}
    for decision in engine.verdict_of(patient, with_drafts).decisions:
        if decision.proposed and decision.item not in before and items[decision.item].clinicians_only:
            card = _card(decision, items[decision.item], None, patient)
            cards.append({**card, "summary": (_("With this order: %(advice)s") % {"advice": card["summary"]})[:139]})
    return cards


def _warning(patient: Patient, key: str, summary: str, detail: str, indicator: str) -> dict[str, Any]:
    return {
        "uuid": str(uuid.uuid5(NAMESPACE, f"{patient.pk}{key}")),
        "summary": summary[:139],
        "detail": detail,
        "indicator": indicator,
        "source": {"label": settings.HOSPITAL_NAME},
    }
