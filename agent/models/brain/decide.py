"""One step of the built-in language model: what it is asked, and what becomes of what it wrote.

What it is: `prepare` makes the prompt and the grammar out of goal, tools and history; `read` turns the text into a call
or an answer, puts numbers right that were copied wrongly, and says what the answer leaves out of the goal.
What it may touch: nothing. Does not promise: a right answer; what it cannot account for is named. Start at `prepare`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from outrider.agent.models.brain import certain, doubts, grammar, prompt, sql, told, values
from outrider.agent.models.brain.lines import Card, clearly, is_filled, likely, pick
from outrider.agent.models.brain.sums import stories, word_sums
from outrider.agent.models.choice import asked, clauses, coverage
from outrider.agent.models.choice.coverage import Done
from outrider.agent.models.choice.steps import CHANGING, Step
from outrider.memory.events import Outcome

MAX_STEPS = 8
TOKENS = 220  # of one reply


@dataclass(frozen=True, slots=True)
class Ask:
    """What the model is asked. `grammar` "": only an answer can be said."""

    goal: str
    prompt: str
    grammar: str
    cards: Sequence[Card]
    history: Sequence[Step]
    looked: dict[str, sql.Looked] = field(default_factory=dict)
    whole: tuple[str, Sequence[Step]] | None = None  # the goal and history this is a clause of
    by_code: bool = False  # the grammar lets one call through, which code read out of the goal


@dataclass(frozen=True, slots=True)
class Move:
    """A call, or an answer with what it says of itself. `missing`: what the answer leaves out. `overruled`: a sum that
    code read out of the goal, where the model wrote another: one reading, that nothing else bears out. `sure`: how likely
    the model held the call, from 0 to 1; None for one that code made.
    """

    call: tuple[str, dict[str, Any]] | None = None
    text: str = ""
    outcome: Outcome = "answered"
    missing: tuple[str, ...] = ()
    overruled: bool = False
    sure: float | None = None


def begin(goal: str, tools: Sequence[Card], history: Sequence[Step]) -> Ask | Move:
    """What to ask next, or the move that needs no model: a goal of several clauses is worked on clause by clause."""
    if not history and (why := doubts.beyond(goal, tools)):
        return Move(text=why, outcome="unable")
    wanted = certain.set_to(goal)
    if wanted and {"read_file", "edit_file"} <= {card.name for card in tools} and len(history) < 2:
        move = _set(history, *wanted)
        if move is not None:
            return move
    added = certain.appended(goal)
    if added and {"read_file", "edit_file"} <= {card.name for card in tools}:
        return _append(goal, tools, history, *added)
    parts = clauses.split(goal)
    if len(parts) == 1:
        spelt = _by_code(goal, tools, history) or _spelt_out(goal, tools, history)
        return spelt or _done(goal, tools, history) or prepare(goal, tools, history)
    at, own = _current(len(parts), history)
    good = [step for step in history if step.ok]
    if at >= len(parts) or len(history) >= MAX_STEPS or (parts[at].save_to and (not good or told.is_empty(good[-1]))):
        return together(goal, tools, history, parts)
    if not parts[at].save_to:
        spelt = _by_code(parts[at].text, tools, own)
        meant = clauses.meant(parts[: at + 1])
        return spelt or replace(prepare(parts[at].text, tools, own, meant=meant), whole=(goal, history))
    if not any(card.name == "write_file" for card in tools):
        return together(goal, tools, history, parts)
    return Move(("write_file", {"path": parts[at].save_to, "content": _content(parts, history)}))


def _by_code(goal: str, tools: Sequence[Card], history: Sequence[Step]) -> Move | None:
    """The first call where the goal itself spells it out: there is nothing to ask the model."""
    found = certain.call(goal, {card.name for card in tools}) if not history else None
    return Move(found) if found else None


def _spelt_out(goal: str, tools: Sequence[Card], history: Sequence[Step]) -> Move | None:
    """A sum that is wanted of the last result, where the goal says so in its last words."""
    if not history or not history[-1].ok or history[-1].tool == "calculate":
        return None
    if history[-1].tool in ("table", "sql_query") and "sql" not in history[-1].arguments:
        return None
    text = told.result(history[-1])
    if history[-1].tool in told.TEXTS:
        text = told.nearest(certain.tailless(goal), [history[-1].observation])
    values = re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?", text.replace(",", ""))
    found = certain.carried(goal, values[-1]) if len(values) == 1 else None
    return Move(found) if found and any(card.name == "calculate" for card in tools) else None


def _done(goal: str, tools: Sequence[Card], history: Sequence[Step]) -> Move | None:
    """The answer, where the last call gave a result that is one as it stands, and the goal has nothing more in it."""
    if not history or not history[-1].ok or _look(history[-1]):
        return None
    if history[-1].tool in told.TEXTS | {"list_files", "search_files"} and (
        certain.call(goal, {card.name for card in tools}) != (history[0].tool, history[0].arguments)
    ):
        return None
    move = guarded(Ask(goal, "", "", (), history), "", tools)
    return move if move.outcome == "answered" and move.text.strip() else None


def _set(history: Sequence[Step], path: str, key: str, value: str) -> Move | None:
    """A setting given a value: the file is read, its line is replaced; None where it has no such line."""
    if not history:
        return Move(("read_file", {"path": path}))
    name = r"[ _.-]?".join(re.escape(part) for part in re.split(r"[ _.-]+", key))
    line = re.search(rf"^(\s*[\"']?{name}[\"']?\s*[:=]\s*)([^\n]+)$", history[0].observation, re.I | re.M)
    if history[0].tool != "read_file" or not history[0].ok or not line:
        return None
    return Move(("edit_file", {"path": path, "old": line[0].strip("\n"), "new": f"{line[1]}{value}"}))


def _append(goal: str, tools: Sequence[Card], history: Sequence[Step], path: str, line: str) -> Move:
    """A line added to a file without writing the rest again: the file is read, its last line becomes two."""
    if not history:
        return Move(("read_file", {"path": path}))
    last = [text for text in history[0].observation.splitlines() if text.strip()]
    if len(history) == 1 and history[0].ok and last:
        return Move(("edit_file", {"path": path, "old": last[-1], "new": f"{last[-1]}\n{line}"}))
    return guarded(Ask(goal, "", "", (), history[1:] or history), "", tools)


def _current(count: int, history: Sequence[Step]) -> tuple[int, list[Step]]:
    """The clause that is worked on and its own steps: a clause ends with a result, or with two failures."""
    at, own = 0, list[Step]()
    for step in history:
        own.append(step)
        look = step.tool in ("table", "sql_query") and "sql" not in step.arguments
        if (step.ok and not look) or sum(not one.ok for one in own) >= 2:
            at, own = at + 1, []
    return min(at, count), own


def _content(parts: Sequence[clauses.Clause], history: Sequence[Step]) -> str:
    """What is saved: the value of the last result; of a text the line that answers, the value alone where there is one."""
    last = [step for step in history if step.ok][-1]
    goal = next((part.text for part in reversed(parts) if not part.save_to), "")
    if last.tool in told.TEXTS:
        line = told.nearest(goal, [last.observation])
        value = re.fullmatch(r"[\w .-]{1,40}\s*[=:]\s*(\S.*)", line)
        return value[1] if value else line or last.observation.strip()
    text = told.result(last)
    if last.tool in ("calculate", "units"):
        return re.sub(r" \(rounded.*\)$", "", text.split(" = ")[-1])
    return re.sub(r"^(?:There are |.{1,60} is )(\S+?)\.?$", r"\1", text)


def together(
    goal: str, tools: Sequence[Card], history: Sequence[Step], parts: Sequence[clauses.Clause], also: str = ""
) -> Move:
    """The answer to all clauses, each from its own result."""
    texts, at, own = list[str](), 0, list[Step]()
    for step in history:
        own.append(step)
        now, _ = _current(len(parts), history[: len(texts) + len(own)])
        if now > at or step is history[-1]:
            text = parts[min(at, len(parts) - 1)].text
            good = [one for one in own if one.ok]
            texts += [_said(text, "", good)] if good else [f"{own[-1].tool} said: {_brief(own[-1])[:200]}"]
            texts += [""] * (len(own) - 1)
            at, own = now, []
    ask = Ask(goal, "", "", (), history)
    return _checked(
        ask, "\n".join(one for one in [*texts, also] if one) or f"{prompt.CANNOT}.", tools, whole=at >= len(parts)
    )


def prepare(
    goal: str, tools: Sequence[Card], history: Sequence[Step], *, force: frozenset[str] = frozenset(), meant: str = ""
) -> Ask:
    """The prompt and the grammar of the next step. force: only a call of one of these tools may be written. meant: the
    clauses that say who "they" of the goal are.
    """
    goal = asked.bounded(goal)
    cards = shown(goal, tools, history)
    looked = {
        str(s.arguments.get("path") or s.arguments.get("database")): found
        for s in history
        if s.ok and (found := _look(s))
    }
    sources = values.Sources(goal, [s.observation for s in history if s.ok], looked, meant=meant)
    turns = [prompt.Turn(prompt.call_line(s.tool, s.arguments), _brief(s), s.ok) for s in history[-4:]]
    may = [] if len(history) >= MAX_STEPS else [card for card in cards if not force or card.name in force]
    spelt_out = certain.call(goal, {card.name for card in tools}) if not history else None
    spelt_out = spelt_out or _table_look(goal, tools, history)
    if _must_ask(goal, history, looked):
        may, force = (
            [card for card in may if card.name in ("table", "sql_query")],
            force or frozenset(["table", "sql_query"]),
        )
    say = "" if force else "answer"
    if not history and not spelt_out and not force and (sure := _sure(goal, cards, tools)):
        may, say = sure, "" if all(is_filled(goal, card) for card in sure) else "missing"
    rules = grammar.only(prompt.call_line(*spelt_out)) if spelt_out else grammar.step(may, sources, answer=say)
    if rules and not spelt_out:
        rules += "\n".join([*values.span_rules(sources), *values.expression_rules(sources)]) + "\n"
    return Ask(
        goal,
        prompt.render([card.line for card in cards], goal, turns),
        rules,
        cards,
        history,
        looked,
        by_code=bool(spelt_out),
    )


def _sure(goal: str, cards: Sequence[Card], tools: Sequence[Card]) -> list[Card]:
    """The tools one of which a goal surely wants: those of somebody's own it is clearly about, or a sum for a word problem."""
    own = clearly(goal, [card for card in tools if card.name in {one.name for one in cards}])
    sums = [card for card in tools if card.name == "calculate"]
    if stories.read(goal) and sums and not own:
        return sums
    if own:
        return own
    wanted = asked.read(goal)
    story = word_sums.rules(goal) and (wanted.counts or wanted.asks or wanted.percent)
    return [*sums, *likely(goal, cards)] if story and not wanted.files and not wanted.dates and not wanted.urls else []


def shown(goal: str, tools: Sequence[Card], history: Sequence[Step]) -> list[Card]:
    """The tools that fit the goal, and those used already; none that changes a file unless the goal says so."""
    may = asked.may_change_files(goal)
    live = [card for card in tools if may or card.name not in CHANGING]
    if asks_of_table(goal) and any(card.name == "table" for card in live):
        live = [card for card in live if card.name not in ("read_file", "text_stats")]
    cards = pick(goal, live)
    used = {step.tool for step in history} - {card.name for card in cards}
    return cards + [card for card in live if card.name in used]


def asks_of_table(goal: str) -> bool:
    """Whether the only files of a goal are tables, and it wants something of them rather than the whole."""
    names = asked.FILE.findall(goal)
    tables = [name for name in names if name.lower().endswith(sql.FILES)]
    return (
        bool(tables)
        and len(tables) == len(names)
        and not re.match(r"^\W*(?:read|open|show|print|display) (?:me )?(?:the )?(?:file )?\S+\W*$", goal, re.I)
    )


def _table_look(goal: str, tools: Sequence[Card], history: Sequence[Step]) -> tuple[str, dict[str, Any]] | None:
    """The first step of every question about one table: a look at its columns."""
    wanted = asked.read(goal)
    if (
        history
        or not asks_of_table(goal)
        or set(wanted.deeds) - {"save or write", "send"}
        or len(set(wanted.files)) != 1
    ):
        return None
    return ("table", {"path": wanted.files[0]}) if any(card.name == "table" for card in tools) else None


def _must_ask(goal: str, history: Sequence[Step], looked: dict[str, sql.Looked]) -> bool:
    """Whether a table was only looked at, and the columns are not what is asked for."""
    only_look = bool(history) and bool(looked) and _look(history[-1]) is not None and history[-1].ok
    return only_look and not re.search(
        r"\b(?:which|what|list|show) .{0,20}\b(?:columns?|fields?|headers?)\b|\bcolumn names\b|\bhow many columns\b",
        goal,
        re.I,
    )


def _look(step: Step) -> sql.Looked | None:
    return (
        sql.look(step.tool, step.observation)
        if step.tool in ("table", "sql_query") and "sql" not in step.arguments
        else None
    )


def _brief(step: Step) -> str:
    """What is shown of an observation: an error without its advice, a result without white space at its ends."""
    text = step.observation.strip()
    return text if step.ok else re.split(r"\.? (?:To fix): ", text)[0]


def read(ask: Ask, text: str, tools: Sequence[Card], sure: float = 1.0) -> Move:
    """What the model wrote as a call or an answer. sure: how likely the model itself holds it, 0 to 1."""
    call = prompt.read_call(text.strip()) if ask.grammar else None
    if call is not None:
        name, arguments = call[0], sql.made_right(call[0], doubts.put_right(ask.goal, *call, tools), ask.looked)
        if name == "edit_file" and not _is_asked_for(ask.goal, arguments):
            return Move(text=f"{prompt.CANNOT} for certain, and I changed nothing.", outcome="unable", missing=("a change",))  # fmt: skip
        other = _other_sum(ask.goal, arguments, sure) if name == "calculate" and not ask.history else ""
        arguments = {**arguments, "expression": other} if other else arguments
        if any(step.tool == name and step.arguments == arguments for step in ask.history):
            return guarded(ask, _last_seen(ask.history), tools)
        return Move((name, arguments), overruled=bool(other))
    if ask.whole is not None:
        goal, history = ask.whole
        begins = next((words for words, _ in _ENDS if text.startswith(words)), "")
        return together(goal, tools, history, clauses.split(goal), also=f"{ask.goal}: {text.strip()}" if begins else "")
    return guarded(ask, text.strip(), tools)


def doubted(move: Move, goal: str, tools: Sequence[Card], history: Sequence[Step], sure: Mapping[str, float]) -> Move:
    """The answer, partial and with how the goal was read, where it rests on a call that may well be a wrong reading.

    sure: call line → how likely the model held it when it wrote it; a call that is not in it was made by code.
    """
    if move.call is not None or move.outcome != "answered":
        return move
    found = [step for step in history if step.ok and doubts.is_doubtful(goal, step, tools, sure)]
    if not found:
        return move
    last = found[-1].arguments
    way = str(last.get("expression") or last.get("sql") or prompt.call_line(found[-1].tool, last))
    said = f"{move.text}\nI am not sure that I read the goal right. I took it as: {way}"
    return replace(move, text=said, outcome="partial", missing=("certainty",))


def _is_asked_for(goal: str, arguments: dict[str, Any]) -> bool:
    """Whether a change of a file puts in something that the goal holds."""
    fresh = str(arguments.get("new") or "").strip().lower()
    return any(line.strip() in goal.lower() for line in fresh.split("\n") if line.strip()) or not fresh


def _other_sum(goal: str, arguments: dict[str, Any], sure: float) -> str:
    """The sum of a story as code reads it, where that differs from a model's that is not sure of it; "" otherwise."""
    found = stories.read(goal)
    if not found or sure >= doubts.CERTAIN or stories.same(found, str(arguments.get("expression"))):
        return ""
    return stories.clean(found)


def guarded(ask: Ask, text: str, tools: Sequence[Card]) -> Move:
    """The answer as it goes out: results as they were seen, how the goal was read, and what is left out."""
    for begins, outcome in _ENDS:
        if text.startswith(begins):
            return Move(text=_refusal(text, ask.history), outcome=outcome)
    good = [step for step in ask.history if step.ok]
    if not good and ask.history:
        last = ask.history[-1]
        return Move(text=f"{prompt.NOT_FOUND}: {last.tool} said: {_brief(last)[:300]}", outcome="not_found")
    if not good:
        return _without_tools(ask, text)
    return _checked(ask, _said(ask.goal, text, good), tools)


def _checked(ask: Ask, text: str, tools: Sequence[Card], *, whole: bool = True) -> Move:
    """The answer with what it leaves out named; `whole` False: a clause was not worked on."""
    good = [step for step in ask.history if step.ok]
    if good and told.is_empty(good[-1]) and len(told.results(good)) == 1:
        said = f"{prompt.NOT_FOUND}: {good[-1].observation.strip()[:300]}"
        return Move(text="\n".join(one for one in (said, _how(good)) if one), outcome="not_found")
    if good and not told.results(ask.history):
        return Move(
            text=f"{prompt.NOT_FOUND}: {ask.history[-1].tool} said: {_brief(ask.history[-1])[:300]}",
            outcome="not_found",
        )
    about = {card.name: card.description for card in tools}
    done = [Done(s.tool, s.arguments, s.observation, s.ok, about.get(s.tool, "")) for s in ask.history]
    missing = [*coverage.left_out(ask.goal, done, text), *told.not_worked_on(ask.goal, good)]
    said = "\n".join(part for part in (text, _how(good), coverage.named(missing)) if part)
    whole = whole and not any(told.is_empty(step) for step in good)
    outcome: Outcome = "answered" if whole and not missing and good else "partial" if good else "unable"
    return Move(text=said, outcome=outcome, missing=tuple(missing))


_ENDS: tuple[tuple[str, Outcome], ...] = (
    (prompt.CANNOT, "unable"),
    (prompt.NOT_FOUND, "not_found"),
    (prompt.MISSING, "unable"),
)
_TALK = re.compile(
    r"^\W*(?:hello|hi|hey|good (?:morning|evening|night|day)|thanks?|thank you|bye|goodbye|who are you|what are you|how are you|what can you do|help|tell me a joke|say |are you )", re.I
)  # fmt: skip


def _without_tools(ask: Ask, text: str) -> Move:
    """An answer before any call: fine for plain talk, else nothing bears it out."""
    if _TALK.match(ask.goal) and not re.search(r"\d", ask.goal):
        return Move(text=text)
    return Move(text=f"{prompt.CANNOT} for certain, and I did not guess.", outcome="unable", missing=("a tool",))


def _said(goal: str, text: str, good: Sequence[Step]) -> str:
    """Results by code; of texts that were read, what the model says of them as far as they bear it out."""
    texts = [step.observation for step in good if step.tool in told.TEXTS]
    lines = told.results(
        [step for step in good if step.tool not in told.TEXTS]
    )  # a look at a table is none if SQL came
    if texts:
        wants_all = re.search(
            r"\b(?:show|print|display|open|contents?|summar\w+|what(?:'s| is) in|what does .{1,60} say|read)\b",
            goal,
            re.I,
        )
        whole = len(good) == 1 and wants_all and len(texts[0]) < told.MOST and not asked.read(goal).asks
        lines.insert(0, texts[0].strip() if whole else told.borne_out(goal, text if not lines else "", texts))
    return "\n".join(dict.fromkeys(line for line in lines if line)) or text


def _refusal(text: str, history: Sequence[Step]) -> str:
    """What a refusal says, with the last error where there was one."""
    failed = next((step for step in reversed(history) if not step.ok), None)
    return f"{text}\n{failed.tool} said: {_brief(failed)[:300]}" if failed and failed.tool not in text else text


def _how(good: Sequence[Step]) -> str:
    """The statements and expressions that were used, so that a person sees how the goal was read."""
    texts = [str(s.arguments.get("sql") or "") for s in good]
    return "\n".join(f"({text})" for text in dict.fromkeys(texts) if text)


def _last_seen(history: Sequence[Step]) -> str:
    good = [step.observation.strip() for step in history if step.ok]
    return good[-1][:1000] if good else ""


def nudge(move: Move, tools: Sequence[Card]) -> frozenset[str]:
    """Tools that must come next when an answer leaves a deed undone: "to delete" wants `delete_file`."""
    live = {card.name for card in tools}
    wanted: set[str] = set()
    for deed, (_, names) in asked.DEEDS.items():
        if f"to {deed}" in move.missing:
            wanted |= names & live
    return frozenset(wanted)


def findings(text: str) -> str:
    """The answer of a run that ends early, from the lines of what was found."""
    lines = re.findall(r"^- step [\d.]+, (\S+?): (.*)$", text, re.MULTILINE)
    return f"Not finished. The last finding, from {lines[-1][0]}: {lines[-1][1][:400]}" if lines else ""


def dumped(arguments: dict[str, Any]) -> str:
    """Arguments as the text of a call."""
    return json.dumps(arguments, ensure_ascii=False)
