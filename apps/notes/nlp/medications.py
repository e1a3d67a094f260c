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
from apps.notes.nlp.phrases import Phrases
from apps.notes.nlp.tokens import tokens

FILE = Path(__file__).parent / "medication_acts.tsv"
START, STOP, HOLD, CONTINUE, CHANGE, GIVE, AVOID, MENTION, RAN_OUT = (
    "start", "stop", "hold", "continue", "change", "give", "avoid", "mention", "ran out",
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
_SWITCH = re.compile(
    r"\b(?:switch|chang|transition|convert|rotat)\w*\s+(?:\w+\s+){0,2}from\b|\breplac\w+\b(?!\s+(?:by|with)\b)|"
    r"由(?=[^。；]{1,30}?(?:改|换|调整为))",
    re.IGNORECASE,
)
_TO = re.compile(r"\b(?:to|with|by|for)\b|[改换]", re.IGNORECASE)
_SWAP = re.compile(
    r"\b(?:replaced\s+(?:it\s+)?(?:by|with)|(?:switch|chang|transition|convert|rotat|swap|substitut|cross-?taper)\w*\s+"
    r"(?:it\s+|over\s+|out\s+){0,2}(?:to|with|by|for)|in\s+favou?r\s+of)\b|"
    r"(?:更换|替换|更改|调整|改(?![善变])|换(?![药瓣气]))(?:用|为|成|口?服|予)*",
    re.IGNORECASE,
)
"""Between two medications: what stands before is stopped, what stands behind is started."""
_SWAPPED = re.compile(r"\s*(?:[A-Za-z'-]+\s+){0,3}|[^，。；\d]{0,8}")
_CLAUSE_END = re.compile(r"(?:约|近|已)?(?:\d+|[一二两三半数])?余?(?:个月|年|月|周|天|日)?(?:余|前)?(?:[。；，]|$)")
_IT = re.compile(
    r"\b(?:it|which|this (?:drug|medication|medicine)|the (?:drug|medication|medicine))\s+(?:was|has been|had been|is)\s+"
    r"(?:then |later |subsequently |since |eventually |therefore |thus |now )*"
    r"(?:(?P<stop>stopped|discontinued|d/c'd|ceased|withdrawn)|(?P<hold>held|paused|suspended|withheld))\b|"
    r"\bnever (?:filled|took|started|picked up|used)(?P<avoid> it| this| them| the prescription)\b",
    re.IGNORECASE,
)
_JOINED = re.compile(r"\s*(?:,|and|&|/|、|和|及)\s*(?:and\s+)?")
_CHANGES = re.compile(
    r"\b(?:switch|chang|convert|transition|swapp?)(?:e|ed|ing)?\s+(?:(?:his|her|the|patient's|home)\s+)?$",
    re.IGNORECASE,
)
_CHANGED_TO = re.compile(
    r"^[^,;.]{0,30}?\b(?:to|for)\s+(?:\w+\s+){0,1}$|^\s*\d+(?:\.\d+)?\s*m?c?g[^,;]{0,20}\bto\s+$", re.IGNORECASE
)
_DONE = re.compile(r"\b(?:was|were|been|had|has)\b|已", re.IGNORECASE)
_INSTEAD_OF = re.compile(r"\W*(?:[\d.]+\s*m?c?g\W*)?(?:\w+\W+){0,2}from\W+(?:\w+\W+){0,2}", re.IGNORECASE)
_PROPOSAL = re.compile(
    r"\b(?:consider\w*|may (?:start|need|try|require|benefit|consider|add)|might|could(?! not)|would (?:consider|need|require|benefit|recommend)|"
    r"discuss\w*|offer\w*|options?|candidate for|possibly|potential\w*|think about|if|unless|until|in case|should \w+ develop)\b"
    r"(?![^.;]*\b(?:if needed|if necessary))|如果|如|若|考虑|必要时加|可考虑|拟考虑|一旦|假如",
    re.IGNORECASE,
)
_IF_AFTER = re.compile(
    r"^[^.;；。]*?(?<!see )(?<!as )(?<!even )\b(?:if|when|unless|should)\b(?! (?:needed|necessary|possible|able|tolerated))",
    re.IGNORECASE,
)
_ASKS = re.compile(r"\b(?:call|return|contact|notify|ask|see|follow|come back|tell)\b", re.IGNORECASE)
_OTHER_SENSE_AFTER = re.compile(
    r"^\s*-?\s*(?:levels?|troughs?|peaks?|screen(?:ing)?|assay|induced|associated|resistan\w+|resist\w*|sensitiv\w+|susceptib\w+|dependent|"
    r"deficien\w+|clinic|antibod\w+|receptors?|toxicity|overdose|poisoning|abuse|withdrawal|naive|intoxication|use disorder|misuse|addiction|"
    r"dependence|challenge|skin test\w*|tolerance|stress|scan|perfusion|(?:\w+\s)?nuclear|related|refractory|responsive|antagonists?|inhibitors?|"
    r"binding|metabolism|grade\b|class\b|physical status|浓度|水平|中毒|耐药|过量|试验|皮试|敏感|抵抗)",
    re.IGNORECASE,
)
_OTHER_SENSE_BEFORE = re.compile(
    r"(?:\b(?:sensitive|susceptible|resistant|susceptibility|sensitivity|resistance|response|responsive) to|positive for|levels? of|"
    r"drug screen\b[^.]*|toxicology\b[^.]*|tox screen\b[^.]*|对[^。]{0,20}(?:敏感|耐药))\s*(?:\w+,?\s+(?:and |or )?){0,3}$",
    re.IGNORECASE,
)
_FILLING = re.compile(r"\s*(?:口服|静滴|服用|使用|应用|taking|the|his|her|on|with|to take)?\s*", re.IGNORECASE)
"""What may stand between a cue and its medication."""
_PROCEDURE = re.compile(
    r"\b(?:prepped|draped|infiltrat\w+|an(?:a)?esth\w+|inject\w*|irrigat\w+|flush\w*|sutur\w+|incision\w*|needle|gauze|dressings?|sterile|"
    r"wheal|tourniquet|trocar|cannula\w*|instill\w*|chamber|capsular|block|scrub|epidurogram|prep|aspirat\w+)\b|局麻|消毒|麻醉|缝合",
    re.IGNORECASE,
)
"""Words of procedures: what is used in one is not the patient's medication."""
_TAKEN = re.compile(
    r"\b(?:p\.?o\.?|orally|by mouth|daily|b\.?i\.?d|t\.?i\.?d|q\.?i\.?d|q\.?\d+|every|prn|p\.r\.n|twice|at bedtime|weekly|tablets?|"
    r"capsules?|units?)\b|每日|口服",
    re.IGNORECASE,
)
_ITEM = re.compile(r"^\s*(?:[-•*·–]|\d{1,2}[.)、])")
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
        act: START, STOP, HOLD, CONTINUE, CHANGE, GIVE, RAN_OUT; AVOID for what is not taken; MENTION if the note does not say.
        status: active, stopped, on-hold, conditional, or empty if nothing is to be recorded.
    """

    act: str
    status: str


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
        if _OTHER_SENSE_AFTER.match(after) or _OTHER_SENSE_BEFORE.search(before):
            return MedicationAct(MENTION, "")
        assertion = self.context.assertion(*drug)
        if assertion in (FAMILY, OTHER):
            return MedicationAct(MENTION, "")
        switched = self._switched(drug)
        act = switched or self._referred(drug) or self._cued(drug)
        if act == AVOID or (assertion == ABSENT and act not in PAUSES and self._negated(drug)):
            return MedicationAct(AVOID, "")
        if _PROCEDURE.search(text, *self.place) and act in (GIVE, MENTION, CONTINUE) and not _TAKEN.search(after):
            return MedicationAct(GIVE, "")
        if switched and _DONE.search(text, *self.place):
            return MedicationAct(act, STATUS[act])
        if assertion == CONDITIONAL or self._proposed(drug, act):
            return MedicationAct(act, "active" if act in (*PAUSES, CHANGE) else "conditional")
        if act == MENTION and assertion == HISTORICAL:
            return MedicationAct(STOP, "stopped")
        return MedicationAct(act, STATUS.get(act, "active"))

    def _cues(self) -> list[_Cue]:
        words = self.context.tokens
        first, end = words.at(self.place[0]), bisect_left(words.starts, self.place[1])
        rows = []
        for start, stop, effects in _matcher(self.context.language).find(words.words, first, end):
            rows += [_Cue(act, way, words.starts[start], words.ends[stop - 1]) for act, way in effects if way != "-"]
        rows = [self._turned(self._redosed(cue)) for cue in rows if not self._is_loose_off(cue)]
        pairs = [swap.span() for swap in _SWAP.finditer(self.context.text, *self.place) if self._swapped(swap)]
        rows = [cue for cue in rows if not any(start < cue.end and cue.start < end for start, end in pairs)]
        return [cue for cue in rows if not any(start < cue.end and cue.start < end for start, end in self.drugs)]

    def _redosed(self, cue: _Cue) -> _Cue:
        """A medication that is "changed to 20 mg" goes on."""
        text = self.context.text
        to_dose = cue.act == STOP and _SWAP.search(text, cue.start, cue.end) and re.match(r"\s*\d", text[cue.end :])
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
        match = _IT.search(self.context.text, drug[1], end)
        return next((act for act in (STOP, HOLD, AVOID) if match and match[act]), "")

    def _begins_next(self, cue: _Cue, cues: list[_Cue]) -> bool:
        """Whether a cue after a drug belongs to the next one ("aspirin 100 mg, stop warfarin")."""
        text = self.context.text
        follows = any(
            other[0] >= cue.end and _FILLING.fullmatch(text, cue.end, other[0]) is not None for other in self.drugs
        )
        return follows and any(other.direction == ">" and other.start <= cue.start < other.end for other in cues)

    def _ends_clause(self, start: int, cue: _Cue) -> bool:
        """Chinese: whether a cue at the end of the next clause tells of the drug ("二甲双胍0.5g，3月前因腹泻停用。")."""
        text, between = self.context.text, self.context.text[start : cue.start]
        if self.context.language != "zh" or cue.act not in PAUSES or len(between) > CLAUSE_REACH:
            return False
        return (
            between.count("，") < 2
            and _CLAUSE_END.match(text, cue.end) is not None
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
        for swap in _SWAP.finditer(text, *self.place):
            pair = self._swapped(swap)
            if drug in pair:
                return START if drug == pair[-1] else STOP
        if act := self._changed(drug):
            return act
        switch = _SWITCH.search(text, self.place[0], drug[0])
        if switch is None:
            return ""
        earlier = [other for other in self.drugs if switch.end() <= other[0] < drug[0]]
        if not earlier:
            return STOP if len(self.drugs) > 1 else ""
        return START if any(_TO.search(text, other[1], drug[0]) for other in earlier) else STOP

    def _swapped(self, swap: re.Match[str]) -> tuple[tuple[int, int], ...]:
        """The medication that was given up and the one taken instead; nothing if the words concern a dose or a finding."""
        text = self.context.text
        following = next((other for other in self.drugs if other[0] >= swap.end()), None)
        if following is None or not _SWAPPED.fullmatch(text, swap.end(), following[0]):
            return ()
        later = next((other for other in self.drugs if other[0] >= following[1]), None)
        if later is not None and _INSTEAD_OF.fullmatch(text, following[1], later[0]):  # "switched to B from A"
            return later, following
        earlier = [other for other in self.drugs if other[1] <= swap.start()]
        while len(earlier) > 1 and not _JOINED.fullmatch(text, earlier[-2][1], earlier[-1][0]):
            earlier = earlier[-1:]
        return (*earlier, following) if earlier else ()

    def _changed(self, drug: tuple[int, int]) -> str:
        """Of "changed A to B", A is stopped and B started."""
        text = self.context.text
        for former, new in pairwise(self.drugs):
            changes = _CHANGES.search(text[self.place[0] : former[0]]) and _CHANGED_TO.search(text[former[1] : new[0]])
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
        if _PROPOSAL.search(text, start, drug[0]) and not _ASKS.search(text, start, drug[0]):
            return True
        after = text[drug[1] : self.place[1]]
        condition = _IF_AFTER.match(after)
        return bool(act in (START, *PAUSES, CHANGE) and condition and not _ASKS.search(condition[0]))

    def _heading(self) -> str:
        """The act in the heading above a list of medications ("Stop taking:" and a line for each)."""
        text, start = self.context.text, self.place[0]
        line = text.rfind("\n", 0, start) + 1
        if not _ITEM.match(text[line:]) and text[line:start].strip():
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
            if not content or not (_ITEM.match(content) or len(content) < 60):
                return MENTION
            line = previous
        return MENTION
