"""Text of an HTML page: what a reader sees of it, as Markdown or plain; where it sends the reader on.
May touch: nothing. Runs in the child of document_process.py, for a page may keep a parser busy.
Does not promise: to see what scripts or style sheets from elsewhere hide, nor white text on white.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

Row = dict[str, str | int]

_SILENT = frozenset({"script", "style", "template", "noscript", "svg"})
_BREAKS = frozenset({
    "p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "section", "article", "pre", "table", "blockquote",
})  # fmt: skip
_WHOLE_PAGE = frozenset({"html", "body", "head"})
_HIDES = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|font-size\s*:\s*0(?:px|em|rem|pt|%)?\s*(?:[;!]|$)"
    r"|opacity\s*:\s*0(?:\.0+|%)?\s*(?:[;!]|$)|clip(?:-path)?\s*:\s*(?:inset\(\s*(?:50|100)%|rect\(\s*0(?:px)?[ ,]+0(?:px)?[ ,]+0)"
    r"|text-indent\s*:\s*-\d{3,}|(?:left|top|right|margin-left|margin-top)\s*:\s*-\d{4,}px",
    re.IGNORECASE,
)
MAX_STYLE = 500_000  # characters of style sheets that are looked at


def main_text(html: str, url: str) -> Iterator[Row]:
    """The main text as Markdown with absolute links."""
    import trafilatura

    yield from about(html, url)
    seen, note = visible(html)
    text = trafilatura.extract(
        seen, url=url, output_format="markdown", include_links=True, include_tables=True, favor_recall=True
    )
    yield {"text": text or plain(seen)}
    if note:
        yield {"note": note}


def plain_text(html: str, url: str) -> Iterator[Row]:
    """All text a reader sees, by a simpler parser."""
    yield from about(html, url)
    seen, note = visible(html)
    yield {"text": plain(seen)}
    if note:
        yield {"note": note}


def about(html: str, url: str = "") -> Iterator[Row]:
    """The title, and the address a page that is only a way-station sends on to."""
    head = html[:200_000]
    if found := re.search(r"<title[^>]{0,200}>([^<]{1,500})", head, re.IGNORECASE):
        yield {"title": " ".join(unescape(found[1]).split())}
    for tag in re.findall(r"<meta\b[^>]{0,2000}>", head, re.IGNORECASE):
        if re.search(r"http-equiv\s*=\s*[\"']?refresh", tag, re.IGNORECASE) and (
            target := re.search(
                r"content\s*=\s*[\"']?\s*[\d.]*\s*[;,]\s*url\s*=\s*[\"']?([^\"'>\s]+)", tag, re.IGNORECASE
            )
        ):
            yield {"refresh": urljoin(url, unescape(target[1]))[:1000]}
            return


# ---- what a reader sees ----------------------------------------------------------------------------------------------


def visible(html: str) -> tuple[str, str]:
    """(the page without what is hidden from its reader, a note on that): the usual carrier of injected instructions.

    A page that hides all of itself until its scripts run is given whole, and the note says so.
    """
    if not re.search(r"\bhidden\b|<style|style\s*=|<dialog", html, re.IGNORECASE):
        return html, ""
    import lxml.html

    try:
        root = lxml.html.document_fromstring(html)
    except (ValueError, TypeError, SyntaxError, AssertionError):  # lxml's own errors are SyntaxErrors
        return html, ""
    hidden = _hidden_elements(root)
    if not hidden:
        return html, ""
    for element in hidden:
        element.drop_tree()
    seen = lxml.html.tostring(root, encoding="unicode")
    if not plain(seen).strip():
        return html, "its text is hidden until its scripts run"
    return seen, f"left out: {len(hidden)} part{'' if len(hidden) == 1 else 's'} that readers do not see"


def _hidden_elements(root: Any) -> list[Any]:
    """Outermost elements with text that is not shown."""
    selectors = _hiding_selectors(root)
    found: list[Any] = []
    inside: set[Any] = set()
    for element in root.iter():
        if not isinstance(element.tag, str) or element.tag in _WHOLE_PAGE or element.tag in _SILENT:
            continue
        if element.getparent() in inside:
            inside.add(element)
        elif _is_hidden(element, selectors):
            inside.add(element)
            if "".join(element.itertext()).strip():
                found.append(element)
    return found


def _is_hidden(element: Any, selectors: frozenset[str]) -> bool:
    if element.get("hidden") is not None and element.get("hidden").lower() != "until-found":
        return True
    if element.tag == "dialog" and element.get("open") is None:
        return True
    if _HIDES.search(element.get("style") or ""):
        return True
    names = [f".{name}" for name in (element.get("class") or "").split()]
    names += [f"#{element.get('id')}"] if element.get("id") else []
    return any(name in selectors or f"{element.tag}{name}" in selectors for name in names)


def _hiding_selectors(root: Any) -> frozenset[str]:
    """Plain selectors (.class, #id, tag.class) that the page's own style sheets hide; a later rule may show again."""
    text = "\n".join("".join(style.itertext()) for style in root.iter("style"))[:MAX_STYLE]
    text = _without_at_rules(re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL))
    hiding: set[str] = set()
    for selectors, body in re.findall(r"([^{}]{1,2000})\{([^{}]{0,5000})\}", text):
        names = {one.strip() for one in selectors.split(",")}
        names = {one for one in names if re.fullmatch(r"[A-Za-z0-9]*[.#][\w-]+", one)}
        if _HIDES.search(body):
            hiding |= names
        elif re.search(r"display\s*:|visibility\s*:\s*visible", body, re.IGNORECASE):
            hiding -= names
    return frozenset(hiding)


def _without_at_rules(css: str) -> str:
    """The rules outside @media and the like, which hold for some readers only."""
    out, at = [], 0
    for found in re.finditer(r"@[\w-]+[^{};]*([{;])", css):
        if found.start() < at:
            continue
        out.append(css[at : found.start()])
        at = found.end()
        depth = 1 if found[1] == "{" else 0
        while depth and at < len(css):
            depth += (css[at] == "{") - (css[at] == "}")
            at += 1
    return "".join([*out, css[at:]])


# ---- plain text ------------------------------------------------------------------------------------------------------


class _Text(HTMLParser):
    """All text outside scripts and styles, a line a block."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in _SILENT
        if tag in _BREAKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in _SILENT))

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)


def plain(html: str) -> str:
    """The text of a page, a line a block."""
    parser = _Text()
    parser.feed(html)
    lines = (" ".join(line.split()) for line in "".join(parser.parts).split("\n"))
    return "\n".join(line for line in lines if line)
