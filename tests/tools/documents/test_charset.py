"""Bytes to text: what a page says of itself is believed as browsers do, and a guess is said to be one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.tools.documents.charset import charset_of, decode

TEXTS = {
    "cp1251": "Компания объявила о выпуске новой версии программы. Пользователи смогут скачать её с сайта.",
    "koi8-r": "Компания объявила о выпуске новой версии программы. Пользователи смогут скачать её с сайта.",
    "cp932": "東京都の天気は晴れです。明日は雨が降るでしょう。新しい電車が走ります。",
    "euc-jp": "東京都の天気は晴れです。明日は雨が降るでしょう。新しい電車が走ります。",
    "gb18030": "北京今天天气很好，我们去公园散步。经济发展很快，人民生活水平提高。",
    "cp949": "서울의 오늘 날씨는 맑습니다. 우리는 공원에서 산책을 했습니다. 새로운 기차가 달립니다.",
    "cp1253": "Η Αθήνα είναι η πρωτεύουσα της Ελλάδας. Ο καιρός σήμερα είναι καλός.",
    "cp1250": "Zażółć gęślą jaźń. Wczoraj kupiłem świeży chleb i mleko w sklepie.",
    "cp1254": "İstanbul'da bugün hava çok güzel. Yarın yağmur yağacak. Şimdi çay içiyoruz.",
    "cp1252": "L'été dernier, nous avons visité le château – “près” de la forêt, à 20 €.",
}


@pytest.mark.parametrize("encoding", TEXTS)
@pytest.mark.parametrize(
    "shape", ["{}", "<html><head><title>{}</title></head><body><p class='a b'>{}</p></body></html>"]
)
def test_a_text_that_does_not_say_its_encoding_is_guessed_and_said_so(encoding: str, shape: str) -> None:
    """Not a page of replacement characters."""
    text = shape.replace("{}", TEXTS[encoding])
    read = decode(text.encode(encoding), markup="<" in shape)
    assert read.text == text
    assert "its encoding is not given: read as" in read.note


@pytest.mark.parametrize(
    ("data", "named", "text"),
    [
        ("größe".encode("utf-16"), "", "größe"),
        ("größe".encode("utf-8-sig"), "iso-8859-1", "größe"),
        ("<p>plain words without a mark</p>".encode("utf-16-le"), "", "<p>plain words without a mark</p>"),
        ('<meta charset="utf-16"><p>größe'.encode(), "", '<meta charset="utf-16"><p>größe'),
        ("<meta charset=windows-1251>Привет".encode("cp1251"), "unknown-8bit", "<meta charset=windows-1251>Привет"),
        ("“20 €” – ‚ja‘ š".encode("cp1252"), "iso-8859-1", "“20 €” – ‚ja‘ š"),
        ("①②㈱髙".encode("cp932"), "shift_jis", "①②㈱髙"),
        ("你好，㐀".encode("gb18030"), "gb2312", "你好，㐀"),
        ("똠방각하".encode("cp949"), "euc-kr", "똠방각하"),
        ('<?xml version="1.0" encoding="windows-1251"?><a>Привет</a>'.encode("cp1251"), "", None),
        ('<meta http-equiv="Content-Type" content="text/html; charset=koi8-r">Да'.encode("koi8-r"), "", None),
        ("<!-- <meta charset=koi8-r> --><meta charset=cp1251>Да".encode("cp1251"), "", None),
        (b"plain", "utf8", "plain"),
    ],
)  # fmt: skip
def test_a_text_is_read_as_browsers_read_it(data: bytes, named: str, text: str | None) -> None:
    """The mark, the header by the web's own labels, <meta>, the XML prolog, UTF-8."""
    read = decode(data, named=named)
    assert read.note == ""
    assert (read.text == text) if text is not None else ("Привет" in read.text or "Да" in read.text)


def test_a_character_that_was_cut_is_no_sign_of_another_encoding() -> None:
    """A page that is too large ends anywhere."""
    cut = decode("größe in Köln".encode()[:-2][:3], whole=False)
    assert (cut.text, cut.encoding) == ("gr", "utf-8")
    assert decode(b"caf\xe9").text == "café"


def test_what_could_not_be_read_is_counted() -> None:
    """A header that is wrong does not pass in silence."""
    assert decode("größe ".encode() + b"caf\xe9 and t\xe9", named="utf-8").note == "2 characters could not be read"


def test_a_text_that_says_utf8_and_is_not_is_read_all_the_same() -> None:
    """Every odd byte of it is another encoding's."""
    read = decode(b"caf\xe9 and t\xe9", named="utf-8")
    assert (read.text, read.note) == ("café and té", "it says UTF-8 and is not: read as cp1252")
    assert decode(b'{"a": "\xe9"}', markup=False).text == '{"a": "é"}'


@given(st.binary(max_size=300), st.sampled_from(["", "utf-8", "latin-1", "utf-16", "nonsense", "x-user-defined"]))
def test_any_bytes_give_text(data: bytes, named: str) -> None:
    """No crash, whatever a server says."""
    assert isinstance(decode(data, named=named).text, str)


def test_the_charset_is_found_however_the_header_is_written() -> None:
    """Quotes, spaces, capitals."""
    for header in ('text/html; charset="koi8-r"', "text/html;CHARSET=koi8-r", "text/html; charset = koi8-r ;x=y"):
        assert charset_of(header) == "koi8-r"
