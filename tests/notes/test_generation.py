"""Summaries in a model's own words: each statement is held against what it cites."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from django.urls import reverse
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from apps.accounts.models import User
from apps.inference.engines.sentence_head.encoder import Lexical, encoder
from apps.notes.models import Summary
from apps.notes.nlp.generation import claims, generator
from apps.notes.nlp.summary import Sentence, summarise
from apps.records.models import Case
from tests.case_factories import written
from tests.factories import browser_of

SENTENCES = [
    Sentence("Fever and productive cough for three days.", "a", 0, 42),
    Sentence("Lactate rose to 5 mmol per litre overnight.", "a", 43, 86),
]


def test_statements_without_support_are_marked_not_dropped() -> None:
    written_lines = [
        "Productive cough and fever for three days. [1]",
        "No fever or cough for three days. [1]",
        "Fever and productive cough for 5 days. [1]",
        "She is pregnant. [2]",
        "Lactate rose overnight.",
        "Odd. [9]",
    ]
    found = claims(written_lines, SENTENCES, Lexical())
    assert [(claim.cites, claim.supported) for claim in found] == [
        ([0], True),
        ([0], False),
        ([0], False),
        ([1], False),
        ([], False),
        ([], False),
    ]
    assert found[3].text == "She is pregnant."


def test_sentences_that_say_most_come_once_and_in_their_order() -> None:
    lines = [
        "Pneumonia of the right lower lobe.",
        "The weather was nice today.",
        "Right lower lobe pneumonia.",
        "Pneumonia of the right lower lobe.",
    ]
    sentences = [Sentence(line, "n", 40 * place, 40 * place + 39) for place, line in enumerate(lines)]
    chosen = summarise(sentences, Lexical().encode(lines), most=2)
    assert chosen == sorted(chosen) and len(chosen) == 2 and not {0, 3} <= set(chosen)
    assert summarise([], Lexical().encode(["x"])[:0]) == []


def stubborn(folder: Path, word: str) -> str:
    """A generative model of a few thousand weights that writes one word again and again."""
    words = ["<end>", "<unk>", *["Summary", "fever", "cough", "patient", "has", "no", "[", "1", "]", "-", "."]]
    tokens = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="<unk>"))
    tokens.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=tokens, eos_token="<end>", unk_token="<unk>").save_pretrained(folder)
    config = GPT2Config(
        vocab_size=len(words), n_positions=512, n_embd=16, n_layer=1, n_head=2, eos_token_id=0, bos_token_id=0
    )
    model = GPT2LMHeadModel(config)
    with torch.no_grad():
        model.transformer.ln_f.weight.zero_()
        model.transformer.ln_f.bias.copy_(model.transformer.wte.weight[words.index(word)] * 100)
    model.save_pretrained(folder)
    return str(folder)


def test_a_model_that_writes_nothing_is_replaced_by_sentences_and_said(
    case: Case, doctor: User, packages: None, words_alone: None, tmp_path: Path, settings: Any
) -> None:
    settings.SUMMARY_MODEL = stubborn(tmp_path, "<end>")
    written(case, doctor)
    content = Summary.objects.get(case=case).content
    assert content["how"] == "nothing written" and all(sentence["sources"] for sentence in content["sentences"])
    page = browser_of(doctor).get(reverse("cases:overview", args=[case.pk])).content.decode()
    assert "The configured model returned no text." in page


def test_a_model_on_this_machine_writes_and_nonsense_is_marked(
    case: Case, doctor: User, packages: None, words_alone: None, tmp_path: Path, settings: Any
) -> None:
    settings.SUMMARY_MODEL = stubborn(tmp_path, "fever")
    written(case, doctor)
    content = Summary.objects.get(case=case).content
    assert content["how"] == str(tmp_path) and content["sentences"]
    assert not any(sentence["supported"] for sentence in content["sentences"])
    with pytest.raises(OSError, match="nowhere"):
        generator(str(tmp_path / "nowhere"))


def test_another_sentence_model_that_is_not_there_is_said() -> None:
    with pytest.raises(OSError, match="no-such-model"):
        encoder("no-such-model")
    likeness = Lexical().encode(["fever and cough", "cough and fever", "broken ankle"])
    assert likeness[0] @ likeness[1] > 0.5 > likeness[0] @ likeness[2]
