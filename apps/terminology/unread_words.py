"""Words of an order or an allergy entry that may name a substance and are not known: what must be said, not dropped."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from apps.terminology.condition_text import plain_words
from apps.terminology.conditions import conditions
from apps.terminology.drug_resolution import CHINESE_BESIDE, WORDS_BESIDE
from apps.terminology.drugs import everyday_words
from apps.terminology.names import HAN, Token, is_chinese, tokens_of
from apps.terminology.spelling import Vocabulary

SHORTEST: Final = 5
"""Letters of a word that may name a substance; the unknown shorter ones are nearly all abbreviations."""
_REACTION_WORDS: Final = """
anaphylaxis anaphylactic anaphylactoid angioedema angioneurotic urticaria urticarial hives rash rashes itching itchiness
pruritus pruritic swelling edema oedema hypotension bronchospasm wheezing dyspnea dyspnoea nausea vomiting diarrhea
diarrhoea upset intolerance intolerant reaction reactions allergy allergies allergic unknown headache dizziness syncope
flushing palpitations tachycardia bradycardia stevens johnson necrolysis epidermal toxic erythema multiforme exfoliative
dermatitis eosinophilia hepatitis jaundice nephritis thrombocytopenia agranulocytosis neutropenia hallucinations
confusion seizure seizures myalgia myopathy rhabdomyolysis dystonia dystonic cough hoarseness constipation stomach
cramps tingling numbness lightheadedness drowsiness sedation agitation hyperkalemia hyponatremia bleeding hematuria
venom stuffiness blisters blistering peeling photosensitivity tinnitus lactic acidosis redman mouth sores ulcers
mild moderate severe
"""
_REACTIONS: Final = frozenset(_REACTION_WORDS.split())
_MAKER_NAMES: Final = """
teva sandoz mylan pfizer actavis apotex lupin zydus cipla accord aurobindo stada ratiopharm hexal bayer roche
novartis sanofi merck viatris zentiva generics generic brand wockhardt hikma fresenius baxter hospira amneal takeda
astrazeneca glenmark torrent macleods hengrui qilu yangtze
"""
_MAKERS: Final = frozenset(_MAKER_NAMES.split())
_SEPARATOR: Final = re.compile(r"[、，,;；/＋+&\n()（）]|和|及|与|或者|或|以及")
_CHINESE_NARRATIVE: Final = re.compile(
    r"过敏|皮疹|疹|痒|肿|休克|反应|皮试|吐|恶心|痛|晕|热|泻|呼吸|胸闷|心悸|曾|出现|发生|发现|严重|轻|重|年|月|前|后|史|药物|类药|食物|其他|"
    r"不耐受|不良|禁用|慎用|患者|家属|自述|诉|具体|不详|等|无|未|否|因|可|能|为|是|有|需|请|停|开始|继续|加用|改|治疗|控制|联合|测|监测|"
    r"血压|血糖|体温|饭|餐|睡|时|需要|必要|手术|术|疼|感染|住院|门诊|处方|医嘱|同时|另|均|约|至|左|右|双|眼|耳|鼻|皮|口|肌|静|脉"
)


def unread_words(text: str, named: list[tuple[int, int]]) -> list[str]:
    """Words beside the names that are neither ordinary words, doses and reactions nor misspellings of a reaction.

    Args:
        named: start and end of what was understood.
    """
    free = [
        token for token in tokens_of(text) if not any(start < token.end and token.start < end for start, end in named)
    ]
    words = [
        text[token.start : token.end] for token in free if _is_strange(token) and not _explained(text, token, named)
    ]
    return list(dict.fromkeys(words + _chinese_parts(text, named)))


def _is_strange(token: Token) -> bool:
    word = token.key
    if len(word) < SHORTEST or not word.isalpha() or is_chinese(word):
        return False
    return not (word in WORDS_BESIDE or word in _MAKERS or word in _ordinary() or _reactions().near(word))


def _explained(text: str, token: Token, named: list[tuple[int, int]]) -> bool:
    """Whether a name in brackets says what the word is, or the word in brackets only says it again."""
    before, after = text[: token.start], text[token.end :]
    opened = re.match(r"[\s®™]*[(（\[]\s*", after)
    if opened and any(start == token.end + opened.end() for start, _end in named):
        return True
    return bool(re.search(r"\b(?:dr|md|doctor|nurse|mr|mrs|ms)\W+$", before, re.IGNORECASE))


def _chinese_parts(text: str, named: list[tuple[int, int]]) -> list[str]:
    """Items of a Chinese list without a known name, unless they tell of a reaction, a dose or a time."""
    found, position = [], 0
    for part in [*_SEPARATOR.finditer(text), None]:
        start, end = position, part.start() if part else len(text)
        position = part.end() if part else end
        if any(left < end and start < right for left, right in named):
            continue
        item = re.sub(r"^\s*对|(?:药物)?过敏史?\s*$", "", text[start:end]).strip()
        rest = "".join(re.findall(f"[{HAN}]", CHINESE_BESIDE.sub("", item)))
        if 2 <= len(rest) <= 10 and not _CHINESE_NARRATIVE.search(item) and item not in conditions().own:
            found.append(item)
    return found


@cache
def _ordinary() -> frozenset[str]:
    names = {word for key in conditions().own if key.isascii() for word in key.split()}
    return everyday_words() | plain_words() | names | _REACTIONS


@cache
def _reactions() -> Vocabulary:
    return Vocabulary(word for word in _REACTIONS if len(word) >= SHORTEST)
