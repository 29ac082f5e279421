"""Tools of your own: `outrider run "What is the stock price of ABC?" --tools-from examples/my_tools.py`."""

from __future__ import annotations

from outrider.tools import ToolContext, ToolError, tool

PRICES = {"ABC": 41.5, "XYZ": 7.25}


@tool(effect="read")
def stock(symbol: str) -> str:
    """Closing price of a share.

    symbol: ticker, for example "ABC"
    """
    if symbol.upper() not in PRICES:
        raise ToolError(f"no share is called {symbol}", "it is not listed", f"try one of {', '.join(PRICES)}")
    return f"{symbol.upper()} closed at {PRICES[symbol.upper()]} dollars"


@tool(effect="write")
def remember(text: str, context: ToolContext) -> str:
    """Add a line to diary.txt in the workspace."""
    file = context.workspace / "diary.txt"
    with file.open("a", encoding="utf-8") as diary:
        diary.write(text + "\n")
    return f"wrote {len(text)} characters to {file.name}"
