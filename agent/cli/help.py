"""--help with the options of a command under titles. Plain text: the same on every terminal, and quick.
Touches nothing. Does not promise: colours.
"""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup


class Command(TyperCommand):
    """A command whose options are listed under their `rich_help_panel`."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """`GOAL`, not `{GOAL}`; `FILE…`, not `{FILE…}...`."""
        return [_plain(piece) for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options, the untitled ones first."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for parameter in self.get_params(ctx):
            if (record := parameter.get_help_record(ctx)) is None:
                continue
            argument = parameter.param_type_name == "argument"
            if argument:
                record = (record[0].partition(" <")[0], record[1].removesuffix("[required]").rstrip())
            title = "Arguments" if argument else getattr(parameter, "rich_help_panel", None) or "Options"
            sections.setdefault(title, []).append(record)
        sections["Other"] = sections.pop("Options")  # last: the titled ones are what the command is about
        if list(filter(None, sections.values())) == [sections["Other"]] or set(sections) == {"Arguments", "Other"}:
            sections["Options"] = sections.pop("Other")
        for title, rows in sections.items():
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


def _plain(piece: str) -> str:
    """One piece of a usage line: what must be there is bare, what may be is in brackets, what may be several ends in "…"."""
    kept = piece.removesuffix("...")
    name = kept[1:-1]
    if "[" in name:  # it tells itself what of it may be left out
        return name
    name = name.removesuffix("…")
    return (f"[{name}]" if kept.startswith("[") else name) + "…" * (kept != piece)


class Group(TyperGroup):
    """Commands in the order they were added (app.py: in which a person meets them), groups of commands last."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Their names."""
        return sorted(self.commands, key=lambda name: isinstance(self.commands[name], TyperGroup))
