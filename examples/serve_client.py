"""Give goals to `outrider serve`, follow them, print the answers. Start the server first: outrider serve --model …

python examples/serve_client.py "What is 2 + 2?" "What is 3 * 7?"
"""

from __future__ import annotations

import asyncio
import os
import sys

from outrider.agent.serving.client import URL, Client
from outrider.memory.errors import OutriderError


async def main(goals: list[str]) -> int:
    url = os.environ.get("OUTRIDER_URL", URL)
    print(f"asking {url}", file=sys.stderr)
    async with Client(url, patience_s=5) as client:
        runs = [await client.submit(goal, key=f"example {goal}", budget={"steps": 20}) for goal in goals]
        states = await asyncio.gather(*(follow(client, run) for run in runs))
    return 0 if all(state == "answered" for state in states) else 3


async def follow(client: Client, run: str) -> str:
    async for event in client.follow(run):
        print(f"{run} {event['seq']} {event['kind']}", file=sys.stderr)
    done = await client.get(run)
    print(f"{done['goal']} {done['answer']}")
    return str(done["state"])


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main(sys.argv[1:] or ["What is 2 + 2?"])))
    except OutriderError as error:  # no server, no token, or it refused: the text says which, and what to do
        sys.exit(f"{error}\n(the server is another program: outrider serve --model …)")
