"""Display, comparison and tokenisation of person names. No Django here."""

from __future__ import annotations

import re
import unicodedata

_PARTS = re.compile(r"[\s^=,.'’-]+")


def display(name: str) -> str:
    """Format a DICOM person name in natural order: given names, then the family name.

    An ideographic group (PS3.5 section 6.2.1.1) follows in parentheses, family name first.
    """
    alphabetic, _, rest = name.partition("=")
    family, given, middle, prefix, suffix = [part.strip() for part in (alphabetic.split("^") + [""] * 5)[:5]]
    words = " ".join(part for part in (prefix, given, middle, family, suffix) if part)
    ideographic = rest.split("=")[0].replace("^", "").strip()
    return f"{words} ({ideographic})" if words and ideographic else words or ideographic


def normalise(name: str) -> str:
    """Normalise a name for comparison: its words without case and accents, in order."""
    return " ".join(words(name))


def words(name: str) -> list[str]:
    """Split a name into folded words: ``"Müller^Ána=穆勒"`` gives ``["muller", "ana", "穆勒"]``."""
    decomposed = unicodedata.normalize("NFKD", name)
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    return [word for word in _PARTS.split(unicodedata.normalize("NFC", bare).casefold()) if word]


def same_person_name(left: str, right: str) -> bool:
    """Return whether two names may belong to one person: their alphabetic words agree, or one is missing."""
    return not left.strip("^= ") or not right.strip("^= ") or _alphabetic(left) == _alphabetic(right)


def _alphabetic(name: str) -> list[str]:
    """Return the sorted words of the first non-empty component group; some systems write the family name last."""
    return sorted(words(next(group for group in name.split("=") if group.strip("^ "))))


MAX_PREFIX_CHARACTERS = 5


def prefixes(word: str) -> list[str]:
    """Return the indexed prefixes of a folded word: two to five characters, or one to five in ideographic scripts."""
    minimum = 1 if is_ideographic(word[0]) else 2
    return [word[:length] for length in range(minimum, min(len(word), MAX_PREFIX_CHARACTERS) + 1)]


def is_ideographic(character: str) -> bool:
    """Return whether a character is of a script in which one character is a word: Chinese, Japanese, Korean."""
    return "\u3040" <= character <= "\u9fff" or "\uac00" <= character <= "\ud7a3" or character >= "\U00020000"
