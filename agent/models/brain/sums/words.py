"""Small words of word problems that several shapes look for: numbers, units of time, what goes away. Pure."""

from __future__ import annotations

import re

N = r"(\d+(?:\.\d+)?)"
GONE = re.compile(
    r"\b(?:gives?|gave|giving|given|lost|loses?|losing|sold|sells?|selling|used|uses?|using|eat(?:s|en)?|ate|eating|spent|spends?|spending|paid|pays?|paying|broke|breaks?|broken|threw|throws?|drank|drinks?|left|leaves?|leaving"
    r"|went|gets? (?:off|out)|got (?:off|out)|died|removed?|takes? (?:out|away|off)|took|missing|empty|taken|damaged|rotten|spoil\w*|drops?|dropped|lent|lends?|donat\w+|voucher|coupon|gift card|minus|less|shorter|smaller|younger|lighter|cheaper|fewer|drove off|are reserved|are sick|absent|returned)\b"
)
SHARE = re.compile(
    r"\b(?:shar\w+|split\w*|divid\w+|equally|evenly|each of (?:us|them|you)|how much (?:is it |is that |for )?(?:each|per (?:person|head))|does (?:each|everyone|everybody)|do (?:we|they) each|each (?:pay|get|owe|have|receive)|per person|equal (?:pieces|parts|groups)|a share)\b"
)
UNIT = r"(?:hours?|days?|weeks?|months?|years?|minutes?|seconds?|nights?|evenings?|mornings?|kilos?|metres?|meters?|litres?|liters?|km|kg|square met(?:er|re)s?|trips?|games?|lessons?|visits?)"


def singular(word: str) -> str:
    """A word without the ending of its plural."""
    for ending, short in (
        ("ies", "y"),
        ("ses", "s"),
        ("xes", "x"),
        ("ches", "ch"),
        ("shes", "sh"),
        ("ss", "ss"),
        ("s", ""),
    ):
        if word.endswith(ending):
            return word[: -len(ending)] + short
    return word
