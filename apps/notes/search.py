"""Finding notes by words without opening them all: a blind index, and a second look at what it finds.

What the index tells whoever reads the database: which notes share words (24 bits of a keyed digest each: about one
word in 16 million shares a token with another, so equal tokens mean equal words), and how many different words a
note has. Not what the words are, nor in which order: without the index key a token cannot be made.
"""

from __future__ import annotations

import re
import unicodedata

from django.db import transaction
from django.db.models import QuerySet

from apps.accounts.models import User
from apps.notes.models import Note, NoteToken
from apps.protection.indexing import Progress
from apps.protection.keyring import keyring
from apps.records.access import visible_filter

BITS = 24
MOST_WORDS = 20_000
LOOKED_AT = 400
"""Newest notes that hold all tokens and are opened for the second look."""
_WORD = re.compile(r"[a-z0-9]+(?:[.'-][a-z0-9]+)*|[\u3400-\u9fff]+")


def words_of(text: str) -> set[str]:
    """The words under which a note is found: folded, plural endings cut off, Chinese in pairs of signs."""
    folded = unicodedata.normalize("NFKD", text).casefold()
    folded = unicodedata.normalize("NFC", "".join(sign for sign in folded if not unicodedata.combining(sign)))
    found: set[str] = set()
    for match in _WORD.finditer(folded):
        word = match[0]
        if word[0] >= "\u3400":
            found.update({word} if len(word) == 1 else {word[at : at + 2] for at in range(len(word) - 1)})
            found.update(word)
        elif len(word) > 1 or word.isdigit():
            found.add(_stem(word))
        if len(found) >= MOST_WORDS:
            break
    return found


def write_tokens(note: Note) -> None:
    """Index a note anew."""
    ring = keyring()
    rows = {
        (key_id, token)
        for word in words_of(note.text)
        for key_id, token in ring.indexes("notes.word", word, bits=BITS).items()
    }
    NoteToken.objects.filter(note=note).delete()
    NoteToken.objects.bulk_create(
        (NoteToken(note=note, token=token, key_id=key_id) for key_id, token in sorted(rows)), batch_size=1000
    )


def found(actor: User, text: str) -> list[Note]:
    """The notes that this actor sees and that hold every word of ``text``, newest first."""
    wanted = words_of(text)
    if not wanted:
        return []
    rows: QuerySet[Note] = Note.objects.filter(visible_filter(actor, "case__"))
    ring = keyring()
    for word in wanted:
        tokens = list(ring.indexes("notes.word", word, bits=BITS).values())
        rows = rows.filter(pk__in=NoteToken.objects.filter(token__in=tokens).values("note"))
    newest = rows.select_related("case__patient", "author").order_by("-written_at")[:LOOKED_AT]
    return [note for note in newest if wanted <= words_of(note.text)]


def snippet(text: str, query: str, *, around: int = 60) -> str:
    """The place of the first word of the query, with some letters on both sides."""
    folded = text.casefold()
    places = [folded.find(word.casefold()) for word in query.split()]
    at = min((place for place in places if place >= 0), default=0)
    start, end = max(at - around, 0), min(at + 2 * around, len(text))
    return f"{'… ' if start else ''}{' '.join(text[start:end].split())}{' …' if end < len(text) else ''}"


def reindex(progress: Progress) -> None:
    """Give every note tokens of every key in the keyring, and drop those of keys that left it."""
    ids = set(keyring().index_ids)
    NoteToken.objects.exclude(key_id__in=ids).delete()
    for key_id in ids:
        waiting = Note.objects.exclude(pk__in=NoteToken.objects.filter(key_id=key_id).values("note"))
        total = waiting.count()
        for done, note in enumerate(waiting.iterator(), start=1):
            with transaction.atomic():
                write_tokens(note)
            progress("notes", done, total)


def _stem(word: str) -> str:
    """Enough for plurals: infections and infection are found alike."""
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word
