"""Whether a goal is English, which is all the small language model reads: by its letters and its small words.

What it may touch: nothing. Does not promise: to know which language it is; a goal of two words passes.
"""

from __future__ import annotations

import re
import unicodedata

ENGLISH = frozenset(["the", "a", "an", "of", "in", "is", "are", "was", "what", "which", "who", "how", "many", "much", "to", "and", "for", "from", "with", "my", "me", "you", "it", "this", "that", "please", "file", "list", "find", "write", "read", "delete", "rename", "add", "on", "at", "by", "does", "do", "did", "has", "have", "can", "convert", "calculate", "count", "show", "tell", "give", "i", "we", "there", "into", "than"])  # fmt: skip
OTHERS: dict[str, frozenset[str]] = {
    "French": frozenset(["le", "la", "les", "des", "du", "une", "est", "dans", "combien", "quel", "quelle", "qui", "fichier", "lignes", "pour", "avec", "sur", "et", "je", "il", "y", "moi", "liste", "écris", "supprime", "de"]),
    "German": frozenset(["der", "die", "das", "ein", "eine", "ist", "wie", "viele", "welche", "welcher", "wer", "und", "mit", "für", "auf", "im", "datei", "zeilen", "den", "dem", "ich", "mir", "bitte", "schreibe", "lösche", "wieviel", "wann", "nicht", "von", "zu"]),
    "Spanish": frozenset(["el", "los", "las", "una", "cuántas", "cuántos", "cuantas", "cuantos", "qué", "que", "cuál", "cual", "quién", "archivo", "filas", "para", "con", "por", "hay", "escribe", "borra", "es", "en", "y", "de", "del"]),
    "Italian": frozenset(["il", "lo", "gli", "una", "quante", "quanti", "quale", "che", "chi", "righe", "nel", "nella", "per", "con", "scrivi", "cancella", "è", "sono", "di", "del", "della"]),
    "Portuguese": frozenset(["o", "os", "as", "uma", "quantas", "quantos", "qual", "quem", "arquivo", "linhas", "para", "com", "no", "na", "por", "escreva", "é", "do", "da", "de"]),
    "Dutch": frozenset(["het", "een", "hoeveel", "welke", "wie", "bestand", "rijen", "voor", "met", "op", "zijn", "schrijf", "verwijder", "van", "en", "ik", "de"]),
}  # fmt: skip
SAID = "I read English only, and this goal seems to be in {language}. Say it in English, or use a larger model (`outrider models`)."


def not_english(goal: str) -> str:
    """Why the goal is beyond the model, in words; "" for English and for what cannot be told."""
    plain = re.sub(r"[\"'“‘`].{1,300}?[\"'”’`]|\S+\.\w{1,5}\b|https?://\S+", " ", goal[:2000])
    letters = [c for c in plain if c.isalpha()]
    foreign = [c for c in letters if not unicodedata.name(c, "LATIN").startswith("LATIN")]
    if len(letters) >= 4 and len(foreign) * 2 > len(letters):
        return SAID.format(language="another script")
    words = re.findall(r"[^\W\d_]+", plain.lower())
    ours = sum(word in ENGLISH for word in words)
    language, theirs = max(
        ((name, sum(word in small for word in words)) for name, small in OTHERS.items()), key=lambda one: one[1]
    )
    return SAID.format(language=language) if theirs >= 2 and theirs > ours else ""
