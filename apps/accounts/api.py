"""REST API of the audit trail."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import audit
from apps.accounts.access import ReadsAuditTrail
from apps.accounts.actors import signed_in
from apps.accounts.audit_export import bundle
from apps.accounts.models import AuditEntry
from apps.accounts.untrusted_input import whole_number

MAX_EVENTS = 500


class AuditEventsView(APIView):
    """The audit trail as a FHIR R4 Bundle of AuditEvents, oldest first."""

    permission_classes = (ReadsAuditTrail,)

    @extend_schema(
        operation_id="audit_events",
        parameters=[OpenApiParameter("after", int, description="Only entries that follow this sequence number.")],
        responses={200: OpenApiTypes.OBJECT, 400: OpenApiTypes.OBJECT},
    )
    def get(self, request: Request) -> Response:
        """Return up to 500 events; pass ``meta.versionId`` of the last entry as the next ``after``."""
        after = whole_number(request.query_params.get("after", "0"), default=None, maximum=2**63 - 1)
        if after is None:
            raise ValidationError({"after": "a sequence number"})
        entries = list(AuditEntry.objects.filter(sequence__gt=after).order_by("sequence")[:MAX_EVENTS])
        body: dict[str, Any] = bundle(entries)
        for item, entry in zip(body["entry"], entries, strict=True):
            item["resource"]["meta"] = {"versionId": str(entry.sequence)}
        audit.record(signed_in(request), "trail.read", entries=len(entries))
        return Response(body)
