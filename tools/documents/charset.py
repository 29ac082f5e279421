"""Bytes to text, as browsers do it: byte-order mark, the server's word, <meta>, the XML prolog, UTF-8, and then a guess.
Touches nothing. Does not promise: the right guess for a few words; what was guessed, or could not be read, is said.
Start reading at `decode`.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

SAMPLE = 200_000  # bytes a guess is made from
MOST_OF_A_WORD = 4  # bytes beyond ASCII; fewer say nothing of an alphabet
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip
# What the WHATWG's names mean where Python's codec of the name knows fewer signs.
_WIDER = {
    "shift_jis": "cp932", "gbk": "gb18030", "euc-kr": "cp949", "big5": "big5hkscs", "iso-8859-8-i": "iso-8859-8",
    "macintosh": "mac-roman", "x-mac-cyrillic": "mac-cyrillic", "windows-874": "cp874",
}  # fmt: skip
# Letters beyond ASCII of languages that use a code page for Latin letters, lower case.
_LATIN = {
    "cp1252": ("éèêàâçîïôùûëœæ", "äöüß", "áéíóúñü", "ãõáâêçéíóôúà", "åäöé", "æøåé", "àèéìòù", "ëïéèö", "áéíóúýþæöð"),
    "cp1250": ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "ăâîşţ", "čćđšž"),
    "cp1254": ("çğıöşüâîû",),
    "cp1257": ("ąčęėįšųūž", "āčēģīķļņšūž", "äõöüšž"),
}  # fmt: skip
_LANGUAGES = {
    "cp1250": ("pl", "cs", "sk", "hu", "ro", "hr", "sl", "bs"), "cp1251": ("ru", "uk", "bg", "sr", "mk", "be"), "cp1253": ("el",),
    "cp1254": ("tr", "az"), "cp1255": ("he",), "cp1256": ("ar", "fa", "ur"), "cp1257": ("lt", "lv", "et"), "cp932": ("ja",),
    "gb18030": ("zh", "zh-cn"), "big5hkscs": ("zh-tw", "zh-hk"), "cp949": ("ko",), "cp874": ("th",), "cp1258": ("vi",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Text:
    """`text`, the encoding it was read with, and a note when that was a guess or characters were lost ("" otherwise)."""

    text: str
    encoding: str
    note: str = ""


def decode(data: bytes, *, named: str = "", markup: bool = True, whole: bool = True) -> Text:
    """The text of `data`. named: the charset of the Content-Type header. markup: look for <meta> and an XML prolog.

    whole: False when the data was cut, perhaps within a character, which is then no sign of another encoding.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _read(data[len(mark) :], encoding)
    said = python_name(named) or (_in_markup(data) if markup else "")
    if said:
        read = _read(data, said)
        return _not_what_it_says(data, markup) if said == "utf-8" and read.note and _all_lost(read.text) else read
    if sixteen := wide(data[:4096]):
        return _read(data, sixteen)
    try:
        return Text(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError as error:
        if (
            not whole and error.start > len(data) - 4 and error.reason == "unexpected end of data"
        ):  # it was cut in a character
            return Text(data[: error.start].decode("utf-8"), "utf-8")
    return guessed(data, markup=markup)


def _all_lost(text: str) -> bool:
    """Whether no character beyond ASCII could be read: then it is another encoding, not a damaged text."""
    return all(character <= "\x7f" or character == "\ufffd" for character in text)


def _not_what_it_says(data: bytes, markup: bool) -> Text:
    read = guessed(data, markup=markup)
    return Text(read.text, read.encoding, read.note.replace("its encoding is not given", "it says UTF-8 and is not"))


def guessed(data: bytes, *, markup: bool = False) -> Text:
    """The text of bytes that are not UTF-8 and do not say what they are."""
    encoding = guess(data[:SAMPLE], markup=markup)
    read = _read(data, encoding)
    note = f"its encoding is not given: read as {encoding}"
    return Text(read.text, encoding, "; ".join(filter(None, (note, read.note))))


def charset_of(content_type: str) -> str:
    """The charset of a Content-Type header, "" if it has none."""
    found = re.search(r"charset\s*=\s*[\"']?\s*([^\s\"';,]+)", content_type, re.IGNORECASE)
    return found[1] if found else ""


def python_name(label: str) -> str:
    """Python's codec for a label of the WHATWG's list; "" for one that is not on it."""
    import webencodings

    found = webencodings.lookup(label) if label and len(label) < 60 else None
    if found is None or found.name in ("x-user-defined", "replacement"):
        return ""
    return _WIDER.get(found.name, str(found.codec_info.name))


def _read(data: bytes, encoding: str) -> Text:
    before = data.count("\ufffd".encode(encoding, "ignore") or b"\0\0\0\0") if encoding.startswith("utf") else 0
    text = data.decode(encoding, "replace").removeprefix("\ufeff")
    lost = max(0, text.count("\ufffd") - before)
    return Text(text, encoding, f"{lost:,} character{'' if lost == 1 else 's'} could not be read" if lost else "")


def _in_markup(data: bytes) -> str:
    """What <meta charset>, <meta http-equiv> or an XML prolog says; UTF-16 there means UTF-8, for it could be read."""
    head = data[:4096]
    found = re.match(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})", head)
    if found is None:
        head = re.sub(rb"<!--.*?-->", b"", head, flags=re.DOTALL)
        found = re.search(rb"<meta\b[^>]{0,500}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", head, re.IGNORECASE)
    name = python_name(found[1].decode("ascii", "replace")) if found else ""
    return "utf-8" if name.startswith("utf-16") else name


def wide(sample: bytes) -> str:
    """UTF-16 without a mark: every second byte of plain text is zero."""
    even, odd, half = sample[0::2].count(0), sample[1::2].count(0), len(sample) // 2
    if half >= 4 and odd > half * 0.6 and not even:
        return "utf-16-le"
    return "utf-16-be" if half >= 4 and even > half * 0.6 and not odd else ""


# ---- the guess -------------------------------------------------------------------------------------------------------


def guess(sample: bytes, *, markup: bool = False) -> str:
    """The most likely encoding of bytes that are not UTF-8."""
    if markup and (encoding := _by_language(sample)):
        return encoding
    words = re.sub(rb"<(script|style)\b.*?</\1\s*>|<[^>]*>", b" ", sample, flags=re.DOTALL | re.IGNORECASE)
    words = words if markup and any(byte > 127 for byte in words) else sample
    high = sum(byte > 127 for byte in words)
    letters = sum(chr(byte).isalpha() for byte in words if byte < 128)
    if high >= MOST_OF_A_WORD and high > 0.4 * (high + letters):  # mostly letters beyond ASCII: not a Latin alphabet
        from charset_normalizer import from_bytes

        if (japanese := _kana(words, "euc-jp")) > 0.2 and japanese > _kana(words, "cp932"):
            return "euc-jp"
        best = from_bytes(words).best()
        narrow = best is not None and _share(str(best), "\uff61", "\uff9f") > 0.5  # nobody writes in half-width kana
        if best is None or narrow or best.encoding in ("cp1250", "cp1254", "cp1257", "cp852", "cp1006", "mac_latin2"):
            return next((one for one in ("cp1251", "koi8-r") if _small_cyrillic(words, one) > 0.7), _latin(words))
        if not best.encoding.startswith(("ascii", "utf_8", "cp1252", "latin")):
            return {"euc_jis_2004": "euc-jp", "euc_jisx0213": "euc-jp", "shift_jis": "cp932", "gbk": "gb18030"}.get(
                best.encoding, best.encoding
            )
    return _latin(words)


def _by_language(sample: bytes) -> str:
    """What a page in the language it names is most likely written in, if its bytes fit."""
    found = re.search(rb"<html\b[^>]{0,500}?\blang\s*=\s*[\"']?([A-Za-z-]{2,10})", sample[:4096], re.IGNORECASE)
    if found is None:
        return ""
    language = found[1].decode("ascii").lower()
    for encoding, languages in _LANGUAGES.items():
        if language in languages or language.partition("-")[0] in languages:
            tries = ("euc-jp", "cp932") if encoding == "cp932" else (encoding,)
            return next((one for one in tries if _fits(sample, one)), "")
    return ""


def _fits(sample: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(sample)
    except (UnicodeDecodeError, LookupError):
        return False
    return True


def _share(text: str, first: str, last: str) -> float:
    """The share of the characters beyond ASCII that lie between two."""
    beyond = [c for c in text if c > "\x7f"]
    return sum(first <= c <= last for c in beyond) / max(1, len(beyond))


def _kana(sample: bytes, encoding: str) -> float:
    return _share(sample.decode(encoding, "replace"), "\u3041", "\u30fe")


def _small_cyrillic(sample: bytes, encoding: str) -> float:
    return _share(sample.decode(encoding, "replace"), "а", "ї")


def _latin(sample: bytes) -> str:
    """The code page whose letters beyond ASCII are best explained by one language; windows-1252 where they all are."""
    best, most = "cp1252", -1.0
    for encoding, languages in _LATIN.items():
        letters = [
            c for c in sample.decode(encoding, "replace").lower() if c > "\x7f" and (c.isalpha() or c in "¹³¿\ufffd")
        ]
        fit = max(sum(c in language for c in letters) for language in languages) / max(1, len(letters))
        if fit > most + 0.02:
            best, most = encoding, fit
    return best
