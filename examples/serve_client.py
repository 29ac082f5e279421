"""Give goals to `outrider serve`, follow them, print the answers. Start the server first: outrider serve --model …

python examples/serve_client.py "What is 2 + 2?" "What is 3 * 7?"
"""

from __future__ import annotations

import asyncio
import os
import sys

from outrider.agent.serving.client import URL, Client


async def main(goals: list[str]) -> int:
    async with Client(os.environ.get("OUTRIDER_URL", URL)) as client:
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
    sys.exit(asyncio.run(main(sys.argv[1:] or ["What is 2 + 2?"])))
