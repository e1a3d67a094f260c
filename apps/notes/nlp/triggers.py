"""Trigger phrases of notes and their effects, from ``triggers_en.tsv`` and ``triggers_zh.tsv`` (columns: see there)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from apps.notes.nlp.phrases import Phrases
from apps.notes.nlp.tokens import tokens

FOLDER = Path(__file__).parent
FORWARD, LOCAL, BACKWARD, SEGMENT, ADJACENT = ">", ">,", "<", "<,", "<1"
"""Directions of effects: LOCAL is forward to the next comma or preposition, SEGMENT backward to the last comma, ADJACENT
to the directly preceding phrase alone."""
STOP, PERSON_STOP, VERB, NOTHING = "stop", "person", "verb", "-"
"""Limits of scopes: of what is said of a finding, of whose finding it is, and of backward scopes alone."""


@dataclass(frozen=True)
class Trigger:
    """A trigger in a text: its effects are (assertion, direction) pairs; ``start`` and ``end`` are token indices."""

    start: int
    end: int
    effects: tuple[tuple[str, str], ...]

    def limits(self, kind: str) -> bool:
        """Whether it ends scopes of this kind."""
        return any(name == kind for name, _direction in self.effects)


@cache
def triggers_of(language: str, *, limits: bool) -> Phrases[tuple[tuple[str, str], ...]]:
    """Triggers with effects, or the limits of their scopes; apart, as a limit may be a part of a longer trigger."""
    effects: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for keys, phrase in _phrases(language):
        if (keys in (STOP, PERSON_STOP, VERB)) is limits:
            effects.setdefault(tuple(_pattern(phrase)), []).extend(_effect(key) for key in keys.split())
    return Phrases((list(words), tuple(rows)) for words, rows in effects.items())


@cache
def _phrases(language: str) -> list[tuple[str, str]]:
    """(effects, phrase) of the language's file, with its groups written out."""
    groups: dict[str, list[str]] = {}
    rows = []
    for line in (FOLDER / f"triggers_{language}.tsv").read_text().splitlines():
        if line.startswith("#") or not line:
            continue
        key, phrase = line.split("\t")
        if key.startswith("@"):
            groups.setdefault(key[1:], []).append(phrase)
        else:
            rows.append((key, phrase))
    return [(key, written) for key, phrase in rows for written in _written_out(phrase, groups)]


def _written_out(phrase: str, groups: dict[str, list[str]]) -> list[str]:
    group = re.search(r"\{(\w+)\}", phrase)
    if group is None:
        return [phrase]
    before, after = phrase[: group.start()], phrase[group.end() :]
    return [whole for member in groups[group[1]] for whole in _written_out(before + member + after, groups)]


def _pattern(phrase: str) -> list[str]:
    """Tokens of a trigger; ``<n>`` and ``<year>`` stay whole."""
    rows: list[str] = []
    for part in re.split(r"(<n>|<year>)", phrase):
        rows += [part] if part in ("<n>", "<year>") else tokens(part).keys
    return rows


def _effect(key: str) -> tuple[str, str]:
    match = re.fullmatch(r"(.*?)(>,?|<[1,]?|)", key)
    assert match is not None
    return match[1] or NOTHING, match[2]
