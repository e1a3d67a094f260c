"""Abstractive summaries by a local generative model, with citations and a support check.

Off by default. Statements without a citation, or not supported by what they cite, are flagged rather than dropped.
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
MAX_NEW_TOKENS = 300
MIN_SIMILARITY = 0.55
"""Minimum cosine similarity between a statement and the closest sentence it cites."""


class Generator:
    """A causal language model, loaded from a directory or the local Hugging Face cache."""

    def __init__(self, location: str) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        with on_disk(location):
            self._tokens: Any = AutoTokenizer.from_pretrained(location, **FROM_DISK)  # nosec B615
            self._model: Any = AutoModelForCausalLM.from_pretrained(  # nosec B615
                location, use_safetensors=True, **FROM_DISK
            ).eval()

    def write(self, prompt: str) -> str:
        """Generate greedily after the prompt; apply the chat template of instruction-tuned models."""
        import torch

        if self._tokens.chat_template:
            messages = [{"role": "user", "content": prompt}]
            prompt = self._tokens.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        inputs = self._tokens(
            prompt,
            return_tensors="pt",
            truncation=True,
            max_length=self._model.config.max_position_embeddings - MAX_NEW_TOKENS,
        )
        with torch.inference_mode():
            output = self._model.generate(
                **inputs, max_new_tokens=MAX_NEW_TOKENS, do_sample=False, pad_token_id=self._tokens.eos_token_id
            )
        return str(self._tokens.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))


@lru_cache(maxsize=1)
def generator(location: str) -> Generator:
    """Return the loaded model, cached per process.

    Raises:
        OSError: if there is no model at ``location``.
    """
    return Generator(location)


def abstract(sentences: Sequence[Sentence], writer: Generator, encoder: Encoder) -> list[Claim]:
    """Generate statements with citations; unsupported ones are flagged, not dropped."""
    numbered = "\n".join(f"[{number}] {sentence.text.strip()}" for number, sentence in enumerate(sentences, start=1))
    written = writer.write(PROMPT.format(sentences=numbered))
    statements = [line.strip(" -•\t") for line in written.splitlines() if line.strip(" -•\t")]
    return claims(statements, sentences, encoder)


def claims(statements: Sequence[str], sentences: Sequence[Sentence], encoder: Encoder) -> list[Claim]:
    """Check each statement against the sentences it cites.

    A statement is supported if it is similar to a cited sentence and contains only numbers, problems, symptoms and
    medication that the cited sentences contain with the same assertions: "no fever" does not support "fever", although
    their embeddings are close.
    """
    checked = []
    known = encoder.encode([sentence.text for sentence in sentences]) if sentences else None
    for statement in statements:
        cites = sorted(
            {int(number) - 1 for group in _CITES.findall(statement) for number in group.split(",") if number.strip()}
        )
        cites = [index for index in cites if 0 <= index < len(sentences)]
        text = _CITES.sub("", statement).strip()
        if text:
            supported = (
                known is not None
                and bool(cites)
                and float((known[cites] @ encoder.encode([text])[0]).max()) >= MIN_SIMILARITY
                and _facts(text) <= _facts("\n".join(sentences[index].text for index in cites))
            )
            checked.append(Claim(text, cites, supported))
    return checked


def _facts(text: str) -> set[tuple[str, ...]]:
    """The numbers in a text, and its concepts with their assertions."""
    concepts = {
        (mention.concept, *sorted(mention.assertions))
        for mention in read(text).mentions
        if mention.kind in {"problem", "symptom", "drug"}
    }
    return concepts | {(number,) for number in _NUMBERS.findall(text)}
