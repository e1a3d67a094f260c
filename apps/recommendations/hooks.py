"""CDS Hooks 2.0: another system's page asks what guidelines say of the patient or of an order.

A caller authenticates with a token of a clinician (scope ``recommendations:read``) instead of the standard's JWT
between servers, so that what it sees is what that clinician sees. Cards are never shown to patients.
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
from apps.recommendations.queries import fact_in_words

INDICATORS = {"routine": "info", "soon": "warning", "urgent": "critical"}
SERVICES = {
    "medportal-patient": ("patient-view", "What guidelines recommend for this patient, with citations."),
    "medportal-order": ("order-select", "Allergies, contraindications and guideline rules against drafted medication."),
}
PREFETCH = {"patient": "Patient/{{context.patientId}}"}
NAMESPACE = uuid.UUID("6d656470-6f72-7461-6c2d-63617264732d")
MOST_DRAFTS = 50


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
    """The services that there are."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(responses=OpenApiTypes.OBJECT, operation_id="cds_services")
    def get(self, request: Request) -> Response:
        """CDS Hooks discovery."""
        services = [
            {"id": name, "hook": hook, "title": "MedPortal", "description": text, "prefetch": PREFETCH}
            for name, (hook, text) in SERVICES.items()
        ]
        return Response({"services": services})


class Service(APIView):
    """One service."""

    permission_classes = (AsksGuidelines,)

    @extend_schema(request=CallSerializer, responses=OpenApiTypes.OBJECT, operation_id="cds_service")
    def post(self, request: Request, name: str) -> Response:
        """Cards for the hook's moment; decision support, not a diagnosis."""
        if name not in SERVICES:
            raise Http404
        given = CallSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        call = given.validated_data
        if call["hook"] != SERVICES[name][0]:
            raise serializers.ValidationError({"hook": f"this service is for {SERVICES[name][0]}"})
        actor = signed_in(request)
        patient = _patient(actor, str(call["context"].get("patientId", "")))
        audit.record(actor, "record.opened", patient, why="treatment", part=f"cds {call['hook']}")
        if call["hook"] == "patient-view":
            return Response({"cards": _recommended(actor, patient)})
        return Response({"cards": _against(patient, _drafts(call["context"]))})


class Feedback(APIView):
    """What the clinician made of cards."""

    permission_classes = (AsksGuidelines,)

    @extend_schema(request=FeedbackSerializer, responses={200: None}, operation_id="cds_feedback")
    def post(self, request: Request, name: str) -> Response:
        """Kept as steps of the recommendation; it decides nothing: that happens on its page."""
        if name not in SERVICES:
            raise Http404
        given = FeedbackSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        actor = signed_in(request)
        with transaction.atomic():
            for one in given.validated_data["feedback"]:
                row = visible_to(actor).filter(pk=one["card"]).select_related("patient", "item").first()
                if row is not None:
                    words = str((one.get("overrideReason") or {}).get("userComment", ""))[:500]
                    engine.step(row, "cds", actor, words, outcome=one["outcome"])
                    audit.record(actor, "recommendation.feedback", row, why="treatment", outcome=one["outcome"])
        return Response()


def _patient(actor: User, said: str) -> Patient:
    """By our id, or by MRN without an issuer.

    Raises:
        NotFound: if there is none that the actor sees.
    """
    try:
        found = visible_patients(actor).filter(pk=uuid.UUID(said)).first()
    except ValueError:
        known = with_identity(said, "") if said else None
        found = visible_patients(actor).filter(pk=known.pk).first() if known else None
    if found is None:
        raise NotFound("context.patientId names no patient of this clinician: send MedPortal's id or the MRN")
    return found


def _recommended(actor: User, patient: Patient) -> list[dict[str, Any]]:
    rows = {
        row.item.code: row
        for row in visible_to(actor).filter(patient=patient, state__in=OPEN_STATES).select_related("patient", "item")
    }
    items = {row.code: row for row in CareItem.objects.filter(withdrawn_at=None)}
    verdict = engine.verdict_of(patient, facts_of(patient))
    quiet = engine.items_in_cooldown(patient)
    wanted = [one for one in verdict.decisions if one.proposed and (one.item in rows or one.item not in quiet)]
    if any(one.item not in rows for one in wanted):
        engine.ask(patient)
    cards = [_card(one, items[one.item], rows.get(one.item), patient) for one in wanted]
    return sorted(cards, key=lambda card: list(INDICATORS.values()).index(card["indicator"]), reverse=True)


def _card(one: Decision, item: CareItem, row: Recommendation | None, patient: Patient) -> dict[str, Any]:
    first = one.grounds[0].rule
    facts = [
        fact_in_words(fact.title, fact.values, fact.unit)
        for ground in one.grounds
        for fact in ground.facts
        if fact.values
    ]
    place = (
        reverse("recommendations:detail", args=[row.pk])
        if row
        else reverse("recommendations:patient", args=[patient.pk])
    )
    return {
        "uuid": str(row.pk if row else uuid.uuid5(NAMESPACE, f"{patient.pk}{item.code}")),
        "summary": item.title[:139],
        "detail": "\n".join(["; ".join(facts), *(f"- {ground.rule.citation}" for ground in one.grounds)]).strip(),
        "indicator": INDICATORS[one.urgency],
        "source": {"label": first.citation[:200], **({"url": first.url} if first.url else {})},
        "links": [{"label": _("Review in MedPortal"), "url": settings.SITE_URL + place, "type": "absolute"}],
    }


def _drafts(context: dict[str, Any]) -> list[str]:
    """Names of the drafted medication (MedicationRequest.medication, R4 and R5).

    Raises:
        ValidationError: if the context holds no bundle.
    """
    bundle = context.get("draftOrders")
    entries = bundle.get("entry", []) if isinstance(bundle, dict) else None
    if not isinstance(entries, list):
        raise serializers.ValidationError({"context": "draftOrders is a Bundle of drafted orders"})
    found: list[str] = []
    for entry in entries[:MOST_DRAFTS]:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and resource.get("resourceType") == "MedicationRequest":
            found += _names(resource)
    return found


def _names(request: dict[str, Any]) -> Iterable[str]:
    wrapped = request.get("medication")
    concept = request.get("medicationCodeableConcept") or (
        wrapped.get("concept") if isinstance(wrapped, dict) else None
    )
    if not isinstance(concept, dict):
        return
    codings = concept.get("coding")
    texts = [concept.get("text")] + [one.get("display") for one in codings or [] if isinstance(one, dict)]
    text = next((str(one) for one in texts if one), "")
    if text:
        yield text[:200]


def _against(patient: Patient, drafts: list[str]) -> list[dict[str, Any]]:
    """What speaks against the drafts: intolerances, and rules that hold only with them."""
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
    before = {one.item for one in engine.verdict_of(patient, facts).decisions if one.proposed}
    ordered = [ingredient for drug in drugs for ingredient in ingredients_of(drug)]
    with_drafts = {**facts, "medications": [*facts.get("medications", []), *ordered]}
    items = {row.code: row for row in CareItem.objects.filter(withdrawn_at=None)}
    for one in engine.verdict_of(patient, with_drafts).decisions:
        if one.proposed and one.item not in before and items[one.item].clinicians_only:
            card = _card(one, items[one.item], None, patient)
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
