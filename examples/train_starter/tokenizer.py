"""The starter's tokenizer: byte-level BPE over single words, special tokens first among equals.

What it is: `train` learns merges from counted words, `Tokenizer.encode` turns the pieces of a question (small.Decision
.prompt) into ids, each plain word on its own with a space before it, exactly as llama.cpp's "gpt-2" pre-tokenizer
splits such text. What it may touch: the JSON file it is told to. Does not promise: general text; it reads questions.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from outrider.agent.models.choice.steps import SPECIALS

Pair = tuple[str, str]


def byte_letters() -> list[str]:
    """The printable stand-in of each byte 0..255 that byte-level BPE vocabularies use (GPT-2's table)."""
    plain = {*range(33, 127), *range(161, 173), *range(174, 256)}
    spare = iter(range(256, 512))
    return [chr(byte) if byte in plain else chr(next(spare)) for byte in range(256)]


LETTERS = byte_letters()


def as_letters(word: str) -> str:
    """` word` in stand-in letters."""
    return "".join(LETTERS[byte] for byte in f" {word}".encode())


def train(counts: Mapping[str, int], size: int) -> list[Pair]:
    """Merges, most useful first, so that bytes, merges and special tokens together are `size` tokens."""
    words = {tuple(as_letters(word)): count for word, count in counts.items()}
    merges: list[Pair] = []
    while len(merges) < size - 256 - len(SPECIALS):
        pairs: Counter[Pair] = Counter()
        for parts, count in words.items():
            for pair in itertools.pairwise(parts):
                pairs[pair] += count
        if not pairs:
            break
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        words = _merge_all(words, best)
    return merges


def _merge_all(words: dict[tuple[str, ...], int], pair: Pair) -> dict[tuple[str, ...], int]:
    merged: dict[tuple[str, ...], int] = {}
    for parts, count in words.items():
        new = tuple(_merge(list(parts), pair)) if pair[0] in parts else parts
        merged[new] = merged.get(new, 0) + count
    return merged


def _merge(parts: list[str], pair: Pair) -> list[str]:
    out: list[str] = []
    i = 0
    while i < len(parts):
        if i + 1 < len(parts) and (parts[i], parts[i + 1]) == pair:
            out.append(parts[i] + parts[i + 1])
            i += 2
        else:
            out.append(parts[i])
            i += 1
    return out


class Tokenizer:
    """Special tokens, then bytes, then one token a merge."""

    def __init__(self, merges: Iterable[Pair]) -> None:
        self.merges = [tuple(pair) for pair in merges]
        self.tokens = [*SPECIALS, *LETTERS, *(a + b for a, b in self.merges)]
        self.ids = {token: index for index, token in enumerate(self.tokens)}
        self._ranks = {pair: rank for rank, pair in enumerate(self.merges)}
        self._cache: dict[str, list[int]] = {token: [self.ids[token]] for token in SPECIALS}

    def encode(self, pieces: Iterable[str]) -> list[int]:
        """Ids of the pieces of a question; a piece that is a special token is that token."""
        out: list[int] = []
        for piece in pieces:
            ids = self._cache.get(piece)
            if ids is None:
                ids = self._cache[piece] = self._word(piece)
            out += ids
        return out

    def _word(self, word: str) -> list[int]:
        parts = list(as_letters(word))
        while len(parts) > 1:
            pair = min(itertools.pairwise(parts), key=lambda one: self._ranks.get(one, 1 << 30))
            if pair not in self._ranks:
                break
            parts = _merge(parts, pair)
        return [self.ids[part] for part in parts]

    def save(self, path: Path) -> None:
        """Write the merges to `path`."""
        path.write_text(
            json.dumps([" ".join(pair) for pair in self.merges], ensure_ascii=False, indent=0) + "\n", "utf-8"
        )

    @classmethod
    def load(cls, path: Path) -> Tokenizer:
        """Read what `save` wrote."""
        pairs = [tuple(line.split(" ")) for line in json.loads(path.read_text("utf-8"))]
        return cls([(a, b) for a, b in pairs])
