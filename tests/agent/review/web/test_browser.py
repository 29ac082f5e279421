"""The viewer in a real Chromium: every view, dark and light, desktop and phone; no error, no foreign request, accessible."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from outrider.memory import schema
from outrider.memory.events import Answered, ChildEnded, ChildStarted, RunStarted, Stopped
from outrider.memory.journal import Journal
from outrider.memory.store import Store
from tests.agent.review.runs import HOSTILE, asking, call, finished, long_run
from tests.agent.review.web.viewer import TOKEN, Viewer, viewing

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(300)]
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-quic",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--force-prefers-reduced-motion",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium, driven by its own chromedriver: nothing is downloaded."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed (extra `dev`)")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("chromium and chromedriver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with webdriver.Chrome(options=options, service=webdriver.ChromeService(driver)) as opened:
        opened.set_page_load_timeout(30)
        yield opened


@pytest.fixture
def viewer(store: Store) -> Iterator[Viewer]:
    """A viewer of the store."""
    with viewing(store) as one:
        yield one


def go(browser: Any, viewer: Viewer, path: str = "/", *, size: str = "desktop", dark: bool = False) -> None:
    """Open a page at a size, in a colour scheme, with the token."""
    browser.set_window_size(*SIZES[size])
    scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
    browser.get(f"{viewer.address}/?token={TOKEN}")
    browser.get_log("browser"), browser.get_log("performance")
    browser.get(f"{viewer.address}{path}")
    time.sleep(0.5)


def complaints(browser: Any, viewer: Viewer) -> list[str]:
    """Console messages of any level, and requests to anywhere but the viewer."""
    found = [entry["message"] for entry in browser.get_log("browser")]
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            url = message["params"]["request"]["url"]
            if not url.startswith(f"{viewer.address}/"):
                found.append(f"request to {url}")
    return found


def axe(browser: Any) -> list[str]:
    """What axe finds against WCAG 2 A and AA, serious or critical."""
    files = importlib.metadata.files("axe-playwright-python") or []
    script = next(f for f in files if f.name == "axe.min.js").read_text()
    browser.execute_cdp_cmd("Runtime.evaluate", {"expression": script})  # the page's own policy forbids it, rightly
    run = "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa']}).then(r => JSON.stringify(r.violations))"
    value = browser.execute_cdp_cmd(
        "Runtime.evaluate", {"expression": run, "awaitPromise": True, "returnByValue": True}
    )
    found = json.loads(value["result"]["value"])
    return [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in found if v["impact"] in ("serious", "critical")]


def family(store: Store) -> tuple[str, str]:
    """A run with a child, hostile text and files; and another to compare with."""
    child = finished(store, goal="the child's goal")
    parent = Journal.create(
        store, RunStarted(goal="ask a child" + HOSTILE, model="m", budget={"tokens": 500, "steps": 9})
    )
    parent.append(*call(1, "delegate", {"goal": "the child's goal"}, "41.5"))
    parent.append(ChildStarted(call_id="1.0", child=child.run_id), ChildEnded(call_id="1.0", child=child.run_id))
    parent.append(*call(2, "look" + HOSTILE, {"x": HOSTILE}, HOSTILE, ok=False, origin="untrusted"))
    parent.append(Answered(text=HOSTILE), Stopped(reason="answered"))
    parent.release()
    return parent.run_id, child.run_id


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_every_view_is_accessible_quiet_and_fits(
    store: Store, viewer: Viewer, browser: Any, size: str, dark: bool, tmp_path: Path
) -> None:
    """axe finds nothing serious, the console is empty, nothing leaves the page, hostile text runs nothing, no sideways scroll."""
    parent, child = family(store)
    pictures = Path(os.environ.get("OUTRIDER_PICTURES", tmp_path))
    paths = {
        "runs": "/", "run": f"/runs/{child}", "hostile": f"/runs/{parent}", "context": f"/runs/{parent}/context/2",
        "search": "/search?q=closed", "diff": f"/diff?a={parent}&b={child}",
    }  # fmt: skip
    for name, path in paths.items():
        go(browser, viewer, path, size=size, dark=dark)
        browser.save_screenshot(str(pictures / f"{name}-{size}-{'dark' if dark else 'light'}.png"))
        assert complaints(browser, viewer) == [], name
        assert axe(browser) == [], name
        assert browser.execute_script("return typeof window.evil") == "undefined"
        wide = browser.execute_script(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wide <= 0, f"{name} is {wide} pixels too wide"


def test_a_long_run_scrolls_to_its_end_without_a_gap(store: Store, viewer: Viewer, browser: Any) -> None:
    """10,000 events: the first screen soon, every step seen on the way down, memory flat."""
    journal = long_run(store, 2500)
    began = time.monotonic()
    go(browser, viewer)
    began = time.monotonic()
    browser.get(f"{viewer.address}/runs/{journal.run_id}")
    first_s = time.monotonic() - began
    assert browser.execute_script("return document.querySelectorAll('article.step').length") == 50
    seen: set[int] = set()
    look = "return [...document.querySelectorAll('article.step')].map(s => Number(s.dataset.first))"
    height = browser.execute_script("return document.documentElement.scrollHeight")
    at, last = 0, -1
    while at < height + 2000:
        browser.execute_script(f"scrollTo(0, {at})")
        for _ in range(40):
            time.sleep(0.02)
            if browser.execute_script(
                "return [...document.querySelectorAll('.chunk')].every(c => {const b = c.getBoundingClientRect(); return b.bottom < 0 || b.top > innerHeight || c.children.length})"
            ):
                break
        seen |= set(browser.execute_script(look))
        height = browser.execute_script("return document.documentElement.scrollHeight")
        now = browser.execute_script("return scrollY")
        if now == last and at > height:
            break
        last, at = now, at + 700
    assert {1 + 1 + 4 * n for n in range(2500)} <= seen
    heap = browser.execute_cdp_cmd("Runtime.getHeapUsage", {})
    assert heap["usedSize"] < 200e6
    assert first_s < 10
    print(f"first screen {first_s:.2f} s, heap {heap['usedSize'] / 1e6:.0f} MB")  # noqa: T201


def test_a_live_run_grows_on_the_page(store: Store, viewer: Viewer, browser: Any) -> None:
    """A new step is there soon after its commit, without a reload; at the end the page says how it ended."""
    journal = Journal.create(store, RunStarted(goal="live", model="m"))
    journal.append(*call(1, "look", {"n": 1}, "seen 1"))
    go(browser, viewer, f"/runs/{journal.run_id}")
    journal.append(*call(2, "look", {"n": 2}, "seen 2"))
    began = time.monotonic()
    while "seen 2" not in browser.page_source and time.monotonic() - began < 20:
        time.sleep(0.05)
    waited_s = time.monotonic() - began
    assert waited_s < 5
    journal.append(Answered(text="done"), Stopped(reason="answered"))
    journal.release()
    while (
        "answered" not in browser.find_element("css selector", "header.run .state").text
        and time.monotonic() - began < 30
    ):
        time.sleep(0.1)
    assert browser.find_element("css selector", "header.run .state").text == "answered"
    assert complaints(browser, viewer) == []
    print(f"on the page after {waited_s * 1000:.0f} ms")  # noqa: T201


def test_a_deep_link_and_the_keyboard_reach_a_step(store: Store, viewer: Viewer, browser: Any) -> None:
    """An address names an event far down; j and / work without a mouse."""
    journal = long_run(store, 400)
    go(browser, viewer, f"/runs/{journal.run_id}#e1205")
    time.sleep(1.5)
    place = browser.execute_script(
        "const b = document.getElementById('e1205').getBoundingClientRect(); return [b.top, innerHeight]"
    )
    assert 0 <= place[0] <= place[1]
    browser.execute_script("document.dispatchEvent(new KeyboardEvent('keydown', {key: '/', bubbles: true}))")
    body = browser.find_element("css selector", "body")
    body.send_keys("/")
    assert browser.execute_script("return document.activeElement.name") == "q"


def test_the_exported_page_opens_offline_without_a_request(store: Store, browser: Any, tmp_path: Path) -> None:
    """A file, no server: no error, no request, accessible."""
    from tests.agent.review.test_export import written

    file = tmp_path / "run.html"
    file.write_text(written(finished(store, hostile=HOSTILE), "html"), encoding="utf-8")
    browser.get_log("browser"), browser.get_log("performance")
    browser.get(file.as_uri())
    time.sleep(0.3)
    asked = [json.loads(e["message"])["message"] for e in browser.get_log("performance")]
    urls = {m["params"]["request"]["url"] for m in asked if m["method"] == "Network.requestWillBeSent"}
    assert urls == {file.as_uri()}
    assert browser.get_log("browser") == []
    assert axe(browser) == []


def test_the_buttons_of_a_page_do_what_they_say(store: Store, viewer: Viewer, browser: Any) -> None:
    """Refuse, Resume and Fork, pressed in a browser: it decides what Origin a form carries, not a test."""
    waiting, ended = asking(store), finished(store)
    go(browser, viewer, f"/runs/{waiting.run_id}")
    press(browser, "Refuse")
    with store.read() as db:
        words = db.execute(select(schema.requests.c.action, schema.requests.c.via)).all()
    assert [tuple(word) for word in words] == [("deny", "page")]
    assert browser.current_url.startswith(f"{viewer.address}/runs/{waiting.run_id}")
    for word in ("Resume", "Fork"):
        go(browser, viewer, f"/runs/{ended.run_id}")
        press(browser, word)
    assert [words[:2] for words in viewer.started] == [["resume", ended.run_id], ["fork", ended.run_id]]
    waiting.release()


def press(browser: Any, word: str) -> None:
    """Press the button that says this, and wait for what comes."""
    browser.execute_script(
        "[...document.querySelectorAll('form button')].find(b => b.textContent.trim() === arguments[0]).click()", word
    )
    time.sleep(1.5)
