"""LangGraph: the model and the tools as two nodes, every step kept by its SQLite checkpointer."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import drive
from langchain_core.messages import SystemMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition


@tool
def look(n: int) -> str:
    """Look at one thing."""
    return drive.looked(n)


def graph(url: str, saver: Any) -> Any:
    """The compiled graph."""
    model = ChatOpenAI(model="m", base_url=url, api_key="x").bind_tools([look])
    system = SystemMessage(drive.SYSTEM)

    def think(state: MessagesState) -> Any:
        return {"messages": [model.invoke([system, *state["messages"]])]}

    async def athink(state: MessagesState) -> Any:
        return {"messages": [await model.ainvoke([system, *state["messages"]])]}

    built = StateGraph(MessagesState)
    built.add_node("think", athink if isinstance(saver, AsyncSqliteSaver) else think)
    built.add_node("tools", ToolNode([look]))
    built.add_edge(START, "think")
    built.add_conditional_edges("think", tools_condition)
    built.add_edge("tools", "think")
    return built.compile(checkpointer=saver)


def config(thread: int) -> Any:
    """Of one run."""
    return {"configurable": {"thread_id": str(thread)}, "recursion_limit": 10_000}


class LangGraph(drive.Subject):
    """See the module."""

    def run(self, url: str, steps: int, folder: Path) -> None:
        database = sqlite3.connect(folder / "graph.db", check_same_thread=False)
        asked: Any = {"messages": [{"role": "user", "content": "look at everything"}]}
        done = graph(url, SqliteSaver(database)).invoke(asked, config(0))
        database.close()
        drive.is_answer(done["messages"][-1].content)

    def many(self, url: str, steps: int, folder: Path, runs: int) -> None:
        asked: Any = {"messages": [{"role": "user", "content": "look at everything"}]}

        async def all_of_them() -> None:
            async with AsyncSqliteSaver.from_conn_string(str(folder / "graph.db")) as saver:
                agent = graph(url, saver)
                for done in await asyncio.gather(*(agent.ainvoke(asked, config(n)) for n in range(runs))):
                    drive.is_answer(done["messages"][-1].content)

        asyncio.run(all_of_them())


if __name__ == "__main__":
    drive.serve(LangGraph())
