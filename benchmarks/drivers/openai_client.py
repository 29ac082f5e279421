"""The raw openai client: a loop of ten lines around `chat.completions.create`, as its documentation shows it. Keeps nothing."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import drive
from openai import AsyncOpenAI, OpenAI

TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": "look",
            "description": "Look at one thing.",
            "parameters": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
        },
    }
]


def begin() -> list[Any]:
    """The first messages."""
    return [{"role": "system", "content": drive.SYSTEM}, {"role": "user", "content": "look at everything"}]


def act(messages: list[Any], message: Any) -> bool:
    """Append the reply and the results of its calls, one after another; False if it was the answer."""
    messages.append(message)
    for call in message.tool_calls or ():
        text = drive.looked(json.loads(call.function.arguments)["n"])
        messages.append({"role": "tool", "tool_call_id": call.id, "content": text})
    if message.tool_calls:
        return True
    drive.is_answer(message.content)
    return False


class OpenAIClient(drive.Subject):
    """See the module."""

    def run(self, url: str, steps: int, folder: Path) -> None:
        client, messages = OpenAI(base_url=url, api_key="x"), begin()
        going = True
        while going:
            reply = client.chat.completions.create(model="m", messages=messages, tools=TOOLS)
            going = act(messages, reply.choices[0].message)
        client.close()

    def many(self, url: str, steps: int, folder: Path, runs: int) -> None:
        async def one(client: AsyncOpenAI) -> None:
            messages, going = begin(), True
            while going:
                reply = await client.chat.completions.create(model="m", messages=messages, tools=TOOLS)
                going = act(messages, reply.choices[0].message)

        async def all_of_them() -> None:
            async with AsyncOpenAI(base_url=url, api_key="x") as client:
                await asyncio.gather(*(one(client) for _ in range(runs)))

        asyncio.run(all_of_them())

    def stream(self, url: str, folder: Path) -> None:
        """One reply, streamed."""
        client = OpenAI(base_url=url, api_key="x")
        asked: Any = {"model": "m", "messages": begin(), "stream": True}
        for chunk in client.chat.completions.create(**asked):
            assert chunk.choices
        client.close()


if __name__ == "__main__":
    drive.serve(OpenAIClient())
