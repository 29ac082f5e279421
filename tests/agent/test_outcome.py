"""An answer that says it did not reach the goal is no success, and one that reached it is not taken for a failure."""

from __future__ import annotations

import pytest

from outrider.agent.answers.outcome import outcome_of
from outrider.agent.history.ends import EXIT_CODES
from outrider.memory.store import Store
from outrider.tools import ToolError, tool
from tests.agent.helpers import Actor, call, calls, run, says

ADMITTED = {
    "unable": [
        "I could not do this.",
        "I couldn’t complete the task because the tool failed.",
        "Unfortunately, I was unable to open the page.",
        "I'm sorry, but I am not able to send mail.",
        "Sorry, I can't do that.",
        "I don't have access to the internet.",
        "I have no tool for that.",
        "None of my tools fits this goal.",
        "I did not send the mail.",
        "We haven't finished the report.",
        "Unable to read the file.",
        "**I was not able to write the file.**",
        "Let me look at the file first.",
        "Ich konnte die Datei leider nicht öffnen.",
        "Je n'ai pas pu ouvrir le fichier.",
        "STATUS: failed\nThe server is down.",
        "status: Unable",
    ],
    "not_found": [
        "I did not find it.",
        "I could not find the password in notes.txt.",
        "The file report.pdf was not found.",
        "The column 'price' does not exist.",
        "There is no such file.",
        "It could not be found.",
        "STATUS: not found\nNobody of that name is listed.",
        "**STATUS: not_found**\n\nNobody.",
    ],
    "refused": [
        "I'm sorry, but I can't help with that.",
        "I cannot assist you with this request.",
        "I won't delete those files.",
        "I must decline.",
        "STATUS: refused",
    ],
    "partial": [
        "The total is 1,234, but I could not write it to the file.",
        "200 rows. However, I was unable to save the number.",
        "The mean is 4.\nI did not find the second file.",
        "STATUS: partial\nOnly the first table was read.",
    ],
    "answered": [
        "200 rows",
        "The total is 1,234.",
        "I can confirm that there are 3 rows.",
        'The letter says: "I could not come".',
        "I will list them: a.txt, b.txt",
        "It is not possible to divide by zero.",
        "No file mentions falcon.",
        "```python\n# I could not find a better name\nx = 1\n```\nThis prints 1.",
        "STATUS: answered\n42",
        "You cannot merge a branch into itself.",
    ],
}


@pytest.mark.parametrize(
    ("outcome", "text"), [(outcome, text) for outcome, texts in ADMITTED.items() for text in texts]
)
def test_an_answer_is_taken_as_it_says_of_itself(outcome: str, text: str) -> None:
    """The mark, and plain admissions where they open a sentence; nothing else."""
    said, rest, why = outcome_of(text, "do it")
    assert said == outcome
    assert not rest.lower().startswith(("status", "**status"))
    assert bool(why) == (outcome != "answered")


def test_a_no_to_a_question_whether_something_is_there_is_an_answer() -> None:
    """ "Does notes.txt exist?" is answered by "it does not exist"."""
    assert outcome_of("notes.txt does not exist.", "Does notes.txt exist?")[0] == "answered"
    assert outcome_of("notes.txt does not exist.", "Print notes.txt")[0] == "not_found"


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("STATUS: partial\nhalf", "partial"),
        ("STATUS: not found\nnobody", "not_found"),
        ("STATUS: refused\nno", "refused"),
        ("STATUS: failed\nbroken", "failed"),
        ("42", "answered"),
    ],
)
def test_the_state_and_the_exit_code_of_a_run_are_those_of_its_answer(store: Store, text: str, state: str) -> None:
    """Each end has one exit code, the mark is taken off, and the words stay."""
    done = run(store, Actor(says(text)), [])
    assert (done.state, done.exit_code) == (state, EXIT_CODES[done.state])
    assert str(done.answer) == text.rpartition("\n")[2]
    assert done.as_json()["exit_code"] == done.exit_code


def test_every_end_has_an_exit_code_of_its_own() -> None:
    """A script can tell them apart; only a run that is not over shares one."""
    codes = [code for state, code in EXIT_CODES.items() if state != "running"]
    assert len(set(codes)) == len(codes)
    assert not set(codes) & {1, 2}


def test_a_claim_to_have_done_what_failed_is_no_success(store: Store) -> None:
    """The tool that writes fails, the model says it wrote: marked, partial; and believed once another call did it."""

    @tool(effect="write")
    def put(path: str) -> str:
        """Write."""
        if path == "a":
            raise ToolError("the disk is full", "no space", "free some")
        return "written"

    claim = "I have saved the numbers."
    failed = run(store, Actor(calls(call("put", '{"path": "a"}')), says(claim)), [put])
    assert (failed.state, failed.answer.unsupported) == ("partial", (claim,))
    assert "put" in failed.detail
    again = [calls(call("put", '{"path": "a"}')), calls(call("put", '{"path": "b"}')), says(claim)]
    assert run(store, Actor(*again), [put]).state == "answered"


def test_recall_does_not_answer_a_goal_with_itself(store: Store) -> None:
    """The words of this run's own goal are the question; those of another run are something remembered."""
    look = call("recall", '{"query": "exchange rate"}')
    run(store, Actor(says("done")), [], goal="exchange rate of the crown")
    done = run(store, Actor(calls(look), says("done")), ("recall",), goal="exchange rate today")
    (seen,) = [stored.event.text for stored in done.events() if stored.kind == "tool_returned"]  # type: ignore[attr-defined]
    assert "of the crown" in seen
    assert "today" not in seen
