"""Results are kept as they come, and a page is made of them as often as one likes."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

import pytest

from benchmarks import page, tables
from benchmarks.measures import QUICK, Cell, take
from benchmarks.results import Cost, Results, figure, read
from benchmarks.subjects import Unavailable

ABOUT = {
    "date": "2026-11-28 03:00 UTC",
    "quick": True,
    "minutes": 1,
    "versions": {"langchain": "langchain 1.5"},
    "plan": QUICK.__dict__,
}
ABOUT |= {"machine": {"cpus": 2, "cpu": "some", "memory_gb": 8, "system": "Linux 6", "python": "3.11"}}


def results(file: Path | None = None) -> Results:
    """Three subjects: one whole, one that failed, one that cannot be installed."""
    made = Results(about=dict(ABOUT), unavailable={"llm": "not installed: no wheel | for this machine"}, file=file)
    for size, cpu_s in (("10", 0.02), ("100", 0.2), ("400", 0.8)):
        for factor in (1, 2, 3):
            made.add(
                "step", "floor", size, {"cpu_s": cpu_s / 10 * factor, "wall_s": cpu_s, "disk_bytes": 1000 * int(size)}
            )
            made.add(
                "step", "outrider", size, {"cpu_s": cpu_s * factor, "wall_s": cpu_s, "disk_bytes": 2000 * int(size)}
            )
    made.add("step", "langchain", "10", {"error": "ended by itself: Segmentation fault"})
    made.add("step", "langchain", "100", {"left_out": "left out, about 60 s of CPU"})
    return made


def test_results_are_on_disk_after_each_sample(tmp_path: Path) -> None:
    """A run that is interrupted has lost nothing; the page is drawn again from the file."""
    made = results(tmp_path / "r.json")
    again = read(tmp_path / "r.json")
    assert (again.samples, again.unavailable, again.about["date"]) == (made.samples, made.unavailable, ABOUT["date"])


def test_statistics_are_medians_quartiles_and_ratios_of_the_same_round() -> None:
    """A round in which the machine was busy slows both sides of a ratio alike."""
    made = results()
    assert figure([3.0, 1.0, 2.0]) is not None
    found = made.figure("step", "outrider", "10", "cpu_s", 100)
    assert found is not None
    assert (round(found.median, 9), round(found.low, 9), round(found.high, 9), found.n) == (4, 3, 5, 3)
    ratio = made.ratio("step", "outrider", "400", "cpu_s")
    assert ratio is not None
    assert (round(ratio.low, 6), round(ratio.high, 6)) == (10, 10)
    assert made.exponent("step", "outrider", "100", "400") == pytest.approx(1)


def test_table_says_why_a_figure_is_missing() -> None:
    """A crash, a measure that was left out and a peer that is not there are each named with their reason."""
    text = tables.step(results())
    assert "langchain at 10: ended by itself: Segmentation fault" in text
    assert "langchain at 100: left out, about 60 s of CPU" in text
    assert "llm: not installed: no wheel" in text
    row = next(line for line in text.splitlines() if line.startswith("| langchain"))
    assert row.count("–") >= 4


def test_page_fills_its_blocks_and_leaves_the_rest_alone(tmp_path: Path) -> None:
    """Prose stands; a measure that was not taken keeps what was there; drawing twice changes nothing."""
    (tmp_path / "docs").mkdir()
    file = tmp_path / "docs" / "benchmarks.md"
    file.write_text(
        "# T\n\n<!-- bench:step -->\nold\n<!-- /bench -->\nprose\n<!-- bench:ray -->\nolder\n<!-- /bench -->\n"
    )
    written = page.write(results(), tmp_path)
    text = file.read_text()
    assert file in written
    assert "| outrider |" in text
    assert "\nprose\n<!-- bench:ray -->\nolder\n<!-- /bench -->\n" in text
    assert "\nold\n" not in text
    page.write(results(), tmp_path)
    assert file.read_text() == text


def test_pictures_are_svg_that_a_parser_reads(tmp_path: Path) -> None:
    """Names come from packages; none of them is markup."""
    made = results()
    made.samples["step"]["<peer & co>"] = made.samples["step"]["outrider"]
    (file,) = page.pictures(made, tmp_path)
    text = "".join(ET.parse(file).getroot().itertext())
    assert "<peer & co>" in text


def test_taking_samples_goes_round_and_does_not_ask_what_failed_again(tmp_path: Path) -> None:
    """Rounds interleave; an error, a reason to leave out and a peer that is not there cost the others nothing."""
    asked: list[str] = []

    def job(name: str, cost: Mapping[str, object] | Exception) -> Cell:
        def once() -> Cost:
            asked.append(name)
            if isinstance(cost, Exception):
                raise cost
            return dict(cost)

        return Cell("m", name, "1", once, lambda: 1e9 if name == "long" else None)

    good = {"cpu_s": 1.0, "wall_s": 1.0}
    cells = [job("a", good), job("bad", {"error": "no"}), job("gone", Unavailable("no wheel")), job("long", good), job("b", good), job("broken", ValueError("x"))]  # fmt: skip
    made = Results()
    take(cells, made, QUICK)
    assert asked == ["a", "bad", "gone", "b", "broken", "a", "b", "a", "b"]
    assert made.unavailable == {"gone": "no wheel"}
    assert made.why_not("m", "bad", "1") == "no"
    assert made.why_not("m", "broken", "1") == "ValueError: x"
    assert "of CPU" in made.why_not("m", "long", "1")
