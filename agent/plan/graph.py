"""The plan of a run as a graph, computed from its events alone: steps, what each needs, and what became of it.
Touches nothing. For the page, the terminal and the loop: `plan_graph(events)`, or a `Graph` that is fed event by event.
Does not promise: that a step without a tool was done; the agent said so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from outrider.memory.events import Event, PlanChanged, PlanStep, ToolCalled, ToolReturned

NodeState = Literal["waiting", "ready", "running", "done", "failed", "skipped", "unknown"]
UNKNOWN = (
    "Interrupted: the process stopped while this call was under way, and its outcome is unknown. It was not repeated. "
    "Look whether it took effect before doing it again."
)


@dataclass(frozen=True, slots=True)
class Node:
    """A step of the plan.

    state: waiting (something it needs is not done), ready, running, done, failed, skipped (what it needs failed), unknown
    (its process died while its call ran; it is not repeated). calls: ids of its calls, oldest first; of a step without a
    tool those made while it was the only one that was ready.
    """

    id: str
    text: str
    needs: tuple[str, ...]
    state: NodeState
    tool: str
    calls: tuple[str, ...]


class Graph:
    """The plan as the events say so far. Feed it every event in order."""

    def __init__(self) -> None:
        self.steps: tuple[PlanStep, ...] = ()
        self.returned: dict[str, ToolReturned] = {}  # what came back of calls that steps name
        self._begun: set[str] = set()
        self._made: dict[str, tuple[str, ...]] = {}  # step without a tool → calls made for it
        self._since: tuple[str, ...] = ()  # calls the agent made itself since the plan changed

    def add(self, event: Event) -> None:
        """Learn from one event."""
        if isinstance(event, PlanChanged):
            self._change(event)
        elif isinstance(event, ToolCalled):
            self._begun.add(event.call_id)
            if "/" not in event.call_id and event.tool != "plan":
                self._since += (event.call_id,)
        elif isinstance(event, ToolReturned) and any(step.call == event.call_id for step in self.steps):
            self.returned[event.call_id] = event

    def step(self, name: str) -> PlanStep | None:
        """The step of this id."""
        return next((step for step in self.steps if step.id == name), None)

    def nodes(self) -> list[Node]:
        """Every step in the plan's order."""
        states: dict[str, NodeState] = {}
        for _ in self.steps:  # a step may stand before what it needs
            for step in self.steps:
                states[step.id] = self._state(step, states)
        alone = [s.id for s in self.steps if not s.tool and states[s.id] == "ready"]
        since = {alone[0]: self._since} if len(alone) == 1 else {}
        return [
            Node(s.id, s.text, s.needs, states[s.id], s.tool, self._calls(s) + since.get(s.id, ())) for s in self.steps
        ]

    def begun(self, step: PlanStep) -> bool:
        """Whether the call of a step was made, whatever became of it; one that was refused was not."""
        return step.call in self._begun

    def _calls(self, step: PlanStep) -> tuple[str, ...]:
        if step.tool:
            return (step.call,) if self.begun(step) or step.call in self.returned else ()
        return self._made.get(step.id, ())

    def _state(self, step: PlanStep, states: dict[str, NodeState]) -> NodeState:
        came = self.returned.get(step.call) if step.tool else None
        if came is not None:
            return "done" if came.ok else "unknown" if came.text == UNKNOWN else "failed"
        if step.done:
            return "done"
        if step.tool and self.begun(step):
            return "running"
        needed = {states.get(name, "waiting") for name in step.needs}
        if needed & {"failed", "skipped", "unknown"}:
            return "skipped" if step.tool else "waiting"
        return "ready" if needed <= {"done"} else "waiting"

    def _change(self, event: PlanChanged) -> None:
        before = {step.id for step in self.steps if step.done}
        finished = [step.id for step in event.steps if step.done and step.id not in before]
        if len(finished) == 1:
            self._made[finished[0]] = self._made.get(finished[0], ()) + self._since
        self.steps = event.steps or tuple(
            PlanStep(id=f"step{n}", text=item, done=item.lower().startswith("done"))
            for n, item in enumerate(event.items, 1)
        )  # a plan of an earlier version has lines alone
        self._since = ()


def plan_graph(events: Iterable[Event]) -> list[Node]:
    """The steps of the plan that stands at the end of `events`; [] if there is none."""
    graph = Graph()
    for event in events:
        graph.add(event)
    return graph.nodes()
