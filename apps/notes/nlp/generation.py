"""An abstractive summary by a generative model on this machine, each statement with its sources, and a check.

Off by default. A statement that cites nothing, or what does not bear it, is marked; nothing is left out in silence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from apps.inference.engines.sentence_head.encoder import FROM_DISK, Encoder, on_disk
from apps.notes.nlp.reader import read
from apps.notes.nlp.summary import Claim, Sentence

PROMPT = (
    "Summarise the case for a colleague in at most six short statements. Use only the numbered sentences. End each "
    "statement with the numbers it rests on, like [2] or [1,4].\n\n{sentences}\n\nSummary:\n- "
)
_CITES = re.compile(r"\[([\d,\s]+)\]")
_NUMBERS = re.compile(r"\d+(?:\.\d+)?")
MOST_TOKENS = 300
LEAST_LIKENESS = 0.55
"""Cosine between a statement and the nearest sentence that it cites, below which it says something else."""


class Generator:
    """A causal language model from a folder or by the name of one that was downloaded before."""

    def __init__(self, location: str) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        with on_disk(location):
            self._tokens: Any = AutoTokenizer.from_pretrained(location, **FROM_DISK)  # nosec B615
            self._model: Any = AutoModelForCausalLM.from_pretrained(  # nosec B615
                location, use_safetensors=True, **FROM_DISK
            ).eval()

    def write(self, prompt: str) -> str:
        """What follows the prompt; a model that was taught to converse is asked as it expects."""
        import torch

        if self._tokens.chat_template:
            asked = [{"role": "user", "content": prompt}]
            prompt = self._tokens.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)
        given = self._tokens(
            prompt,
            return_tensors="pt",
            truncation=True,
            max_length=self._model.config.max_position_embeddings - MOST_TOKENS,
        )
        with torch.inference_mode():
            made = self._model.generate(
                **given, max_new_tokens=MOST_TOKENS, do_sample=False, pad_token_id=self._tokens.eos_token_id
            )
        return str(self._tokens.decode(made[0, given["input_ids"].shape[1] :], skip_special_tokens=True))


@lru_cache(maxsize=1)
def generator(location: str) -> Generator:
    """The loaded model; kept in the process.

    Raises:
        OSError: if there is none there.
    """
    return Generator(location)


def abstract(sentences: Sequence[Sentence], writer: Generator, encoder: Encoder) -> list[Claim]:
    """Statements with their sources; those without support are marked, not dropped."""
    numbered = "\n".join(f"[{number}] {one.text.strip()}" for number, one in enumerate(sentences, start=1))
    written = writer.write(PROMPT.format(sentences=numbered))
    statements = [line.strip(" -•\t") for line in written.splitlines() if line.strip(" -•\t")]
    return claims(statements, sentences, encoder)


def claims(statements: Sequence[str], sentences: Sequence[Sentence], encoder: Encoder) -> list[Claim]:
    """Check statements against what they cite.

    A statement is borne if it resembles a sentence that it cites, says no number that is not there, and speaks of no
    problem, symptom or medication that is not there with the same assertions: "no fever" does not bear "fever",
    although their vectors are near.
    """
    found = []
    known = encoder.encode([one.text for one in sentences]) if sentences else None
    for statement in statements:
        cites = sorted(
            {int(number) - 1 for group in _CITES.findall(statement) for number in group.split(",") if number.strip()}
        )
        cites = [place for place in cites if 0 <= place < len(sentences)]
        text = _CITES.sub("", statement).strip()
        if text:
            borne = (
                known is not None
                and bool(cites)
                and float((known[cites] @ encoder.encode([text])[0]).max()) >= LEAST_LIKENESS
                and _says(text) <= _says("\n".join(sentences[place].text for place in cites))
            )
            found.append(Claim(text, cites, borne))
    return found


def _says(text: str) -> set[tuple[str, ...]]:
    """What is said: numbers, and concepts with what is asserted of them."""
    concepts = {
        (mention.concept, *sorted(mention.assertions))
        for mention in read(text).mentions
        if mention.kind in {"problem", "symptom", "drug"}
    }
    return concepts | {(number,) for number in _NUMBERS.findall(text)}
