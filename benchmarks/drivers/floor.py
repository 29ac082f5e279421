"""The floor: the least that is possible in Python. A raw socket, bytes that are ready, one row and one commit a step."""

from __future__ import annotations

import asyncio
import json
import socket
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import drive

Message = dict[str, Any]


def database(folder: Path) -> sqlite3.Connection:
    """WAL, and NORMAL as Outrider has it: a commit survives the process, not always the power."""
    made = sqlite3.connect(folder / "floor.db", isolation_level=None)
    made.execute("PRAGMA journal_mode=WAL")
    made.execute("PRAGMA synchronous=NORMAL")
    made.execute("CREATE TABLE step (run INTEGER, n INTEGER, body BLOB)")
    return made


class Conversation:
    """The history as bytes, each message encoded once, and the request around it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.port is not None
        self.port, self.path = parts.port, parts.path + "/chat/completions"
        self.history = [json.dumps({"role": "system", "content": drive.SYSTEM}).encode()]

    def request(self) -> bytes:
        """Head and body of the next request."""
        body = b'{"model":"m","messages":[' + b",".join(self.history) + b"]}"
        head = f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body

    def add(self, message: Message, results: list[str]) -> bytes:
        """What a step added to the history."""
        new = [json.dumps(message, separators=(",", ":")).encode()]
        for call, result in zip(message["tool_calls"], results, strict=True):
            new.append(json.dumps({"role": "tool", "tool_call_id": call["id"], "content": result}).encode())
        self.history += new
        return b",".join(new)


def said(raw: bytes) -> Message:
    """The message of a reply."""
    message: Message = json.loads(raw)["choices"][0]["message"]
    return message


def arguments(message: Message) -> list[int]:
    """What the tool is called with."""
    return [json.loads(call["function"]["arguments"])["n"] for call in message["tool_calls"]]


class Floor(drive.Subject):
    """See the module."""

    def run(self, url: str, steps: int, folder: Path) -> None:
        talk, rows = Conversation(url), database(folder)
        wire = socket.create_connection(("127.0.0.1", talk.port))
        file = wire.makefile("rb")
        pool = ThreadPoolExecutor(8)
        while True:
            wire.sendall(talk.request())
            while (line := file.readline()) != b"\r\n":
                if line.startswith(b"Content-Length"):
                    length = int(line[15:])
            message = said(file.read(length))
            if "tool_calls" not in message:
                break
            wanted = arguments(message)
            results = [drive.looked(wanted[0])] if len(wanted) == 1 else list(pool.map(drive.looked, wanted))
            rows.execute("INSERT INTO step VALUES (0, ?, ?)", (len(talk.history), talk.add(message, results)))
        drive.is_answer(message["content"])
        pool.shutdown()
        file.close()
        wire.close()
        rows.close()

    def many(self, url: str, steps: int, folder: Path, runs: int) -> None:
        rows = database(folder)

        async def one(number: int) -> None:
            talk = Conversation(url)
            reader, writer = await asyncio.open_connection("127.0.0.1", talk.port)
            while True:
                writer.write(talk.request())
                head = await reader.readuntil(b"\r\n\r\n")
                message = said(await reader.readexactly(int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0])))
                if "tool_calls" not in message:
                    break
                results = [drive.looked(n) for n in arguments(message)]
                rows.execute("INSERT INTO step VALUES (?, ?, ?)", (number, 0, talk.add(message, results)))
            drive.is_answer(message["content"])
            writer.close()

        async def all_of_them() -> None:
            await asyncio.gather(*map(one, range(runs)))

        asyncio.run(all_of_them())
        rows.close()


if __name__ == "__main__":
    drive.serve(Floor())
