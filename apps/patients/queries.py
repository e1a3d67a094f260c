"""Reads of patients that more than one caller needs."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from apps.patients.blind import mrn_search, name_index
from apps.patients.models import NameToken, Patient
from apps.patients.names import words


def found_by(text: str) -> QuerySet[Patient]:
    """Patients whose MRN is ``text`` or whose name has all its words (blind indexes: whole words).

    Visibility is the caller's to add.
    """
    found = Q(mrn_search=mrn_search(text))
    tokens = [name_index(word) for word in words(text)]
    if tokens:
        named = Patient.objects.all()
        for token in tokens:
            named = named.filter(pk__in=NameToken.objects.filter(token=token).values("patient"))
        found |= Q(pk__in=named.values("pk"))
    return Patient.objects.filter(found)
