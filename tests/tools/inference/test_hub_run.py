"""`hub_run` over a hub and an inference server on loopback: results of every kind, and every way a model can fail."""

from __future__ import annotations

import base64
import io
import json
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from outrider.tools.hub.tasks import TASKS
from outrider.tools.inference.hub_run import effect_of, hub_run
from outrider.tools.inference.inputs import given
from outrider.tools.inference.packaged_process import complete
from outrider.tools.inference.result import Unusable, read_result
from outrider.tools.tool import Observation, ToolContext, ToolError
from tests.servers.hub import hub
from tests.servers.web import Asked, Route, WebServer, answer


def picture(size: tuple[int, int] = (64, 48), colour: str = "navy") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def model(name: str, downloads: int, task: str = "image-to-text", **more: Any) -> dict[str, Any]:
    return {
        "id": name, "pipeline_tag": task, "downloads": downloads, "likes": 1, "gated": False, "tags": [task, "license:mit"],
        "cardData": {"license": "mit"}, "library_name": "transformers", "lastModified": "2026-05-01T00:00:00.000Z",
        "inferenceProviderMapping": [{"provider": "hf-inference", "providerId": name, "task": task, "status": "live"}],
    } | more  # fmt: skip


THREE = (model("acme/best", 900), model("acme/second", 800), model("acme/third", 700))


def says(value: Any, status: int = 200) -> Route:
    return answer(json.dumps(value).encode(), status=status, headers={"Content-Type": "application/json"})


def hangs(connection: socket.socket, asked: Asked) -> None:
    time.sleep(8)


def context(server: WebServer, folder: Path, secret: str = "", **settings: Any) -> ToolContext:
    own = {"endpoint": server.url().rstrip("/"), "inference": server.url("/api-inference"), **settings}
    return ToolContext(
        workspace=folder, settings={"hub": own}, secret={"HF_TOKEN": secret}.get, seconds_left=lambda: 100.0
    )


async def run(here: ToolContext, **arguments: Any) -> Observation:
    seen = await hub_run.run(hub_run.check(arguments), here)
    assert isinstance(seen, Observation)
    return seen


def served(routes: Mapping[str, Route]) -> dict[str, Route]:
    return {f"/api-inference/models/{name}": route for name, route in routes.items()}


async def test_a_picture_goes_in_and_a_caption_comes_out(tmp_path: Path) -> None:
    """The bytes of the file, the token of the person, the words of the model; marked as a stranger's."""
    (tmp_path / "cat.png").write_bytes(picture())
    with hub(THREE, more=served({"acme/best": says([{"generated_text": "a blue square"}])})) as server:
        seen = await run(context(server, tmp_path, "hf_secret"), task="image captioning", inputs="cat.png")
        sent = server.requests[-1]
    assert seen.text == "a blue square\n[by acme/best, provider hf-inference]"
    assert (seen.origin, seen.private, seen.changes) == ("untrusted", ("file:cat.png",), ())
    assert sent.body == picture()
    assert (sent.headers["content-type"], sent.headers["authorization"]) == ("image/png", "Bearer hf_secret")


async def test_the_third_is_used_when_the_first_two_are_dead_and_the_result_says_why(tmp_path: Path) -> None:
    """In the order of the ranking, each with its own reason."""
    (tmp_path / "cat.png").write_bytes(picture())
    routes = {
        "acme/second": says({"error": "Model is overloaded"}, 503),
        "acme/third": says([{"generated_text": "a cat"}]),
    }
    with hub(THREE, more=served(routes)) as server:
        seen = await run(context(server, tmp_path), task="image-to-text", inputs="cat.png")
    assert seen.text.splitlines()[:2] == ["a cat", "[by acme/third, provider hf-inference]"]
    assert "acme/best (provider hf-inference): dead: nothing serves it (status 404)" in seen.text
    assert (
        'acme/second (provider hf-inference): busy or still loading (status 503): {"error": "Model is overloaded"}'
        in seen.text
    )


async def test_gated_slow_refused_and_senseless_models_are_passed_over_with_their_reason(tmp_path: Path) -> None:
    """Four ways to lose, told apart; nothing that is no answer is taken for one."""
    (tmp_path / "cat.png").write_bytes(picture())
    models = (
        model("acme/closed", 990), model("acme/slow", 980), model("acme/page", 970), model("acme/empty", 960),
        model("acme/not-allowed", 999, cardData={"license": "cc-by-nc-4.0"}, tags=["image-to-text"]), model("acme/good", 10),
    )  # fmt: skip
    routes = {
        "acme/closed": says({"error": "gated"}, 403), "acme/slow": hangs, "acme/page": answer(b"<html>hello</html>"),
        "acme/empty": says([{"generated_text": "  "}]), "acme/good": says([{"generated_text": "fine"}]),
    }  # fmt: skip
    with hub(models, more=served(routes)) as server:
        here = context(server, tmp_path, licences=["mit"], seconds=1)
        seen = await run(here, task="image-to-text", inputs="cat.png")
    assert seen.text.startswith("fine\n")
    for reason in (
        "acme/not-allowed: refused by the policy: licence cc-by-nc-4.0",
        "acme/closed (provider hf-inference): gated or refused (status 403)",
        "acme/slow (provider hf-inference): too slow: no answer in 1 s",
        "acme/page (provider hf-inference): it answered with text/plain that is no result",
        "acme/empty (provider hf-inference): its answer is empty",
    ):
        assert reason in seen.text


async def test_when_nobody_does_it_the_error_names_every_reason(tmp_path: Path) -> None:
    """No silent end: each model and why, and what to try."""
    (tmp_path / "cat.png").write_bytes(picture())
    with hub(THREE) as server, pytest.raises(ToolError) as failed:
        await run(context(server, tmp_path), task="image-to-text", inputs="cat.png")
    assert failed.value.why.count("dead: nothing serves it") == 3
    assert "hub_choose" in failed.value.fix


async def test_boxes_are_drawn_on_the_picture_in_a_new_file(tmp_path: Path) -> None:
    """Labels with their places in words, the picture in the workspace and the transcript, undo knows it; nothing overwritten."""
    (tmp_path / "street.png").write_bytes(picture((200, 150), "white"))
    boxes = [{"label": "car\x1b[31m", "score": 0.98, "box": {"xmin": 10, "ymin": 20, "xmax": 900, "ymax": 100}}]
    models = (model("acme/eyes", 5, "object-detection"),)
    with hub(models, more=served({"acme/eyes": says(boxes)})) as server:
        here = context(server, tmp_path)
        first = await run(here, task="object-detection", inputs="street.png")
        second = await run(here, task="object-detection", inputs="street.png")
    assert "0.980 car" in first.text
    assert "\x1b" not in first.text
    assert "at x 10 to 900, y 20 to 100" in first.text
    assert [change.path for change in (*first.changes, *second.changes)] == [
        "hub/object-detection-1.png", "hub/object-detection-2.png",
    ]  # fmt: skip
    drawn = Image.open(tmp_path / "hub/object-detection-1.png")
    assert drawn.size == (200, 150)
    assert drawn.getpixel((100, 20)) != (255, 255, 255)
    assert (first.files[0].media_type, first.files[0].data) == ("image/png", first.changes[0].after)


RESULTS: tuple[tuple[str, dict[str, Any], Any, str], ...] = (
    ("image-classification", {}, [{"label": "cat", "score": 0.9}, {"label": "dog", "score": 0.1}], "0.900 cat"),
    ("automatic-speech-recognition", {}, {"text": "hello there"}, "hello there"),
    ("translation", {"inputs": "Good day"}, [{"translation_text": "Guten Tag"}], "Guten Tag"),
    ("summarization", {"inputs": "Long text"}, [{"summary_text": "Short"}], "Short"),
    ("text-classification", {"inputs": "Fine!"}, [[{"label": "POSITIVE", "score": 0.99}]], "0.990 POSITIVE"),
    ("zero-shot-classification", {"inputs": "Fine!", "labels": ["good", "bad"]}, {"labels": ["good", "bad"], "scores": [0.8, 0.2]}, "0.800 good"),
    ("question-answering", {"inputs": "Who?", "context": "Ada did."}, {"answer": "Ada", "score": 0.9, "start": 0, "end": 3}, "Ada"),
    ("text-generation", {"inputs": "Once"}, [{"generated_text": "Once upon"}], "Once upon"),
    ("feature-extraction", {"inputs": "a"}, [[0.25, 0.5, 0.75]], "1 vector of 3 numbers in hub/feature-extraction-1.json"),
    ("image-segmentation", {}, [{"label": "sky", "score": 1.0, "mask": base64.b64encode(picture()).decode()}], "1.000 sky"),
    ("depth-estimation", {}, {"depth": base64.b64encode(picture()).decode()}, "wrote hub/depth-estimation-1.png (image/png"),
    ("text-to-image", {"inputs": "a cat"}, {"images": [{"url": f"data:image/png;base64,{base64.b64encode(picture()).decode()}"}]}, "wrote hub/text-to-image-1.png"),
    ("text-to-speech", {"inputs": "hello"}, {"audio": base64.b64encode(b"RIFF\x00\x00\x00\x00WAVEfmt ").decode()}, "wrote hub/text-to-speech-1.wav"),
)  # fmt: skip


@pytest.mark.parametrize(("task", "arguments", "value", "words"), RESULTS, ids=[row[0] for row in RESULTS])
async def test_every_task_gives_its_result(
    task: str, arguments: dict[str, Any], value: Any, words: str, tmp_path: Path
) -> None:
    """The shapes of the hub's task pages become words and files."""
    (tmp_path / "in.png").write_bytes(picture())
    (tmp_path / "in.wav").write_bytes(b"RIFF\x24\x00\x00\x00WAVEfmt \x10")
    file = {"image": "in.png", "audio": "in.wav"}.get(TASKS[task].takes, "")
    tail = "/pipeline/feature-extraction" if task == "feature-extraction" else ""
    with hub((model("acme/m", 5, task),), more={f"/api-inference/models/acme/m{tail}": says(value)}) as server:
        seen = await run(context(server, tmp_path), task=task, where="provider", **({"inputs": file} | arguments))
    assert words in seen.text
    assert all((tmp_path / change.path).read_bytes() == change.after for change in seen.changes)


async def test_an_endpoint_by_its_address_gets_no_token_and_must_be_allowed(tmp_path: Path) -> None:
    """An address that a model chose: private ones are refused unless a person allows them, and the token stays here."""
    with WebServer({"/x": says([{"generated_text": "hi"}])}) as server:
        here = context(server, tmp_path, "hf_secret")
        with pytest.raises(ToolError, match="private, local or reserved"):
            await run(here, task="text-generation", inputs="hello", where=server.url("/x"))
        here.allowed_hosts = (server.host,)
        assert (await run(here, task="text-generation", inputs="hello", where=server.url("/x"))).text.startswith("hi")
        assert "authorization" not in server.requests[-1].headers


async def test_a_server_of_chat_completions_captions_a_picture(tmp_path: Path) -> None:
    """The picture goes as a part of the message, as every such server takes it."""
    (tmp_path / "cat.png").write_bytes(picture())
    reply = {"choices": [{"message": {"role": "assistant", "content": "A blue square."}}]}
    with WebServer({"/v1/chat/completions": says(reply)}) as server:
        here = context(server, tmp_path)
        here.allowed_hosts = (server.host,)
        seen = await run(here, task="image-to-text", inputs="cat.png", where=server.url("/v1/chat/completions"))
        parts = json.loads(server.requests[-1].body)["messages"][0]["content"]
    assert seen.text.startswith("A blue square.")
    assert parts[1]["image_url"]["url"].startswith("data:image/png;base64,")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"task": "mind-reading", "inputs": "x"}, "no task that can be run"),
        ({"task": "image-to-text", "inputs": ""}, "nothing to work on"),
        ({"task": "image-to-text", "inputs": "missing.png"}, "there is no missing.png"),
        ({"task": "image-to-text", "inputs": "../../etc/passwd"}, "outside the workspace"),
        ({"task": "image-to-text", "inputs": "notes.txt"}, "is no picture"),
        ({"task": "zero-shot-classification", "inputs": "x"}, "no labels"),
        ({"task": "question-answering", "inputs": "x"}, "nothing to answer from"),
        ({"task": "translation", "inputs": "x", "where": "the moon"}, "no place to run"),
        ({"task": "translation", "inputs": "x", "model": "../../x"}, "not the id of a model"),
    ],
)
async def test_what_cannot_be_meant_is_said(arguments: dict[str, Any], why: str, tmp_path: Path) -> None:
    """A clear word before anything is asked of anybody."""
    (tmp_path / "notes.txt").write_text("hello")
    with WebServer({}) as server, pytest.raises(ToolError, match=why):
        await run(context(server, tmp_path), **arguments)


def test_what_may_leave_the_machine_is_network_and_what_cannot_is_not() -> None:
    """The effect decides who is asked; in doubt it is `network`."""
    assert effect_of({"task": "translation", "where": "here"}) == "read"
    assert effect_of({"task": "object-detection", "where": "here"}) == "write"
    assert effect_of({"task": "object-detection", "where": "here", "model": "acme/never-fetched"}) == "network"
    assert effect_of({"task": "translation", "where": "provider"}) == "network"
    assert effect_of({"task": "ocr", "where": "https://example.org/x"}) == "network"
    assert effect_of({}) == "network"


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{}", b"[[]]", b"7", b'"x', b"[" * 100_000, b"GIF89a", b'{"error": "no"}']
)
@pytest.mark.parametrize("task", ["image-classification", "object-detection", "text-to-image", "feature-extraction"])
def test_no_answer_of_a_server_is_taken_for_a_result_that_it_is_not(task: str, body: bytes) -> None:
    """Whatever comes: a result of the task, or a word why not; never an exception nobody expects."""
    if (task, body) == ("text-to-image", b"GIF89a"):
        assert read_result(TASKS[task], "image/gif", body).media == body
        return
    if (task, body) == ("object-detection", b"[]"):  # it looked and found nothing
        assert read_result(TASKS[task], "application/json", body).found == ()
        return
    with pytest.raises(Unusable):
        read_result(TASKS[task], "application/json", body)


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A model whose weights were fetched before."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "cache" / "models--acme--cap" / "snapshots" / "abc"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"x")
    return "acme/cap"


async def test_a_call_that_may_not_send_sends_nothing(cached: str, tmp_path: Path) -> None:
    """A model that is here is run here, though a provider would serve it: nobody was asked about sending."""
    arguments = {"task": "summarization", "inputs": "private words", "model": cached}
    assert effect_of(arguments) == "read"
    with hub([model(cached, 900, "summarization")], more=served({cached: says([{"summary_text": "sent"}])})) as server:
        with pytest.raises(ToolError):
            await run(context(server, tmp_path), **arguments)
        assert [asked.path for asked in server.requests if "inference" in asked.path] == []


async def test_every_file_that_was_read_is_private(tmp_path: Path) -> None:
    """The text an answer is looked for in is as private as the question."""
    (tmp_path / "salary.txt").write_text("Ann earns 4,711.")
    ask = TASKS["question-answering"]
    what = given(context_of(tmp_path), ask, "What does Ann earn?", "salary.txt", [], {})
    assert what.paths == ("salary.txt",)


@pytest.mark.parametrize("words", ["x" * 280, "\u65e5" * 120, "a\0b"])
def test_words_that_could_be_no_file_name_are_words(tmp_path: Path, words: str) -> None:
    """A long sentence is a text, not a name the file system refuses."""
    assert given(context_of(tmp_path), TASKS["summarization"], words, "", [], {}).text == words


def test_a_file_too_long_to_be_read_whole_is_refused(tmp_path: Path) -> None:
    """The summary of a part, told as that of the whole, would be wrong without a word."""
    (tmp_path / "long.txt").write_text("word " * 60_000)
    with pytest.raises(ToolError, match="too long"):
        given(context_of(tmp_path), TASKS["summarization"], "long.txt", "", [], {})


def test_a_packaged_model_reads_all_or_says_so() -> None:
    """And a question is not put where the text holds braces."""
    with pytest.raises(ValueError, match="longer than"):
        complete(None, {"task": "summarization", "text": "x" * 10_001, "options": {}})
    said = []

    class Echo:
        def create_chat_completion(self, messages: Any, **_: Any) -> Any:
            said.append(messages[0]["content"])
            return {"choices": [{"message": {"content": "ok"}}]}

    complete(Echo(), {"task": "question-answering", "text": "why?", "context": "f() {} is empty", "options": {}})
    assert said == ["Answer from this text alone.\n\nf() {} is empty\n\nQuestion: why?"]


async def test_a_named_packaged_model_is_held_to_the_licences_too(tmp_path: Path) -> None:
    """Naming a model is no way around what the person allows."""
    (tmp_path / "a.png").write_bytes(picture())
    here = ToolContext(workspace=tmp_path, settings={"hub": {"licences": ["mit"]}}, seconds_left=lambda: 100.0)
    with pytest.raises(ToolError, match=r"licence apache-2\.0"):
        await run(here, task="ocr", inputs="a.png", model="tesseract")


def context_of(folder: Path) -> ToolContext:
    return ToolContext(workspace=folder)
