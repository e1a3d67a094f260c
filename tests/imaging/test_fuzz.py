"""Cases that fuzzing found, and a short run of the mutator, so that the harness itself stays sound."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.fuzz import targets


@pytest.mark.parametrize("path", sorted(targets.FOUND.glob("*-*")), ids=lambda path: path.name)
def test_what_once_escaped_is_handled(path: Path) -> None:
    """Films and bodies are refused; of an archive only the damaged entry is, so it is read to its end."""
    target = path.name.split("-")[0]
    assert targets.TARGETS[target](path.read_bytes()) == (target == "archive")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("target", targets.TARGETS)
def test_damaged_inputs_are_refused(target: str) -> None:
    chance = random.Random(20261121)  # the same damage each time
    good = list(targets.seeds(target))
    assert any(targets.TARGETS[target](content) for content in good)
    refused = 0
    for _ in range(300):
        content = bytearray(chance.choice(good))
        for _ in range(chance.randint(1, 8)):
            place = chance.randrange(len(content))
            content[place : place + chance.randint(0, 4)] = chance.randbytes(chance.randint(0, 6))
        refused += not targets.TARGETS[target](bytes(content))
    assert refused
