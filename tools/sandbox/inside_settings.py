"""What the agent wants of a worker, as one message. Touches nothing; used on both sides.
Does not check: the agent made it, and the worker believes it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """What the agent wants of this worker. Sizes in bytes; ids 0 mean: stay who you are."""

    workspace: str
    become: int
    memory: int
    processes: int
    data_bytes: int
    data_files: int
    open_files: int
    keep_output: int
    families: tuple[int, ...]
    listen: int  # the descriptor on which the agent waits for a listening socket of this network; 0 for none
    quota: bool
    seal: str  # when Landlock and seccomp bind: "worker" (handed on to every call), "call" (each for itself), "never"
    prefix: str
    read: tuple[str, ...]
    write: tuple[str, ...]
    never: tuple[str, ...]
    search_path: tuple[str, ...]

    def fields(self) -> tuple[bytes, ...]:
        """As a message."""
        head = (self.workspace, self.prefix, self.seal)
        numbers = (
            *(self.become, self.memory, self.processes, self.data_bytes, self.data_files, self.open_files),
            *(self.keep_output, self.listen, int(self.quota)),
        )
        lists = (tuple(map(str, self.families)), self.read, self.write, self.never, self.search_path)
        texts = [*head, *map(str, numbers), *(text for one in lists for text in (str(len(one)), *one))]
        return tuple(os.fsencode(text) for text in texts)

    @classmethod
    def from_fields(cls, fields: list[bytes]) -> Settings:
        """The opposite of `fields`."""
        texts = [os.fsdecode(field) for field in fields]
        become, memory, processes, data, files, opened, keep, listen, quota = map(int, texts[3:12])
        lists, at = [], 12
        for _ in range(5):
            end = at + 1 + int(texts[at])
            lists.append(tuple(texts[at + 1 : end]))
            at = end
        families, read, write, never, search = lists
        return cls(
            *(texts[0], become, memory, processes, data, files, opened, keep, tuple(map(int, families))),
            *(listen, bool(quota), texts[2], texts[1], read, write, never, search),
        )
