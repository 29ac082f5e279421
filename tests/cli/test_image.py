"""`--image FILE`, and a picture named after the goal."""

from __future__ import annotations

from tests.agent.test_pictures import png
from tests.cli.program import Program
from tests.servers.openai_server import OpenAIServer


def test_image_on_the_command_line(program: Program) -> None:
    """--image and a picture named after the goal both reach the model, and `show` says that it was shown them."""
    (program.work / "a.png").write_bytes(png())
    (program.work / "b.png").write_bytes(png(20, 20))
    with OpenAIServer(replies=[{"text": "Two fields."}]) as server:
        done = program(
            "run", "What are they?", "b.png", "--image", "a.png", "--model", "openai:gpt-4o", "--base-url", server.base_url,
            "--price-in", "0", "--price-out", "0", "--api-key-env", "-",
        )  # fmt: skip
        assert done.code == 0, done.err
        content = server.requests[0].json["messages"][-1]["content"]
    assert done.code == 0, done.err
    assert [part["type"] for part in content] == ["text", "image_url", "image_url"]
    shown = program("show", "last").out
    assert "a picture, shown to the model at 60 × 40" in shown
