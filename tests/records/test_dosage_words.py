"""Routes and frequencies are stored in one spelling and shown in the reader's language."""

from __future__ import annotations

import pytest
from django.utils import translation

from apps.records.dosage_words import (
    FREQUENCIES,
    ROUTES,
    shown_dose,
    shown_frequency,
    shown_route,
    stored_dose,
    stored_frequency,
    stored_route,
)

INTERVALS = ("every 6 hours", "every 4-6 hours as needed", "every 2 weeks", "every 30 minutes", "every 3 days")


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_what_is_shown_is_stored_again(language: str) -> None:
    with translation.override(language):
        for route in ROUTES:
            assert stored_route(shown_route(route)) == route
        for frequency in (*FREQUENCIES, *INTERVALS, "twice daily as needed"):
            assert stored_frequency(shown_frequency(frequency)) == frequency


def test_chinese_pages_show_chinese_words() -> None:
    with translation.override("zh-hans"):
        assert shown_route("oral") == "口服"
        assert shown_frequency("daily") == "每日一次"
        assert shown_frequency("every 4-6 hours as needed") == "每 4-6 小时一次，必要时"
        for words in (*ROUTES.values(), *FREQUENCIES.values(), *map(shown_frequency, INTERVALS)):
            assert not any(character.isascii() and character.isalpha() for character in str(words))
        assert stored_frequency("daily") == "daily"


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("dose", ["1 {tbl}", "2 {tbl}", "1-2 {puff}", "0.5 {cap}", "10 [iU]", "5 [iU]/h", "2 [drp]"])
def test_ucum_annotations_are_shown_as_words(dose: str, language: str) -> None:
    with translation.override(language):
        assert not set("{}[]") & set(shown_dose(dose))
        assert stored_dose(shown_dose(dose)) == dose


def test_doses_in_words() -> None:
    assert [shown_dose(dose) for dose in ("1 {tbl}", "2 {tbl}", "10 [iU]", "50 mg")] == [
        "1 tablet", "2 tablets", "10 units", "50 mg",
    ]  # fmt: skip
    with translation.override("zh-hans"):
        assert (shown_dose("1 {tbl}"), shown_dose("16 [iU]"), shown_dose("2 {puff}")) == ("1 片", "16 单位", "2 揿")
    for dose in ("50 mg", "5-10 mg", "as directed", "1 {unknown}", ""):
        assert shown_dose(dose) == stored_dose(dose) == dose


def test_other_words_stay() -> None:
    for words in ("Mondays and Thursdays", "every few hours", "as directed", ""):
        assert shown_frequency(words) == stored_frequency(words) == words
    assert shown_route("into the left eye") == stored_route("into the left eye") == "into the left eye"
