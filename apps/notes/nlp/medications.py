"""What a note does with each medication: start, stop, hold, continue, change, give, or nothing that concerns the record."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path

from apps.notes.nlp.assertions import ABSENT, CONDITIONAL, FAMILY, HISTORICAL, OTHER, Context
from apps.notes.nlp.medication_patterns import (
    ASKS,
    CHANGED_TO,
    CHANGES,
    CLAUSE_END,
    DEPENDS,
    DONE,
    FILLING,
    IF_AFTER,
    ILLICIT,
    INSTEAD_OF,
    IT,
    ITEM,
    JOINED,
    LONG_AGO,
    NEW_CLAUSE,
    NOT_AS_PRESCRIBED,
    NOT_AS_PRESCRIBED_AFTER,
    NOW,
    OTHER_SENSE_AFTER,
    OTHER_SENSE_BEFORE,
    PROCEDURE,
    PROPOSAL,
    SWAP,
    SWAPPED,
    SWITCH,
    TAKEN,
    TO,
    TO_CLASS,
    UNCLEAR,
)  # fmt: skip
from apps.notes.nlp.phrases import Phrases
from apps.notes.nlp.tokens import tokens

FILE = Path(__file__).parent / "medication_acts.tsv"
START, STOP, HOLD, CONTINUE, CHANGE, GIVE, AVOID, MENTION, RAN_OUT, TOLERATED, NOT_TAKEN_SO = (
    "start", "stop", "hold", "continue", "change", "give", "avoid", "mention", "ran out", "tolerated", "not as prescribed",
)  # fmt: skip
STATUS = {
    START: "active",
    CONTINUE: "active",
    CHANGE: "active",
    GIVE: "active",
    STOP: "stopped",
    HOLD: "on-hold",
    RAN_OUT: "on-hold",
    AVOID: "",
}
"""FHIR MedicationStatement status that follows from an act; empty: nothing is recorded."""
PAUSES = (STOP, HOLD, RAN_OUT)
CLAUSE_REACH = 24
"""Characters between a Chinese medication and the end of the clause that says what became of it."""
LIST_LINES = 60
"""Lines above a medication in which the heading of its list is looked for."""
NEGATION_REACH = 3
"""Words, apart from other medications, over which a negation reaches a medication: findings are negated in long lists."""


@dataclass(frozen=True)
class MedicationAct:
    """What happens to a medication.

    Attributes:
        act: START, STOP, HOLD, CONTINUE, CHANGE, GIVE, RAN_OUT, NOT_TAKEN_SO; AVOID for what is not taken; MENTION if the note does not say.
        status: active, stopped, on-hold, conditional, or empty if nothing is to be recorded.
        is_tentative: the medication goes on as before, and the act depends on something.
    """

    act: str
    status: str
    is_tentative: bool = False


@dataclass(frozen=True)
class _Cue:
    act: str
    direction: str
    start: int
    end: int


@cache
def _matcher(language: str) -> Phrases[tuple[tuple[str, str], ...]]:
    cues: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for line in FILE.read_text().splitlines():
        code, act, direction, phrases = [*line.split("\t"), "", "", ""][:4]
        if code == language:
            for phrase in phrases.split("|"):
                cues.setdefault(tuple(tokens(phrase).words), []).append((act, direction))
    return Phrases((list(words), tuple(rows)) for words, rows in cues.items())


def medication_acts(context: Context, drugs: Sequence[tuple[int, int]]) -> list[MedicationAct]:
    """Say what the text does with each of its medications.

    Args:
        drugs: start and end offsets, in order.
    """
    by_sentence: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for drug in drugs:
        by_sentence.setdefault(context.sentence_at(drug[0]), []).append(drug)
    return [
        _Sentence(context, sentence, tuple(rows)).act(drug) for sentence, rows in by_sentence.items() for drug in rows
    ]


@dataclass(frozen=True)
class _Sentence:
    """A sentence with its medications."""

    context: Context
    place: tuple[int, int]
    drugs: tuple[tuple[int, int], ...]

    def act(self, drug: tuple[int, int]) -> MedicationAct:
        """The act on one of its medications."""
        text = self.context.text
        before, after = text[self.place[0] : drug[0]], text[drug[1] : self.place[1]]
        if OTHER_SENSE_AFTER.match(after) or OTHER_SENSE_BEFORE.search(before) or UNCLEAR.search(before):
            return MedicationAct(MENTION, "")
        assertion = self.context.assertion(*drug)
        if assertion in (FAMILY, OTHER):
            return MedicationAct(MENTION, "")
        if ILLICIT.search(text, *self.place) and not TAKEN.search(after):
            return MedicationAct(MENTION, "")
        if self._is_not_as_prescribed(before, drug):
            return MedicationAct(NOT_TAKEN_SO, "active")
        switched = self._switched(drug)
        act = switched or self._referred(drug) or self._cued(drug)
        return self._settled(drug, act, assertion, is_switch=bool(switched))

    def _settled(self, drug: tuple[int, int], act: str, assertion: str, *, is_switch: bool) -> MedicationAct:
        """The act with its status, after what is said of the drug and of the sentence."""
        text = self.context.text
        after = text[drug[1] : self.place[1]]
        if act == AVOID or (assertion == ABSENT and act not in PAUSES and self._negated(drug)):
            return MedicationAct(AVOID, "")
        if PROCEDURE.search(text, *self.place) and act in (GIVE, MENTION, CONTINUE) and not TAKEN.search(after):
            return MedicationAct(GIVE, "")
        if is_switch and DONE.search(text, *self.place):
            return MedicationAct(act, STATUS[act])
        if assertion == CONDITIONAL or self._proposed(drug, act):
            goes_on = act in (*PAUSES, CHANGE)
            return MedicationAct(act, "active" if goes_on else "conditional", is_tentative=goes_on)
        if act == MENTION and assertion == HISTORICAL:
            return MedicationAct(STOP, "stopped")
        if act == TOLERATED:
            return MedicationAct(MENTION, "")  # whether it is still taken is not said
        if act in (CONTINUE, GIVE, MENTION) and self._was_long_ago(drug):
            return MedicationAct(STOP, "stopped")
        return MedicationAct(act, STATUS.get(act, "active"))

    def _is_not_as_prescribed(self, before: str, drug: tuple[int, int]) -> bool:
        """Whether the drug is prescribed but not taken as it should be ("noncompliant with metformin")."""
        end = next((other[0] for other in self.drugs if other[0] >= drug[1]), self.place[1])
        for other in self.drugs:  # of a list after "noncompliant with" all are meant
            if other[1] <= drug[0] and JOINED.fullmatch(self.context.text, other[1], drug[0]):
                before = self.context.text[self.place[0] : other[0]]
                break
        return bool(NOT_AS_PRESCRIBED.search(before) or NOT_AS_PRESCRIBED_AFTER.match(self.context.text[drug[1] : end]))

    def _was_long_ago(self, drug: tuple[int, int]) -> bool:
        """Whether the sentence begins with "in the past" and does not come to the present before the drug."""
        text = self.context.text
        return bool(LONG_AGO.match(text, self.place[0], drug[0])) and not NOW.search(text, self.place[0], drug[0])

    def _cues(self) -> list[_Cue]:
        words = self.context.tokens
        first, end = words.at(self.place[0]), bisect_left(words.starts, self.place[1])
        rows = []
        for start, stop, effects in _matcher(self.context.language).find(words.words, first, end):
            rows += [_Cue(act, way, words.starts[start], words.ends[stop - 1]) for act, way in effects if way != "-"]
        rows = [self._turned(self._redosed(cue)) for cue in rows if not self._is_loose_off(cue)]
        pairs = [swap.span() for swap in SWAP.finditer(self.context.text, *self.place) if self._swapped(swap)]
        rows = [cue for cue in rows if not any(start < cue.end and cue.start < end for start, end in pairs)]
        return [cue for cue in rows if not any(start < cue.end and cue.start < end for start, end in self.drugs)]

    def _redosed(self, cue: _Cue) -> _Cue:
        """A medication that is "changed to 20 mg" goes on."""
        text = self.context.text
        to_dose = cue.act == STOP and SWAP.search(text, cue.start, cue.end) and re.match(r"\s*\d", text[cue.end :])
        return replace(cue, act=CHANGE) if to_dose else cue

    def _is_loose_off(self, cue: _Cue) -> bool:
        """Whether a cue is a mere "off" that does not stand right before a medication."""
        text = self.context.text
        follows = any(not text[cue.end : other[0]].strip() for other in self.drugs if other[0] >= cue.end)
        return text[cue.start : cue.end].lower() == "off" and not follows

    def _turned(self, cue: _Cue) -> _Cue:
        """A cue behind a mark belongs to what follows directly ("Plan: stop metformin"), else to what stands before."""
        text = self.context.text
        follows = any(other[0] >= cue.end and not text[cue.end : other[0]].strip() for other in self.drugs)
        return replace(cue, direction=">") if cue.direction == "<" and text[cue.start] in ":：-," and follows else cue

    def _cued(self, drug: tuple[int, int]) -> str:
        """The act that the nearest cue states: one right after the list that the drug is in, else the last before it."""
        cues = self._cues()
        ahead = [cue for cue in cues if cue.direction == ">" and cue.end <= drug[0]]
        behind = [cue for cue in cues if cue.direction == "<" and cue.start >= drug[1]]
        last = max(ahead, key=lambda cue: cue.end, default=None)
        behind = [cue for cue in behind if not self._begins_next(cue, cues)]
        if behind:
            following = min(behind, key=lambda cue: cue.start)
            if self._lists(drug[1], following.start, strict=last is not None) or self._ends_clause(drug[1], following):
                return following.act
        if last is not None:
            return last.act
        return self._heading()

    def _referred(self, drug: tuple[int, int]) -> str:
        """What a later clause says of "it", where the drug is the last one named ("amiodarone …, and it was stopped")."""
        end = next((other[0] for other in self.drugs if other[0] >= drug[1]), self.place[1])
        match = next(iter(reversed(list(IT.finditer(self.context.text, drug[1], end)))), None)
        if match and match["refused"]:
            return AVOID
        return next((act for act in (STOP, HOLD, START, AVOID) if match and match[act]), "")

    def _begins_next(self, cue: _Cue, cues: list[_Cue]) -> bool:
        """Whether a cue after a drug belongs to the next one ("aspirin 100 mg, stop warfarin")."""
        text = self.context.text
        follows = any(
            other[0] >= cue.end and FILLING.fullmatch(text, cue.end, other[0]) is not None for other in self.drugs
        )
        return follows and any(other.direction == ">" and other.start <= cue.start < other.end for other in cues)

    def _ends_clause(self, start: int, cue: _Cue) -> bool:
        """Chinese: whether a cue at the end of the next clause tells of the drug ("二甲双胍0.5g，3月前因腹泻停用。")."""
        text, between = self.context.text, self.context.text[start : cue.start]
        if self.context.language != "zh" or cue.act not in PAUSES or len(between) > CLAUSE_REACH:
            return False
        return (
            between.count("，") < 2
            and CLAUSE_END.match(text, cue.end) is not None
            and not any(start <= other[0] < cue.start for other in self.drugs)
        )

    def _lists(self, start: int, end: int, *, strict: bool) -> bool:
        """Whether only dosage and listed medications stand between a drug and a cue after it.

        Args:
            strict: a cue before the drug exists, so a comma starts a new clause ("Continue aspirin, warfarin was stopped").
        """
        between = self.context.text[start:end]
        others = [drug for drug in self.drugs if start <= drug[0] and drug[1] <= end]
        for other in reversed(others):
            between = between[: other[0] - start] + "@" + between[other[1] - start :]
        if re.search("[，；]" if strict and self.context.language == "zh" else "[;；。]", between) or (
            strict and others and re.search(r"[,，、]", between.split("@")[0])
        ):
            return False
        if not others and re.search(r"[,，]\s*\w+\s+\w+", between) and strict:
            return False
        rest = re.sub(
            r"[\d.,/()-]+|\b(?:and|or|the|his|her|mg|mcg|g|ml|units?|daily|po|iv|bid|tid|qid|qd|prn|once|twice|a|day|both|therapy|was|were|"
            r"been|has|have|had|she|he|but|which|also|all|then|dose|treatment|infusion|drip|for|now|since|recently|today|yesterday)\b|[@、和及与，：:]",
            " ", between, flags=re.IGNORECASE,
        )  # fmt: skip
        return len(rest.split()) <= 2

    def _switched(self, drug: tuple[int, int]) -> str:
        """Of "switched from A to B" and "A was replaced by B", A is stopped and B started."""
        text = self.context.text
        for swap in SWAP.finditer(text, *self.place):
            pair = self._swapped(swap)
            if drug in pair:
                return START if drug == pair[-1] else STOP
        if CHANGES.search(text[self.place[0] : drug[0]]) and TO_CLASS.match(text, drug[1]):
            return STOP
        if act := self._changed(drug):
            return act
        switch = SWITCH.search(text, self.place[0], drug[0])
        if switch is None:
            return ""
        earlier = [other for other in self.drugs if switch.end() <= other[0] < drug[0]]
        if not earlier:
            return STOP if len(self.drugs) > 1 else ""
        return START if any(TO.search(text, other[1], drug[0]) for other in earlier) else STOP

    def _swapped(self, swap: re.Match[str]) -> tuple[tuple[int, int], ...]:
        """The medication that was given up and the one taken instead; nothing if the words concern a dose or a finding."""
        text = self.context.text
        following = next((other for other in self.drugs if other[0] >= swap.end()), None)
        if following is None or not SWAPPED.fullmatch(text, swap.end(), following[0]):
            return ()
        later = next((other for other in self.drugs if other[0] >= following[1]), None)
        if later is not None and INSTEAD_OF.fullmatch(text, following[1], later[0]):  # "switched to B from A"
            return later, following
        earlier = [other for other in self.drugs if other[1] <= swap.start()]
        while len(earlier) > 1 and not JOINED.fullmatch(text, earlier[-2][1], earlier[-1][0]):
            earlier = earlier[-1:]
        return (*earlier, following) if earlier else ()

    def _changed(self, drug: tuple[int, int]) -> str:
        """Of "changed A to B", A is stopped and B started."""
        text = self.context.text
        for former, new in pairwise(self.drugs):
            changes = CHANGES.search(text[self.place[0] : former[0]]) and CHANGED_TO.search(text[former[1] : new[0]])
            if changes and drug in (former, new):
                return STOP if drug == former else START
        return ""

    def _negated(self, drug: tuple[int, int]) -> bool:
        """Whether the words of a negation stand close enough before the drug, other drugs not counted."""
        words = self.context.tokens
        for scope in self.context.flags(*drug):
            if scope.assertion != ABSENT:
                continue
            if scope.cause >= scope.start:
                return True
            between = [
                index
                for index in range(scope.start, words.at(drug[0]))
                if words.words[index][0].isalnum() and not any(a <= words.starts[index] < b for a, b in self.drugs)
            ]
            if len([index for index in between if words.words[index] not in ("or", "and", "any")]) <= NEGATION_REACH:
                return True
        return False

    def _proposed(self, drug: tuple[int, int], act: str) -> bool:
        """Whether the act depends on something, or is only considered."""
        text = self.context.text
        start = max([self.place[0], *(text.rfind(mark, self.place[0], drug[0]) + 1 for mark in ";；")])
        proposals = [
            match
            for match in PROPOSAL.finditer(text, start, drug[0])
            if DEPENDS.match(match[0]) or not NEW_CLAUSE.search(text, match.end(), drug[0])
        ]
        if proposals and not ASKS.search(text, start, drug[0]):
            return True
        after = text[drug[1] : self.place[1]]
        condition = IF_AFTER.match(after)
        return bool(act in (START, *PAUSES, CHANGE) and condition and not ASKS.search(condition[0]))

    def _heading(self) -> str:
        """The act in the heading above a list of medications ("Stop taking:" and a line for each)."""
        text, start = self.context.text, self.place[0]
        line = text.rfind("\n", 0, start) + 1
        if not ITEM.match(text[line:]) and text[line:start].strip():
            return MENTION
        for _ in range(LIST_LINES):
            if line <= 0:
                break
            previous = text.rfind("\n", 0, line - 1) + 1
            content = text[previous : line - 1].strip()
            if content.endswith((":", "：")):
                words = tokens(content[:-1]).words
                cues = [
                    act
                    for _s, _e, effects in _matcher(self.context.language).find(words)
                    for act, way in effects
                    if way == ">"
                ]
                return cues[0] if cues else MENTION
            if not content or not (ITEM.match(content) or len(content) < 60):
                return MENTION
            line = previous
        return MENTION
