from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.patients.names import display, normalise, same_person_name, words


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Doe^Jane", "Jane Doe"),
        ("Doe^Jane^Q^Dr.^MD", "Dr. Jane Q Doe MD"),
        ("Wang^XiaoDong=王^小东", "XiaoDong Wang (王小东)"),
        ("=王^小东", "王小东"),
        ("", ""),
        ("Madonna", "Madonna"),
    ],
)
def test_names_are_shown_as_people_write_them(name: str, shown: str) -> None:
    assert display(name) == shown


def test_words_fold_case_accents_and_separators() -> None:
    assert words("MÜLLER^Ána-Maria=穆勒") == ["muller", "ana", "maria", "穆勒"]
    assert normalise("  O’Neil^Séan ") == "o neil sean"


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("Doe^Jane", "DOE^JANE", True),
        ("Doe^Jane", "Jane^Doe", True),
        ("Doe^Jane", "", True),
        ("Doe^Jane", "Doe^Janet", False),
        ("Wang^Wei=王^伟", "WANG^WEI", True),
    ],
)
def test_what_counts_as_the_same_name(left: str, right: str, same: bool) -> None:
    assert same_person_name(left, right) is same


@given(st.text(max_size=80))
def test_any_text_is_a_name(text: str) -> None:
    display(text)
    assert normalise(normalise(text)) == normalise(text)
    assert same_person_name(text, text)
