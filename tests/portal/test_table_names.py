"""The administrator reads names of tables in the page's language."""

from __future__ import annotations

import re

from django.utils import translation

from apps.jobs.leases import job_models
from apps.portal.admin.labels import NAMES, table_name
from apps.protection.records import sealed_models


def test_every_table_has_a_chinese_name() -> None:
    with translation.override("zh-hans"):
        names = {model._meta.label: table_name(model) for model in [*sealed_models(), *job_models()]}
    assert not [label for label, name in names.items() if not re.search("[\u4e00-\u9fff]", name)]


def test_no_name_is_translated_for_nothing() -> None:
    assert set(NAMES) <= {str(model._meta.verbose_name_plural) for model in [*sealed_models(), *job_models()]}
