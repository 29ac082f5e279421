"""Pictures that come with a goal: shown to a model that sees, stored once, a path and a hint for one that does not."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import text

from outrider.agent import Agent
from outrider.agent.models.langchain.model import _to_langchain
from outrider.agent.models.model import Message, Picture
from outrider.agent.models.openai.responses import input_items
from outrider.agent.models.sight import sees
from outrider.memory.errors import UsageError
from outrider.memory.transfer import dump, load
from tests.servers.openai_server import OpenAIServer


def png(width: int = 60, height: int = 40) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(out, "PNG")
    return out.getvalue()


def agent(server: OpenAIServer, folder: Path, model: str = "openai:gpt-4o", **more: object) -> Agent:
    memory = f"sqlite:///{folder}/m.db"
    own = {"base_url": server.base_url, "api_key": "x", "workspace": str(folder), "memory": memory, "tools": []} | more
    return Agent(model=model, **own)  # type: ignore[arg-type]


def test_a_model_that_sees_is_shown_the_pictures_and_the_journal_holds_them_once(tmp_path: Path) -> None:
    """Parts of the first message, one for each; two runs with one picture store it once, and an export carries it."""
    (tmp_path / "cat.png").write_bytes(png())
    with OpenAIServer(replies=[{"text": "A teal field."}]) as server:
        seer = agent(server, tmp_path)
        run = seer.run("What is it?", images=[tmp_path / "cat.png", png(10, 10)])
        seer.run("Again?", images=[tmp_path / "cat.png"])
        content = server.requests[0].json["messages"][-1]["content"]
    assert [part["type"] for part in content] == ["text", "image_url", "image_url"]
    assert content[1]["image_url"]["url"] == f"data:image/png;base64,{base64.b64encode(png()).decode()}"
    assert run.state == "answered"
    with seer.store.read() as db:
        assert db.scalar(text("SELECT count(*) FROM blobs WHERE data = :data"), {"data": png()}) == 1
    from outrider.memory.journal import Journal
    from outrider.memory.store import Store

    lines = list(dump(Journal.open_for_reading(seer.store, run.id)))
    other = Store(f"sqlite:///{tmp_path}/other.db")
    assert load(other, lines) == run.id


def test_a_large_picture_is_made_smaller(tmp_path: Path) -> None:
    """At most 1568 pixels a side; the person is told the size that is shown."""
    (tmp_path / "wide.png").write_bytes(png(4000, 1000))
    with OpenAIServer(replies=[{"text": "Wide."}]) as server:
        run = agent(server, tmp_path).run("What is it?", images=[tmp_path / "wide.png"])
        url = server.requests[0].json["messages"][-1]["content"][1]["image_url"]["url"]
    shown = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))
    assert shown.size == (1568, 392)
    first = next(iter(run.events())).event
    assert first.attachments[0].note == "a picture, shown to the model at 1568 × 392"  # type: ignore[union-attr]


def test_a_model_that_does_not_see_gets_the_path_and_a_hint(tmp_path: Path) -> None:
    """No picture is sent; what tools can reach is named, what they cannot is an error; the person's word goes over the table."""
    (tmp_path / "cat.png").write_bytes(png())
    with OpenAIServer(replies=[{"text": "I cannot see it."}]) as server:
        blind = agent(server, tmp_path, "openai:some-text-model")
        blind.run("What is it?", images=[tmp_path / "cat.png"])
        said = server.requests[0].json["messages"][-1]["content"]
        assert (
            "cat.png (a picture of 60 × 40 pixels that this model is not shown; hub_run can describe or read it)"
            in said
        )
        with pytest.raises(UsageError, match="cannot be given to this model"):
            blind.run("What is it?", images=[png()])
        agent(server, tmp_path, "openai:some-text-model", sees=True).run("What is it?", images=[png()])
        assert server.requests[-1].json["messages"][-1]["content"][1]["type"] == "image_url"


def test_a_server_that_refuses_pictures_is_asked_again_without_and_it_is_said(tmp_path: Path) -> None:
    """The model is told that it was shown nothing, and so is the person; later requests leave them out at once."""
    refusal = {"status": 400, "body": {"error": {"message": "This model does not support image input."}}}
    with OpenAIServer(replies=[refusal, {"text": "I was not shown it."}]) as server:
        run = agent(server, tmp_path).run("What is it?", images=[png()])
        said = server.requests[-1].json["messages"][-1]["content"]
    assert isinstance(said, str)
    assert "could not be shown to you" in said
    notes = [stored.event.text for stored in run.events() if stored.event.kind == "noted"]
    assert any("refused the pictures" in note for note in notes)


def test_every_dialect_carries_a_picture() -> None:
    """The Responses API and LangChain have their own words for it."""
    message = Message("user", "look", pictures=(Picture("a", "image/png", b"abc"),))
    parts = input_items(message)[0]["content"]
    assert [part["type"] for part in parts] == ["input_text", "input_image"]
    blocks = _to_langchain(message).content
    assert blocks[1] == {"type": "image", "base64": "YWJj", "mime_type": "image/png"}


@pytest.mark.parametrize(
    ("model", "known"),
    [
        ("openai:gpt-4o-mini", True), ("openai:gpt-5", True), ("openai:o3-mini", False), ("openai:gpt-3.5-turbo", False),
        ("langchain:anthropic:claude-sonnet-4-5", True), ("openai:qwen2.5-vl-7b", True), ("openai:qwen2.5-7b", False),
        ("llama:gpt-4o.gguf", False), ("starter", False), ("openai:gemma-3-4b-it", True), ("openai:gemma-3-1b-it", False),
    ],
)  # fmt: skip
def test_which_models_see_is_read_off_their_names(model: str, known: bool) -> None:
    """In doubt a model does not see: a picture it is not shown is said to be a path."""
    assert sees(model) is known


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    """A text with the name of a picture, and one that is not there."""
    (tmp_path / "fake.png").write_text("hello")
    with OpenAIServer(replies=[{"text": "x"}]) as server:
        with pytest.raises(UsageError, match="is no picture"):
            agent(server, tmp_path).run("What?", images=[tmp_path / "fake.png"])
        with pytest.raises(UsageError, match="cannot be read"):
            agent(server, tmp_path).run("What?", images=["gone.png"])
