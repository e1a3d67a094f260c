"""Words around medications that change what a note does with them; English and Chinese."""

from __future__ import annotations

import re

SWITCH = re.compile(
    r"\b(?:switch|chang|transition|convert|rotat)\w*\s+(?:\w+\s+){0,2}from\b|\breplac\w+\b(?!\s+(?:by|with)\b)|"
    r"由(?=[^。；]{1,30}?(?:改|换|调整为))",
    re.IGNORECASE,
)
TO = re.compile(r"\b(?:to|with|by|for)\b|[改换]", re.IGNORECASE)
SWAP = re.compile(
    r"\b(?:replaced\s+(?:it\s+)?(?:by|with)|(?:switch|chang|transition|convert|rotat|swap|substitut|cross-?taper)\w*\s+"
    r"(?:it\s+|over\s+|out\s+){0,2}(?:to|with|by|for)|in\s+favou?r\s+of)\b|"
    r"(?:更换|替换|更改|调整|改(?![善变])|换(?![药瓣气]))(?:用|为|成|口?服|予)*",
    re.IGNORECASE,
)
"""Between two medications: what stands before is stopped, what stands behind is started."""
SWAPPED = re.compile(r"\s*(?:[A-Za-z'-]+\s+){0,3}|[^，。；\d]{0,8}")
CLAUSE_END = re.compile(r"(?:约|近|已)?(?:\d+|[一二两三半数])?余?(?:个月|年|月|周|天|日)?(?:余|前)?(?:[。；，]|$)")
IT = re.compile(
    r"\b(?:it|which|this (?:drug|medication|medicine)|the (?:drug|medication|medicine))\s+(?:was|has been|had been|is)\s+"
    r"(?:then |later |subsequently |since |eventually |therefore |thus |now )*"
    r"(?:(?P<stop>stopped|discontinued|d/c'd|ceased|withdrawn)|(?P<hold>held|paused|suspended|withheld)|(?P<start>restarted|resumed|reinstated))\b|"
    r"\bnever (?:filled|took|started|picked up|used)(?P<avoid> it| this| them| the prescription)\b|"
    r"\bbut (?:he|she|the patient|patient|pt)\s+(?P<refused>refused|declined|did not want|never took|would not take)\b",
    re.IGNORECASE,
)
JOINED = re.compile(r"\s*(?:,|and|&|/|、|和|及)\s*(?:and\s+)?")
CHANGES = re.compile(
    r"\b(?:switch|chang|convert|transition|swapp?)(?:e|ed|ing)?\s+(?:(?:his|her|the|patient's|home)\s+)?$",
    re.IGNORECASE,
)
TO_CLASS = re.compile(
    r"\s+(?:for|to)\s+(?:an?\s+)?(?:[\w-]+\s+){0,3}(?:beta-?\s?blockers?|ACE\s?inhibitors?|ARBs?|statins?|SSRIs?|diuretics?|"
    r"calcium channel blockers?|NSAIDs?|antibiotics?|inhalers?)\b",
    re.IGNORECASE,
)
"""After a medication: the class of what is taken instead ("changed his verapamil for a beta-blocker")."""
CHANGED_TO = re.compile(
    r"^[^,;.]{0,30}?\b(?:to|for)\s+(?:\w+\s+){0,1}$|^\s*\d+(?:\.\d+)?\s*m?c?g[^,;]{0,20}\bto\s+$", re.IGNORECASE
)
DONE = re.compile(r"\b(?:was|were|been|had|has)\b|已", re.IGNORECASE)
INSTEAD_OF = re.compile(r"\W*(?:[\d.]+\s*m?c?g\W*)?(?:\w+\W+){0,2}from\W+(?:\w+\W+){0,2}", re.IGNORECASE)
PROPOSAL = re.compile(
    r"\b(?:consider\w*|may (?:start|need|try|require|benefit|consider|add)|might|could(?! not)|would (?:consider|need|require|benefit|recommend)|"
    r"discuss(?:ed|ing|es)?\b|offer\w*|anticipat\w*|would (?:really )?(?:like|prefer)|likes|hopes|desires?|"
    r"(?:wants?|request\w*|ask(?:s|ed|ing)? for)\b(?![^.;]{0,20}\b(?:refill|continu|renew|stop))|options?|candidate for|possibly|potential\w*|think about|if|unless|until(?! (?:then|now)\b)|in case|should \w+ develop)\b"
    r"(?![^.;]*\b(?:if needed|if necessary))|如果|如|若|考虑|必要时加|可考虑|拟考虑|一旦|假如",
    re.IGNORECASE,
)
NEW_CLAUSE = re.compile(
    r",\s*(?:(?:and|so|then)\s+)?(?:he|she|they|we|i|it|the patient|patient|pt)\b|\band has (?:received|been)\b",
    re.IGNORECASE,
)
"""Between a proposal and a medication: the medication is not what is proposed ("considering sepsis, he was put on")."""
DEPENDS = re.compile(r"\b(?:if|unless|until|in case|should)\b|[如若]|假如|一旦", re.IGNORECASE)
IF_AFTER = re.compile(
    r"^[^.;；。]*?\bin the (?:near )?future\b|^[^.;；。]*?(?<!see )(?<!as )(?<!even )\b(?:if|when|unless|should)\b(?! (?:needed|necessary|possible|able|tolerated))",
    re.IGNORECASE,
)
ASKS = re.compile(r"\b(?:call|return|contact|notify|ask|see|follow|come back|tell)\b", re.IGNORECASE)
OTHER_SENSE_AFTER = re.compile(
    r"^\s*-?\s*(?:levels?|troughs?|peaks?|screen(?:ing)?|assay|monitors?\b|monitoring|criteria|overuse|ets\b|induced|associated|resistan\w+|resist\w*|sensitiv\w+|susceptib\w+|dependent|"
    r"deficien\w+|clinic|antibod\w+|receptors?|toxicity|overdose|poisoning|abuse|withdrawal|naive|intoxication|use disorder|misuse|addiction|"
    r"dependence|challenge|skin test\w*|tolerance|stress|scan|perfusion|(?:\w+\s)?nuclear|related|refractory|responsive|antagonists?|inhibitors?|"
    r"binding|metabolism|grade\b|class\b|physical status|浓度|水平|中毒|耐药|过量|试验|皮试|敏感|抵抗)",
    re.IGNORECASE,
)
OTHER_SENSE_BEFORE = re.compile(
    r"(?:\b(?:sensitive|susceptible|resistant|susceptibility|sensitivity|resistance|response|responsive) to|positive for|levels? of|"
    r"drug screen\b[^.]*|toxicolog\w+\b[^.]*|urine drugs?\b[^.]*|tox screen\b[^.]*|对[^。]{0,20}(?:敏感|耐药))\s*(?:\w+,?\s+(?:and |or )?){0,3}$",
    re.IGNORECASE,
)
FILLING = re.compile(r"\s*(?:口服|静滴|服用|使用|应用|taking|the|his|her|on|with|to take)?\s*", re.IGNORECASE)
"""What may stand between a cue and its medication."""
LONG_AGO = re.compile(r"\W*(?:in the (?:remote |distant )?past|previously|formerly|years ago)\b,?", re.IGNORECASE)
"""At the beginning of a sentence: what was taken is not taken now."""
NOT_AS_PRESCRIBED = re.compile(
    r"(?:\b(?:non-?\s?(?:complian\w+|adheren\w+)|(?:not|poorly|in)[\s-]?(?:been\s+)?(?:fully\s+|very\s+|always\s+)?(?:complian\w+|adheren\w+)|"
    r"(?:poor|questionable|partial|inconsistent) (?:compliance|adherence))\s+(?:with|to)\s+(?:taking\s+|the\s+|his\s+|her\s+|home\s+)*|"
    r"\b(?:skips|skipping|misses|missing|missed|forgets?|forgetting|(?:does|do|did) not (?:always|regularly|consistently) take)\s+(?:\w+\s+){0,4}|"
    r"(?:不规律|未规律|不规则|间断|未遵医嘱|依从性差)[^，。；]{0,6}?(?:服用|口服|使用|应用|服药)?)$",
    re.IGNORECASE,
)
NOT_AS_PRESCRIBED_AFTER = re.compile(
    r"^[^.;,，。；]{0,40}?\b(?:irregularly|not (?:always )?as (?:prescribed|directed)|inconsistently|sporadically|when (?:he|she) remembers)\b|"
    r"^[^。；]{0,16}?(?:不规律|未规律|未遵医嘱|依从性差)",
    re.IGNORECASE,
)
"""Around a medication that is prescribed but not taken as it should be."""
UNCLEAR = re.compile(
    r"\b(?:not (?:clear|known|sure)|unclear|unsure|unknown|uncertain)\s+(?:if|whether)\b[^.;,]*$|\bassuming (?:he|she)\b[^.;,]*$|不(?:清楚|详|确定)是否[^，。；]*$",
    re.IGNORECASE,
)
"""Before a medication of which it is not known whether it is taken."""
ILLICIT = re.compile(
    r"\b(?:cocaine|polysubstance|illicit|street drugs?|snort\w*|huff\w*|recreational\w*)\b|吸毒|毒品", re.IGNORECASE
)
"""In a sentence about misuse a substance is no medication."""
NOW = re.compile(r"\b(?:now|currently|at present|today|again|still|since)\b", re.IGNORECASE)
PROCEDURE = re.compile(
    r"\b(?:prepped|draped|cleaned|cleansed|colposcop\w*|acetowhite|band-?aids?|puncture|flooded|infiltrat\w+|an(?:a)?esth\w+|inject\w*|irrigat\w+|flush\w*|sutur\w+|incision\w*|needle|gauze|dressings?|sterile|"
    r"wheal|tourniquet|trocar|cannula\w*|instill\w*|chamber|capsular|block|scrub|epidurogram|prep|aspirat\w+)\b|局麻|消毒|麻醉|缝合",
    re.IGNORECASE,
)
"""Words of procedures: what is used in one is not the patient's medication."""
TAKEN = re.compile(
    r"\b(?:p\.?o\.?|orally|by mouth|daily|b\.?i\.?d|t\.?i\.?d|q\.?i\.?d|q\.?\d+|every|prn|p\.r\.n|twice|at bedtime|weekly|tablets?|"
    r"(?<=\d )capsules?|units?)\b|每日|口服",
    re.IGNORECASE,
)
ITEM = re.compile(r"^\s*(?:[-•*·–]|\d{1,2}[.)、])")
