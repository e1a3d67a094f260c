"""Full-text search over encrypted notes: a blind index of words, then a check of the decrypted candidates.

What the index reveals to a reader of the database: which notes share words (tokens are 24 bits of a keyed digest:
about one word in 16 million collides with another, so equal tokens mean equal words), and the number of distinct words
per note. It reveals neither the words nor their order: tokens cannot be computed without the index key.
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
MAX_WORDS = 20_000
MAX_CANDIDATES = 400
"""Newest notes with all tokens that are decrypted and checked."""
_WORD = re.compile(r"[a-z0-9]+(?:[.'-][a-z0-9]+)*|[\u3400-\u9fff]+")


def words_of(text: str) -> set[str]:
    """Index terms of a text: case and accents folded, plurals stemmed, Chinese as characters and bigrams."""
    folded = unicodedata.normalize("NFKD", text).casefold()
    folded = unicodedata.normalize(
        "NFC", "".join(character for character in folded if not unicodedata.combining(character))
    )
    terms: set[str] = set()
    for match in _WORD.finditer(folded):
        word = match[0]
        if word[0] >= "\u3400":
            terms.update({word} if len(word) == 1 else {word[at : at + 2] for at in range(len(word) - 1)})
            terms.update(word)
        elif len(word) > 1 or word.isdigit():
            terms.add(_stem(word))
        if len(terms) >= MAX_WORDS:
            break
    return terms


def write_tokens(note: Note) -> None:
    """Replace a note's index tokens, one per word and index key."""
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


def find_notes(actor: User, text: str) -> list[Note]:
    """Notes visible to the actor that contain every word of ``text``, newest first."""
    wanted = words_of(text)
    if not wanted:
        return []
    rows: QuerySet[Note] = Note.objects.filter(visible_filter(actor, "case__"))
    ring = keyring()
    for word in wanted:
        tokens = list(ring.indexes("notes.word", word, bits=BITS).values())
        rows = rows.filter(pk__in=NoteToken.objects.filter(token__in=tokens).values("note"))
    newest = rows.select_related("case__patient", "author").order_by("-written_at")[:MAX_CANDIDATES]
    return [note for note in newest if wanted <= words_of(note.text)]


def snippet(text: str, query: str, *, around: int = 60) -> str:
    """The text around the first match of the query: ``around`` characters before, twice as many after."""
    folded = text.casefold()
    offsets = [folded.find(word.casefold()) for word in query.split()]
    at = min((offset for offset in offsets if offset >= 0), default=0)
    start, end = max(at - around, 0), min(at + 2 * around, len(text))
    return f"{'… ' if start else ''}{' '.join(text[start:end].split())}{' …' if end < len(text) else ''}"


def reindex(progress: Progress) -> None:
    """Add missing tokens for every key in the keyring and delete those of retired keys."""
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
    """Strip English plural endings, so that "infections" and "infection" match."""
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word
