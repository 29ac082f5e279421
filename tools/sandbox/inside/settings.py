"""What the agent wants of a worker, as one message. Touches nothing; used on both sides.
Does not check: the agent made it, and the worker believes it.
"""

from __future__ import annotations

import os

PROXY_PORT = 3128  # where the way out listens, inside


class Record:
    """Named values set once. What dataclasses do, without the 20 ms that importing them costs every worker."""

    def __init__(self, **values: object) -> None:
        if values.keys() != type(self).__annotations__.keys():
            raise TypeError(f"{type(self).__name__} takes {', '.join(type(self).__annotations__)}")
        self.__dict__.update(values)


class Settings(Record):
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
    quota: int  # 1: where the code can write has a limit that statvfs tells
    seal: str  # when Landlock and seccomp bind: "worker" (handed on to every call), "call" (each for itself), "never"
    prefix: str
    remove: str  # a folder that goes when the worker does; "" for none
    read: tuple[str, ...]
    write: tuple[str, ...]
    never: tuple[str, ...]
    search_path: tuple[str, ...]

    def fields(self) -> tuple[bytes, ...]:
        """As a message."""
        head = (self.workspace, self.prefix, self.seal, self.remove)
        numbers = (
            *(self.become, self.memory, self.processes, self.data_bytes, self.data_files, self.open_files),
            *(self.keep_output, self.listen, self.quota),
        )
        lists = (tuple(map(str, self.families)), self.read, self.write, self.never, self.search_path)
        texts = [*head, *map(str, numbers), *(text for one in lists for text in (str(len(one)), *one))]
        return tuple(os.fsencode(text) for text in texts)

    @classmethod
    def from_fields(cls, fields: list[bytes]) -> Settings:
        """The opposite of `fields`."""
        texts = [os.fsdecode(field) for field in fields]
        numbers = (
            "become",
            "memory",
            "processes",
            "data_bytes",
            "data_files",
            "open_files",
            "keep_output",
            "listen",
            "quota",
        )
        values: dict[str, object] = dict(zip(numbers, map(int, texts[4:13]), strict=True))
        at = 13
        for name in ("families", "read", "write", "never", "search_path"):
            end = at + 1 + int(texts[at])
            values[name] = tuple(texts[at + 1 : end])
            at = end
        values["families"] = tuple(map(int, texts[14 : 14 + int(texts[13])]))
        return cls(workspace=texts[0], prefix=texts[1], seal=texts[2], remove=texts[3], **values)
