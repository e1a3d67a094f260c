"""Build the bundled list of everyday words of clinical English, which are never misspelt drug names."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pandas

from apps.terminology.data_files import write_packed
from apps.terminology.drugs import drug_names

OFTEN = 4
"""Occurrences from which a word is taken as spelt on purpose."""


def general_words(everyday: Path, conditions: Path) -> set[str]:
    """Words of general English, and of titles of conditions other than poisonings, external causes and encounters."""
    titles = pandas.read_parquet(conditions / "icd10cm_codes.parquet")
    titles = titles[~titles["code"].str.match("T3[6-9]|T4|T50|Y|Z")]
    words = set(everyday.read_text(encoding="utf-8").split())
    return words | {word for title in titles["title"] for word in re.findall("[a-z]+", title.lower())}


def build_words(notes: Path, target: Path) -> int:
    """Write ``everyday_words.txt.gz`` from sample transcriptions (MTSamples, CC0); return the number of words."""
    table = pandas.read_parquet(notes).drop_duplicates("text_sha1")
    counts: Counter[str] = Counter()
    for text in table["transcription"].dropna():
        counts.update(re.findall(r"[a-z]{5,}", str(text).lower()))
    known = set(drug_names().single_words())
    words = sorted(word for word, count in counts.items() if count >= OFTEN and word not in known)
    write_packed(target / "everyday_words.txt.gz", words)
    return len(words)
