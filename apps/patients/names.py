"""Person names: how they are shown, compared and cut into words. No Django here."""

from __future__ import annotations

import re
import unicodedata

_PARTS = re.compile(r"[\s^=,.'’-]+")


def display(name: str) -> str:
    """A DICOM person name as people write it: given names, then the family name.

    Names in an ideographic group (PS3.5 section 6.2.1.1) follow in brackets, family name first.
    """
    alphabetic, _, rest = name.partition("=")
    family, given, middle, prefix, suffix = [part.strip() for part in (alphabetic.split("^") + [""] * 5)[:5]]
    words = " ".join(part for part in (prefix, given, middle, family, suffix) if part)
    ideographic = rest.split("=")[0].replace("^", "").strip()
    return f"{words} ({ideographic})" if words and ideographic else words or ideographic


def normalise(name: str) -> str:
    """The form in which two spellings of one name are equal: words without case and accents, in order."""
    return " ".join(words(name))


def words(name: str) -> list[str]:
    """The words of a name, folded: ``"Müller^Ána=穆勒"`` gives ``["muller", "ana", "穆勒"]``."""
    decomposed = unicodedata.normalize("NFKD", name)
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    return [word for word in _PARTS.split(unicodedata.normalize("NFC", bare).casefold()) if word]


def same_person_name(left: str, right: str) -> bool:
    """Whether two names may belong to one person: their alphabetic words agree, or one is missing."""
    return not left.strip("^= ") or not right.strip("^= ") or _alphabetic(left) == _alphabetic(right)


def _alphabetic(name: str) -> list[str]:
    """The first non-empty component group, words in any order: some write the family name last."""
    return sorted(words(next(group for group in name.split("=") if group.strip("^ "))))


LONGEST_BEGINNING = 5


def beginnings(word: str) -> list[str]:
    """The first letters under which a folded word is found: two to five, from one on in ideographic scripts."""
    shortest = 1 if _ideographic(word[0]) else 2
    return [word[:length] for length in range(shortest, min(len(word), LONGEST_BEGINNING) + 1)]


def _ideographic(character: str) -> bool:
    return "\u3040" <= character <= "\u9fff" or "\uac00" <= character <= "\ud7a3" or character >= "\U00020000"
