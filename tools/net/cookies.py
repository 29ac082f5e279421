"""Cookies for the life of one fetch: a redirect may need the cookie that came with it. Nothing is kept afterwards.
Touches nothing. Does not promise: the list of public suffixes; a cookie for a whole domain needs a dot in it.
"""

from __future__ import annotations

import email.message
import http.cookiejar
import urllib.request
from collections.abc import Iterable


class Jar:
    """What servers set during one fetch, sent back by the rules of domain, path and Secure."""

    def __init__(self) -> None:
        self._jar = http.cookiejar.CookieJar(
            http.cookiejar.DefaultCookiePolicy(
                strict_domain=True, strict_ns_domain=http.cookiejar.DefaultCookiePolicy.DomainStrict
            )
        )

    def take(self, url: str, cookies: Iterable[str]) -> None:
        """Keep the Set-Cookie headers of an answer from `url`."""
        said = email.message.Message()
        for cookie in cookies:
            said["Set-Cookie"] = cookie
        self._jar.extract_cookies(_Answer(said), _request(url))  # type: ignore[arg-type]

    def header(self, url: str) -> str:
        """The Cookie header of a request to `url`, "" for none."""
        request = _request(url)
        self._jar.add_cookie_header(request)
        return request.get_header("Cookie") or ""


class _Answer:
    def __init__(self, said: email.message.Message) -> None:
        self._said = said

    def info(self) -> email.message.Message:
        """The headers, as the standard library asks for them."""
        return self._said


def _request(url: str) -> urllib.request.Request:
    return urllib.request.Request(url)  # noqa: S310  # only its fields are used; nothing is opened
