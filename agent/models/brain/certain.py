"""Calls that a goal spells out: a conversion, a question about dates, a file to be renamed, copied, deleted or changed.

What it is: `call(goal, live)` gives the one call of a goal that asks for nothing else, else None; the grammar of the step
is then that call. What it may touch: nothing. Does not promise: other wordings; those are the model's. Start at `call`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from outrider.agent.models.brain.sums import hints
from outrider.agent.models.brain.values import ENDINGS, KIND_WORDS, UNIT
from outrider.agent.models.choice import asked, clauses

Call = tuple[str, dict[str, Any]]
_N = r"(?P<n>-?\d[\d,]*(?:\.\d+)?)"
UNITS = (
    re.compile(rf"^(?:.*?\b)?{_N}\s?(?P<u>{UNIT})\s+(?:in|to|into|as)\s+(?P<t>{UNIT})\b", re.I),
    re.compile(rf"\bhow (?:many|much) (?P<t>{UNIT}) (?:is|are|in|are in|are there in|make|does)\s+{_N}\s?(?P<u>{UNIT})\b", re.I),
    re.compile(rf"\b{_N}\s?(?P<u>{UNIT}),? (?:how many|how much|what is (?:that|it) in) (?P<t>{UNIT})\b", re.I),
)  # fmt: skip
_SHIFT = re.compile(
    r"(?P<n>\d+) (?P<u>day|week|month|year)s? (?P<w>after|before|from|later than|prior to)\b|(?:add|plus) (?P<n2>\d+) (?P<u2>day|week|month|year)s?",
    re.I,
)
_P = r"[\"'`]?(?P<{}>[\w./-]+\.\w{{1,8}}|[\w-]+/[\w./-]*)[\"'`]?"


def call(goal: str, live: Collection[str]) -> Call | None:
    """The call that the goal spells out, if its tool is on offer and the goal has but one clause."""
    text = " ".join(asked.bounded(goal).split())
    if len(text) > 240 or len(clauses.split(goal)) > 1:
        return None
    for find in (_sum, _dates, _units, _files, _writes, _counts, _searches, _listings, _reads):
        found = find(text)
        if found is not None and found[0] in live:
            return found
    return None


_ENDS = r"(?: please|, please|, thanks| for me| now)?[.!? ]*$"
_STARTS = r"^(?:please |can you |could you |hey,? |i want you to )*"
_APPEND = re.compile(
    rf"{_STARTS}(?:append|add|put) (?:the (?:line|text|words?|item|sentence) )?(?P<t>\"[^\"]+\"|'[^']+'|.{{1,120}}?) (?:to|at|on|onto) (?:the )?(?:(?:end|bottom) of )?(?:my |the )?(?:\w+ (?:list|file) )?(?:in |called )?(?:the file )?"
    rf"{_P.format('f')}{_ENDS}", re.I,
)  # fmt: skip


def appended(goal: str) -> tuple[str, str] | None:
    """(file, line) of a goal that wants a line added to a file; None for any other."""
    match = _APPEND.search(" ".join(asked.bounded(goal).split()))
    return (match["f"], match["t"].strip("\"'")) if match else None


TAIL = re.compile(
    r",?\s+(?P<o>plus|and add|minus|less|times|multiplied by|divided by|increased by|decreased by|reduced by)\s+(?P<n>\d+(?:\.\d+)?)\s*(?P<p>%|percent|per cent)?\s*[?.!]*$", re.I
)  # fmt: skip


_LATER = (
    re.compile(r",?\s*\b(?:and |then |and then )+(?P<o>divide|multiply|increase|raise|decrease|reduce|lower)\s+(?:it|that|this|the (?:result|sum|total|average|price|number|value))\s+by\s+(?P<n>\d+(?:\.\d+)?)\s*(?P<p>%|percent|per cent)?\s*[?.!]*$", re.I),
    re.compile(r",?\s*\b(?:and |then |and then )+(?P<o>add|subtract|take|knock)\s+(?P<n>\d+(?:\.\d+)?)\s*(?P<p>%|percent|per cent)?\s+(?:to|from|off|off of|away from)\s+(?:it|that|this|the (?:result|sum|total|average|price|number|value))\s*[?.!]*$", re.I),
)  # fmt: skip
_SIGNS = {"divide": "/", "multiply": "*", "increase": "+", "raise": "+", "add": "+"}  # any other takes away


def tailless(goal: str) -> str:
    """The goal without the sum that it wants of a result."""
    text = " ".join(goal.split())
    for one in (TAIL, *_LATER):
        text = one.sub("", text)
    return text


def carried(goal: str, value: str) -> Call | None:
    """The sum that a goal wants of a result: "… in stock.csv plus 20%"; None where it wants none."""
    text = " ".join(asked.bounded(goal).split())
    later = next((found for one in _LATER if (found := one.search(text))), None)
    if later and re.fullmatch(r"-?\d+(?:\.\d+)?", value):
        sign = _SIGNS.get(later["o"].lower(), "-")
        if later["p"]:
            return "calculate", {"expression": f"{value} * (1 {sign} {later['n']} / 100)"} if sign in "+-" else {}
        return "calculate", {"expression": f"{value} {sign} {later['n']}"}
    match = TAIL.search(text)
    if not match or not re.fullmatch(r"-?\d+(?:\.\d+)?", value):
        return None
    up = match["o"].lower() in ("plus", "and add", "increased by")
    if match["p"]:
        return "calculate", {"expression": f"{value} * (1 {'+' if up else '-'} {match['n']} / 100)"}
    sign = (
        "+"
        if up
        else "*"
        if match["o"].lower() in ("times", "multiplied by")
        else "/"
        if "divided" in match["o"]
        else "-"
    )
    return "calculate", {"expression": f"{value} {sign} {match['n']}"}


def _sum(text: str) -> Call | None:
    expression = hints.expression(text)
    return ("calculate", {"expression": expression.replace("math.", "")}) if expression else None


def _units(text: str) -> Call | None:
    if asked.FILE.search(text) or len(re.findall(r"(?<![\w.])\d[\d,.]*", text)) != 1:
        return None
    for pattern in UNITS:
        match = pattern.search(text)
        if match:
            plain = [re.sub(r"^degrees? ", "", match[key]) for key in ("u", "t")]
            return "units", {"value": match["n"], "unit": plain[0], "to": plain[1]}
    return None


def _dates(text: str) -> Call | None:
    if asked.FILE.search(text):
        return None
    spans = sorted({(m.start(), m[0]) for pattern in asked.DATES for m in pattern.finditer(text)})
    said = [span for _, span in spans] + re.findall(r"\btoday\b|\btomorrow\b", text, re.I)
    if len(spans) == 2 and re.search(r"\bdays?\b|\bhow (?:long|far)\b|\bweeks?\b", text, re.I):
        return "dates", {"operation": "difference", "date": said[0], "to": said[1]}
    if len(spans) != 1:
        return None
    if re.search(
        r"\bweekday\b|\bday of the week\b|\bwhat day\b|\bwhich day\b|\bis what day\b", text, re.I
    ) and not _SHIFT.search(text):
        return "dates", {"operation": "weekday", "date": said[0]}
    if shift := _SHIFT.search(text):
        sign = -1 if (shift["w"] or "").lower().startswith(("before", "prior")) else 1
        amount, unit = int(shift["n"] or shift["n2"]), (shift["u"] or shift["u2"]).lower()
        return "dates", {"operation": "add", "date": said[0], "amount": sign * amount, "unit": f"{unit}s"}
    if re.search(r"\bhow (?:many days|long)\b|\bdays (?:left|until|till|since)\b", text, re.I):
        since = re.search(r"\bsince\b|\bpassed\b", text, re.I)
        pair = (said[0], "today") if since else ("today", said[0])
        return "dates", {"operation": "difference", "date": pair[0], "to": pair[1]}
    return None


_FILES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (rf"(?:rename|move) (?:the )?(?:file )?{_P.format('a')} (?:to|into|as) (?:the )?(?:file )?{_P.format('b')}", "move_file", ("path", "to")),
    (rf"(?:copy|duplicate|back up) (?:the )?(?:file )?{_P.format('a')} (?:to|as|into) (?:the )?(?:file )?{_P.format('b')}", "copy_file", ("path", "to")),
    (rf"(?:make|create) a (?:copy|backup|duplicate) of (?:the )?(?:file )?{_P.format('a')} (?:named|called|as|to|in|into|under the name) (?:the )?(?:file )?{_P.format('b')}", "copy_file", ("path", "to")),
    (rf"(?:delete|erase|remove|get rid of) (?:the )?(?:file )?{_P.format('a')}", "delete_file", ("path",)),
)  # fmt: skip
_Q = r"(?:\"([^\"]+)\"|'([^']+)'|`([^`]+)`|(\S+))"
_W = r"[\"'`]?(?P<{}>[\w./:-]*\w)[\"'`]?"
_REPLACE = (
    re.compile(rf"{_STARTS}(?:in|inside) {_P.format('f')},? (?:replace|change|swap) {_Q} (?:with|to|by|into|for) {_Q}{_ENDS}", re.I),
    re.compile(rf"{_STARTS}(?:replace|change|swap) {_Q} (?:with|to|by|into|for) {_Q} in (?:the file )?{_P.format('f')}{_ENDS}", re.I),
)  # fmt: skip


_SETTING = (
    re.compile(rf"{_STARTS}(?:in|inside) {_P.format('f')},? (?:change|set|switch|update) (?:the )?(?P<k>[\w.-]+) (?:from {_W.format('a')} )?to {_W.format('b')}{_ENDS}", re.I),
    re.compile(rf"{_STARTS}(?:change|set|switch|update) (?:the )?(?P<k>[\w.-]+)(?: (?:in|of) {_P.format('f')})? from {_W.format('a')} to {_W.format('b')}(?: in (?:the file )?{_P.format('g')})?{_ENDS}", re.I),
)  # fmt: skip


_SET_TO = (
    re.compile(rf"{_STARTS}(?:in|inside) {_P.format('f')},? (?:change|set|switch|update|put) (?:the )?(?:value of )?(?P<k>[\w.-]+(?: \w+)?) (?:to|=) {_W.format('b')}{_ENDS}", re.I),
    re.compile(rf"{_STARTS}(?:change|set|switch|update) (?:the )?(?:value of )?(?P<k>[\w.-]+(?: \w+)?) to {_W.format('b')} in (?:the file )?{_P.format('f')}{_ENDS}", re.I),
    re.compile(rf"{_STARTS}(?:change|set|switch|update) (?:the )?(?P<k>[\w.-]+(?: \w+)?) in (?:the file )?{_P.format('f')} to {_W.format('b')}{_ENDS}", re.I),
)  # fmt: skip


def set_to(goal: str) -> tuple[str, str, str] | None:
    """(file, key, value) of a goal that wants a setting to have a value; None for any other."""
    text = " ".join(asked.bounded(goal).split())
    found = next((match for one in _SET_TO if (match := one.search(text))), None)
    return (found["f"], found["k"], found["b"]) if found and " from " not in text else None


def _setting(text: str) -> Call | None:
    """ "Change log_level from warning to debug in config.yaml": the old value becomes the new one."""
    for one in _SETTING:
        match = one.search(text)
        if match and match["a"]:
            path = match["f"] or match.groupdict().get("g")
            return ("edit_file", {"path": path, "old": match["a"], "new": match["b"]}) if path else None
    return None


def _files(text: str) -> Call | None:
    for pattern, tool, keys in _FILES:
        match = re.search(f"{_STARTS}{pattern}{_ENDS}", text, re.I)
        if match:
            return tool, dict(zip(keys, (match[name] for name in ("a", "b")[: len(keys)]), strict=True))
    if setting := _setting(text):
        return setting
    if re.search(r"\bfrom \S+ to\b", text):
        return None
    for found in (one.search(text) for one in _REPLACE):
        if found:
            old, new = [value for value in found.groups() if value and value != found["f"]][:2]
            return "edit_file", {"path": found["f"], "old": old, "new": new}
    return None


_COUNT = re.compile(
    rf"\b(?:how many|count (?:the |all )?|number of)\s*(?P<o>lines|words|characters|letters)\b.*?{_P.format('f')}", re.I
)
_SEARCH = (
    re.compile(r"\b(?:which|what) files? (?:mentions?|contains?|holds?|has|have|talks? about)(?: the (?:word|text|name))? (?P<w>.+?)\W*$", re.I),
    re.compile(r"\b(?:in which|which of (?:the|my)) files? .{0,30}?(?:does |is |mention |contain )(?:the word )?(?P<w>\S+)", re.I),
    re.compile(r"^\W*(?:find|search(?: for)?|look for|grep)(?: the (?:word|text|name))? (?P<w>.+?) in (?:the |my |all )*(?:files|folder|workspace|project)\W*$", re.I),
    re.compile(r"^\W*search (?:the |my |all )*(?:files|folder|workspace|project) for (?:the (?:word|text|name) )?(?P<w>.+?)\W*$", re.I),
    re.compile(r"^\W*where (?:is|are|do i (?:mention|talk about)) (?P<w>.+?)(?: mentioned)?(?: in (?:the|my) files)?\W*$", re.I),
)  # fmt: skip
_LIST = re.compile(
    r"\b(?:list|show|which|what|how many|count|find)\b.{0,24}?(?:\*?\.?(?P<e>[a-z]{1,5})|(?P<k>python|text|markdown|javascript|excel)) files\b",
    re.I,
)
_READ = re.compile(
    rf"^\W*(?:please )?(?:read|open|show me|show|print|display|cat|summari[sz]e|what(?:'s| is) in|what does)\s+(?:the (?:file|contents? of) )?{_P.format('f')}(?: say| about| contain)?\W*$",
    re.I,
)


_WRITE = (
    re.compile(rf"{_STARTS}(?:write|save|put|store)(?: the (?:text|words?|line|sentence))? (?P<c>.+?) (?:to|in|into|as)(?: a)?(?: new)?(?: the)?(?: file)?(?: called| named)? {_P.format('f')}{_ENDS}", re.I),
    re.compile(rf"{_STARTS}(?:create|make|write)(?: a)?(?: new)?(?: text)?(?: file)?(?: called| named)? {_P.format('f')} (?:with|containing|that (?:says|contains)|saying|and (?:write|put)|holding)(?: the)?(?: (?:text|words?|content|line))? (?P<c>.+?){_ENDS}", re.I),
)  # fmt: skip
_ITEMS = re.compile(
    r"^(?:(?:the|these|\w+) )?(?:lines?|items?|words)(?: in it)?\s*:?\s+(.+)$|^(.+?),? (?:each )?(?:on (?:separate|three|two|four) lines|one per line)$",
    re.I,
)


def _writes(text: str) -> Call | None:
    """Text that the goal itself gives, into a file; a list of lines is one item a line."""
    found = next((match for one in _WRITE if (match := one.search(text))), None)
    if not found or re.match(
        r"(?:it|that|this|the (?:result|answer|number|total|sum)|its|all|what|how)\b", found["c"], re.I
    ):
        return None
    said = found["c"].strip()
    items = _ITEMS.match(said)
    if items:
        said = "\n".join(part for part in re.split(r"\s*(?:,\s*and|,|\band\b)\s*", items[1] or items[2]) if part)
    elif re.search(r"\b(?:from|in) \S+\.\w+\b", said):
        return None
    return "write_file", {"path": found["f"], "content": said.strip("\"'`“”‘’")}


_OCCURS = re.compile(
    rf"\bhow (?:many times|often) (?:does |is |do )?(?:the (?:word|text|name) )?[\"'`]?(?P<w>[\w-]+)[\"'`]? (?:occurs?|appears?|mentioned|used|show up|come up|stand)?\s*(?:are )?(?:there )?(?:in|inside) (?:the )?{_P.format('f')}"
    rf"|\b(?:how many|count (?:the|all)|number of) (?P<w2>error|warning|info|debug|todo|fixme|exception|failure)s?(?: lines| messages| entries)? (?:are |occur |do you see )?(?:there )?(?:in|inside) (?:the )?{_P.format('g')}",
    re.I,
)


def _counts(text: str) -> Call | None:
    if occurs := _OCCURS.search(text):
        return "text_stats", {
            "operation": "count",
            "path": occurs["f"] or occurs["g"],
            "of": occurs["w"] or occurs["w2"],
        }
    match = _COUNT.search(text)
    if not match or match["f"].lower().endswith((".csv", ".tsv")):
        return None
    kind = match["o"].lower()
    return "text_stats", {"operation": "characters" if kind == "letters" else kind, "path": match["f"]}


def _searches(text: str) -> Call | None:
    if asked.FILE.search(asked.QUOTED.sub(" ", text)):
        return None
    found = next((match for one in _SEARCH if (match := one.search(text))), None)
    word = found["w"].strip("\"'`“”‘’ ?!.,") if found else ""
    return ("search_files", {"pattern": word, "ignore_case": True}) if 0 < len(word) <= 60 else None


def _listings(text: str) -> Call | None:
    match = _LIST.search(text)
    if not match or asked.FILE.search(text):
        return None
    ending = (match["e"] or KIND_WORDS.get((match["k"] or "").lower(), "")).lower()
    return ("list_files", {"pattern": f"*.{ending}"}) if ending in ENDINGS else None


def _reads(text: str) -> Call | None:
    """A text file that is to be read, or that a question names."""
    files = list(dict.fromkeys(asked.FILE.findall(text)))
    if len(files) != 1 or files[0].lower().endswith((*TABLES, ".db", ".sqlite")):
        return None
    if _READ.search(text):
        return "read_file", {"path": files[0]}
    wanted = asked.read(text)
    plain = not wanted.deeds and not asked.may_change_files(text)
    question = re.search(
        r"^\W*(?:please |can you |could you )*(?:find|look up|get|give me|tell me|show me|check)\b|\b(?:what|which|who|whom|whose|when|where|how|according to|does|is|are)\b",
        text,
        re.I,
    )
    return ("read_file", {"path": files[0]}) if plain and question else None


TABLES = (".csv", ".tsv", ".json", ".jsonl", ".parquet", ".xlsx")
