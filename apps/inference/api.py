"""REST API of installed models."""

from __future__ import annotations

from typing import Any

from rest_framework import mixins, serializers, viewsets

from apps.accounts.access import ReadsModels
from apps.inference.models import PackageVersion
from apps.inference.queries import installed


class ModelSerializer(serializers.ModelSerializer[PackageVersion]):
    card = serializers.JSONField(help_text="The whole model card; its schema is in the documentation.")

    class Meta:
        model = PackageVersion
        fields = ("id", "name", "version", "active", "digest", "installed_at", "card")


class ModelViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    """Installed model packages with their cards; no patient data, so every signed-in user may read them."""

    serializer_class = ModelSerializer
    permission_classes = (ReadsModels,)
    pagination_class = None
    queryset = installed()
