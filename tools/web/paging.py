"""Pages of an answer: which address comes next (Link header, or a link or cursor in the JSON), and one value of them all.
Touches nothing. Does not promise: every service's habit; what it does not know is one page, and that is said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

# Where services put the address of the next page, and where a cursor, with the parameter that takes it.
_LINKS = (
    "next", "next_page", "next_url", "nextLink", "@odata.nextLink", "next_page_url", "links.next", "links.next.href", "_links.next",
    "_links.next.href", "paging.next", "pagination.next", "pagination.next_url", "meta.next", "info.next",
)  # fmt: skip
_CURSORS = {
    "nextPageToken": "pageToken", "next_page_token": "page_token", "next_cursor": "cursor", "nextCursor": "cursor",
    "response_metadata.next_cursor": "cursor", "meta.next_cursor": "cursor", "pagination.next_cursor": "cursor",
    "paging.next_cursor": "cursor", "meta.next_token": "pagination_token", "next_token": "next_token", "nextToken": "nextToken",
    "NextToken": "NextToken", "continuation": "continuation", "meta.pagination.next_cursor": "cursor",
}  # fmt: skip
_ROWS = ("items", "data", "results", "value", "values", "entries", "records", "rows")


def next_address(url: str, headers: Mapping[str, str], value: Any) -> tuple[str, str]:
    """(address, how it was found) of the page after this one; ("", "") when the answer names none."""
    for link in re.findall(r"<([^>]*)>([^<]*)", headers.get("link", "")):
        if re.search(r"rel\s*=\s*\"?(?:[^\";]*\s)?next\b", link[1], re.IGNORECASE):
            return urljoin(url, link[0]), "the Link header"
    for path in _LINKS:
        found = _at(value, path)
        if isinstance(found, str) and re.match(r"https?://|[/?]", found):
            return urljoin(url, found), path
    for path, parameter in _CURSORS.items():
        found = _at(value, path)
        if isinstance(found, str | int) and not isinstance(found, bool) and str(found):
            return _with(url, parameter, str(found)), path
    return "", ""


def _at(value: Any, path: str) -> Any:
    if isinstance(value, dict) and path in value:
        return value[path]
    for key in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _with(url: str, parameter: str, value: str) -> str:
    parts = urlsplit(url)
    query = [(name, old) for name, old in parse_qsl(parts.query, keep_blank_values=True) if name != parameter]
    return urlunsplit(parts._replace(query=urlencode([*query, (parameter, value)]), fragment=""))


def same_place(one: str, other: str) -> bool:
    """Whether two addresses are of one server: headers and secrets may go along."""
    first, second = urlsplit(one), urlsplit(other)
    return (first.scheme, first.netloc.lower()) == (second.scheme, second.netloc.lower())


def joined(pages: list[Any]) -> Any:
    """One value of several pages: their lists one after the other; else a list of the pages."""
    if all(isinstance(page, list) for page in pages):
        return [item for page in pages for item in page]
    if all(isinstance(page, dict) for page in pages):
        lists = [key for key, value in pages[0].items() if isinstance(value, list)]
        key = lists[0] if len(lists) == 1 else next((key for key in _ROWS if key in lists), None)
        if key and all(isinstance(page.get(key), list) for page in pages):
            return pages[-1] | {key: [item for page in pages for item in page[key]]}
    return pages
