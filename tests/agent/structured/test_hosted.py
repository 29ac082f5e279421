"""Hosted models are held to the schema of the answer where their server can; where it refuses, words do."""

from __future__ import annotations

from typing import Any

import pytest

from outrider.agent import Agent, Budget
from outrider.agent.models.chat.answer_form import form_of, refused_part, unwrapped
from outrider.agent.models.model import Message, Reply, Request
from outrider.agent.models.openai.model import OpenAIModel
from outrider.agent.models.openai.responses import ResponsesModel
from outrider.agent.structured.reading import MISFIT
from outrider.memory.errors import UsageError
from outrider.memory.store import Store
from tests.agent.models.openai.test_responses import says, serving
from tests.servers.openai_server import OpenAIServer

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
}
LOOSE: dict[str, Any] = {"type": "object", "properties": {"name": {"type": "string"}}}
FITS = '{"status":"answered","says":"","answer":{"name":"Ann","age":40}}'


def go(store: Store, server: OpenAIServer, *, tools: Any = (), schema: Any = PERSON, **limits: Any) -> Any:
    """A run with this server whose answer must fit."""
    model = OpenAIModel("scripted", base_url=server.base_url, api_key="x", stream=False)
    return Agent(model, tools=tools, memory=store, budget=Budget(**limits)).run("Who?", answer=schema)


def test_a_server_that_can_is_asked_for_the_form_and_strictly_where_the_schema_allows(store: Store) -> None:
    """The answer is the data; the envelope it came in is nowhere."""
    with OpenAIServer(replies=[{"text": FITS}]) as server:
        done = go(store, server)
        (asked,) = [one.json for one in server.requests]
    assert (done.state, done.value) == ("answered", {"name": "Ann", "age": 40})
    form = asked["response_format"]["json_schema"]
    assert form["strict"] is True
    assert form["schema"]["properties"]["answer"]["anyOf"][0] == PERSON | {"additionalProperties": False}
    assert "JSON Schema" in str(asked["messages"][0])  # told in words as well
    assert "status" not in str(next(stored.event for stored in done.events() if stored.kind == "model_replied").text)


@pytest.mark.parametrize("status", ["not found", "refused", "failed"])
def test_the_form_leaves_a_way_to_say_that_there_is_no_answer(store: Store, status: str) -> None:
    """A model that is held to a schema must not have to make data up."""
    said = f'{{"status":"{status}","says":"Nobody is listed.","answer":null}}'
    with OpenAIServer(replies=[{"text": said}]) as server:
        done = go(store, server)
    assert (done.state, done.value) == ({"not found": "not_found"}.get(status, status), None)
    assert str(done.answer) == "Nobody is listed."
    assert done.exit_code != 0


def test_data_that_is_only_part_of_the_answer_is_partial(store: Store) -> None:
    """Half of it with a mark is half of it."""
    said = '{"status":"partial","says":"no age","answer":{"name":"Ann","age":0}}'
    with OpenAIServer(replies=[{"text": said}]) as server:
        assert go(store, server).state == "partial"


@pytest.mark.parametrize(
    ("status", "body", "requests", "left"),
    [
        (400, {"error": {"message": "Unknown parameter: response_format"}}, 2, None),
        (400, {"error": {"message": "'response_format.type' must be one of text, json_object"}}, 2, None),
        (422, {"detail": [{"loc": ["body", "response_format", "type"], "msg": "unexpected value"}]}, 2, None),
        (500, {"error": {"message": "failed to parse grammar"}}, 2, None),
        (400, {"error": {"message": "Invalid schema for response_format 'answer': 'format' is not permitted, strict"}}, 2, False),
    ],
)  # fmt: skip
def test_a_server_that_refuses_the_form_gets_it_in_words(
    store: Store, status: int, body: Any, requests: int, left: bool | None
) -> None:
    """Once, then never again; the run does not notice."""
    refused = {"status": status, "body": body}
    with OpenAIServer(replies=[refused, {"text": '{"name": "Ann"}'}, {"text": '{"name": "Ann", "age": 40}'}]) as server:
        done = go(store, server)
        asked = [one.json for one in server.requests]
    assert (done.state, done.value) == ("answered", {"name": "Ann", "age": 40})
    assert len(asked) == requests + 1
    for later in asked[1:]:
        assert ("response_format" in later) == (left is not None)
        assert left is None or "strict" not in later["response_format"]["json_schema"]


def test_what_came_in_the_form_is_checked_and_asked_for_again_all_the_same(store: Store) -> None:
    """A server may take the field and not keep to it; each try is a step of the budget."""
    wrong = FITS.replace("40", '"old"')
    with OpenAIServer(replies=[{"text": wrong}, {"text": "Ann, 40"}, {"text": FITS}]) as server:
        done = go(store, server)
        assert [MISFIT in str(one.json["messages"][-1]) for one in server.requests] == [False, True, True]
    assert (done.state, done.spent.steps) == ("answered", 3)
    with OpenAIServer(replies=[{"text": wrong}]) as server:
        done = go(store, server, steps=2)
    assert (done.state, done.value, done.exit_code) == ("partial", None, 3)


def test_tools_are_not_taken_from_a_model_by_the_form(store: Store) -> None:
    """Local servers hold every reply to it, calls too: it is sent once an answer came that does not fit."""

    def look(name: str) -> str:
        """Look somebody up.

        name: who
        """
        return f"{name} is 40"

    replies = [{"tool": "look", "arguments": {"name": "Ann"}}, {"text": "Ann is 40."}, {"text": FITS}]
    with OpenAIServer(replies=replies) as server:
        done = go(store, server, tools=(look,))
        assert ["response_format" in one.json for one in server.requests] == [False, False, True]
    assert (done.state, done.value) == ("answered", {"name": "Ann", "age": 40})


def test_the_responses_api_has_the_form_in_its_own_place(store: Store) -> None:
    """`text.format`, and nothing by the other name."""
    with serving([says(FITS)]) as (url, seen):
        model = ResponsesModel("gpt-5", base_url=url, api_key="x", stream=False)
        done = Agent(model, tools=(), memory=store).run("Who?", answer=PERSON)
    assert done.value == {"name": "Ann", "age": 40}
    assert seen[0]["text"]["format"]["name"] == "answer"
    assert "response_format" not in seen[0]


def test_a_form_of_the_persons_own_is_left_alone(store: Store) -> None:
    """What was set with --option is sent as it is."""
    own = {"type": "json_object"}
    with OpenAIServer(replies=[{"text": '{"name": "Ann", "age": 40}'}]) as server:
        model = OpenAIModel(
            "scripted", base_url=server.base_url, api_key="x", stream=False, body={"response_format": own}
        )
        done = Agent(model, tools=(), memory=store).run("Who?", answer=PERSON)
        assert server.requests[0].json["response_format"] == own
    assert done.value == {"name": "Ann", "age": 40}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"text": {"verbosity": "low"}}, {"verbosity": "low", "format": "ours"}),
        ({"text": {"format": {"type": "json_object"}}}, {"format": {"type": "json_object"}}),
        ({"response_format": {"type": "json_object"}}, {"format": {"type": "json_object"}}),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "p", "schema": PERSON}}, "text": {"verbosity": "low"}},
            {"format": {"type": "json_schema", "name": "p", "schema": PERSON}, "verbosity": "low"},
        ),
    ],
)  # fmt: skip
def test_the_responses_api_keeps_what_a_person_set_for_its_text(store: Store, body: Any, text: Any) -> None:
    """Beside our form, or in its place; by the name that chat completions have too."""
    held = FITS if text.get("format") == "ours" else '{"name": "Ann", "age": 40}'
    with serving([says(held)]) as (url, seen):
        model = ResponsesModel("gpt-5", base_url=url, api_key="x", stream=False, body=body)
        done = Agent(model, tools=(), memory=store).run("Who?", answer=PERSON)
    assert done.value == {"name": "Ann", "age": 40}
    sent = seen[0]["text"]
    assert "response_format" not in seen[0]
    if text["format"] == "ours":
        assert sent.pop("format")["name"] == "answer"
        text = {name: value for name, value in text.items() if name != "format"}
    assert sent == text


def test_the_responses_api_keeps_what_a_person_set_for_reasoning_and_includes(store: Store) -> None:
    """And what Outrider needs stands beside it: without it no reasoning item could go back."""
    body = {"reasoning": {"summary": "auto"}, "include": ["message.output_text.logprobs"]}
    with serving([says("done")]) as (url, seen):
        model = ResponsesModel("gpt-5", base_url=url, api_key="x", stream=False, reasoning_effort="low", body=body)
        Agent(model, tools=(), memory=store).run("Who?")
    assert seen[0]["reasoning"] == {"summary": "auto", "effort": "low"}
    assert seen[0]["include"] == ["reasoning.encrypted_content", "message.output_text.logprobs"]


@pytest.mark.parametrize("option", [{"text": "low"}, {"response_format": "json"}, {"reasoning": 3}, {"include": "x"}])
def test_the_responses_api_refuses_at_once_what_it_has_no_place_for(option: Any) -> None:
    """A word where the API has an object is said before anything is asked."""
    with pytest.raises(UsageError, match=next(iter(option))):
        ResponsesModel("gpt-5", base_url="http://127.0.0.1:1/v1", api_key="x", body=option)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("wire", ["chat", "responses"])
async def test_whoever_watches_sees_the_data_and_no_envelope(stream: bool, wire: str) -> None:
    """The envelope is between Outrider and the server; where nothing is streamed, nothing is shown before the end."""
    shown: list[str] = []
    with OpenAIServer(replies=[{"text": FITS}]) as server, serving([says(FITS)]) as (url, _):
        kind, url = (OpenAIModel, server.base_url) if wire == "chat" else (ResponsesModel, url)
        model = kind("scripted", base_url=url, api_key="x", stream=stream)
        asked = Request([Message("user", "Who?")], (), 500, 20, shown.append, PERSON)
        reply = await model.reply(asked)
        await model.aclose()
    assert reply.text == '{"name": "Ann", "age": 40}'
    assert "".join(shown) == (reply.text if stream else "")


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        (PERSON, True),
        (LOOSE, False),
        ({"type": "object"}, False),
        ({"type": "object", "properties": {"a": {"type": "array", "items": LOOSE}}, "required": ["a"]}, False),
        ({"type": "object", "properties": {"a": {"$ref": "#/$defs/P"}}, "required": ["a"], "$defs": {"P": PERSON}}, True),
        ({"type": "object", "properties": {"required": {"type": "string"}}, "required": ["required"]}, True),
        ({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": True}, False),
        ({"type": "integer"}, True),
        ({"type": "array", "items": {"type": "string"}}, True),
    ],
)  # fmt: skip
def test_strict_is_asked_for_where_every_field_is_required(schema: Any, strict: bool) -> None:
    """A server that takes strict schemas refuses any other; names that look like words of the schema are names."""
    form = form_of(schema)
    assert form is not None
    assert form["json_schema"].get("strict", False) is strict
    assert form["json_schema"]["schema"].get("$defs", {}).keys() == schema.get("$defs", {}).keys()


@pytest.mark.parametrize("schema", [{"$ref": "#"}, {"items": {"$ref": "#/properties/a"}}, {"$dynamicRef": "#x"}])
def test_a_schema_that_refers_to_its_own_root_is_told_in_words(schema: Any) -> None:
    """In an envelope the reference would mean something else."""
    assert form_of(schema) is None


@pytest.mark.parametrize(
    ("text", "finish", "left"),
    [
        ("plain words", "stop", "plain words"),
        ('{"name": "Ann"}', "stop", '{"name": "Ann"}'),
        ('{"status": "answered", "says": "", "answer": {"na', "length", ""),
        ('{"status": "answered", "says": "", "answer": {"na', "repetition", ""),
        ('{"status": "not found", "says": "no', "content_filter", ""),
        ('{"status": "ans', "length", ""),
        ('{"status": "open", "na', "length", '{"status": "open", "na'),
        ('```json\n{"status": "answered", "says": "", "answer": 7}\n```', "stop", "7"),
        ('{"status": "answered", "says": "", "answer": 7}\nI hope this helps!', "stop", "7"),
        ('{"status": "answered", "says": "", "answer": null}', "stop", "null"),
        ('{"status": "odd", "says": "", "answer": 1}', "stop", '{"status": "odd", "says": "", "answer": 1}'),
        ("[" * 100_000, "stop", "[" * 100_000),
        ('{"a":' * 100_000, "stop", '{"a":' * 100_000),
    ],
)
def test_only_a_whole_envelope_is_taken_off(text: str, finish: str, left: str) -> None:
    """Half of one is no answer, and what merely looks like one is left as it is."""
    assert unwrapped(Reply(text, finish_reason=finish)).text == left


def test_a_refusal_of_something_else_is_not_about_the_form() -> None:
    """Or every error would be tried twice."""
    assert refused_part("model not found", form_of(PERSON) or {}) == ""
