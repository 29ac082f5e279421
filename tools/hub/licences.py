"""What a licence lets one do, in one line: commercial use, attribution, share-alike. A table, not advice.
Touches nothing. Does not promise: legal advice, or that a model's card names the right licence. Read the text at `source`.

Ids are those of the hub's own list (huggingface.co/docs/hub/repositories-licenses); for most it is the SPDX id in small
letters, and the SPDX page is the source. What is not in the table is "unknown", never guessed from its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Answer = Literal["yes", "no", "conditions", "unknown"]
SPDX = "https://spdx.org/licenses/{}.html"
_CC = "https://creativecommons.org/licenses/{}/"


@dataclass(frozen=True, slots=True)
class Licence:
    """What a licence asks. commercial: "conditions" where it depends (users, fields of use); `note` says on what."""

    id: str
    commercial: Answer
    attribution: Answer
    share_alike: Answer
    source: str = ""
    note: str = ""

    def line(self) -> str:
        """All of it in one line."""
        said = {"yes": "yes", "no": "no", "conditions": "with conditions", "unknown": "unknown"}
        note = f" ({self.note})" if self.note else ""
        where = f"; {self.source}" if self.source else ""
        return (
            f"{self.id}: commercial use {said[self.commercial]}, attribution {said[self.attribution]},"
            f" share-alike {said[self.share_alike]}{note}{where}"
        )


def _spdx(names: str, share_alike: Answer = "no", attribution: Answer = "yes", note: str = "") -> dict[str, Licence]:
    """Licences that allow commercial use, by SPDX id."""
    return {
        name.lower(): Licence(name.lower(), "yes", attribution, share_alike, SPDX.format(name), note)
        for name in names.split()
    }


def _creative_commons() -> dict[str, Licence]:
    found = {}
    for kind, versions in (("by", "2.0 2.5 3.0 4.0"), ("by-sa", "3.0 4.0"), ("by-nc", "2.0 3.0 4.0"), ("by-nd", "4.0"),
                           ("by-nc-nd", "3.0 4.0"), ("by-nc-sa", "2.0 3.0 4.0")):  # fmt: skip
        for version in versions.split():
            name = f"cc-{kind}-{version}"
            note = "no derivatives: an adapted model may not be shared" if kind.endswith("nd") else ""
            commercial: Answer = "no" if "nc" in kind else "yes"
            sharing: Answer = "yes" if kind.endswith("sa") else "no"
            found[name] = Licence(name, commercial, "yes", sharing, _CC.format(f"{kind}/{version}"), note)
    return found


def _with_conditions() -> dict[str, Licence]:
    use = "use restrictions go along"
    rows = {
        "openrail": (use, "https://huggingface.co/blog/open_rail"),
        "openrail++": (use, "https://huggingface.co/stabilityai/stable-diffusion-xl-base-1.0/blob/main/LICENSE.md"),
        "bigscience-openrail-m": (use, "https://bigscience.huggingface.co/blog/bigscience-openrail-m"),
        "creativeml-openrail-m": (use, "https://huggingface.co/spaces/CompVis/stable-diffusion-license"),
        "bigscience-bloom-rail-1.0": (use, "https://huggingface.co/spaces/bigscience/license"),
        "bigcode-openrail-m": (use, "https://huggingface.co/spaces/bigcode/bigcode-model-license-agreement"),
        "llama2": ("not over 700 million monthly users; use policy", "https://ai.meta.com/llama/license/"),
        "llama3": ("not over 700 million monthly users; use policy", "https://llama.meta.com/llama3/license/"),
        "llama3.1": ("not over 700 million monthly users; use policy", "https://llama.meta.com/llama3_1/license/"),
        "llama3.2": ("not over 700 million monthly users; use policy", "https://www.llama.com/llama3_2/license/"),
        "llama3.3": ("not over 700 million monthly users; use policy", "https://www.llama.com/llama3_3/license/"),
        "llama4": ("not over 700 million monthly users; use policy", "https://www.llama.com/llama4/license/"),
        "gemma": ("prohibited uses go along", "https://ai.google.dev/gemma/terms"),
    }
    return {name: Licence(name, "conditions", "yes", "no", source, note) for name, (note, source) in rows.items()}


LICENCES: dict[str, Licence] = (
    _spdx("Apache-2.0 MIT AFL-3.0 Artistic-2.0 BSD-2-Clause BSD-3-Clause BSD-3-Clause-Clear ECL-2.0 ISC NCSA PostgreSQL")
    | _spdx("BSL-1.0", attribution="no", note="asked for in source code alone")
    | _spdx("Zlib OFL-1.1 etalab-2.0 CDLA-Permissive-1.0 CDLA-Permissive-2.0 C-UDA-1.0 ODC-By-1.0")
    | _spdx("CC0-1.0 WTFPL Unlicense PDDL-1.0", attribution="no")
    | _spdx("GPL-2.0-only GPL-3.0-only AGPL-3.0-only OSL-3.0 ODbL-1.0 CDLA-Sharing-1.0 EUPL-1.1", "yes")
    | _spdx("LGPL-2.1-only LGPL-3.0-only MPL-2.0 EPL-1.0 EPL-2.0 MS-PL LGPLLR LPPL-1.3c GFDL-1.3-only", "conditions",
            note="share-alike for the part itself")
    | _creative_commons()
    | _with_conditions()
    | {"deepfloyd-if-license": Licence("deepfloyd-if-license", "no", "yes", "no",
                                       "https://huggingface.co/spaces/DeepFloyd/deepfloyd-if-license", "research only")}
)  # fmt: skip
# The hub's words for what SPDX names otherwise. "bsd", "gpl", "cc" name families: what holds for all of one is said.
SAME = {
    "bsd": "bsd-3-clause", "gpl": "gpl-3.0-only", "gpl-2.0": "gpl-2.0-only", "gpl-3.0": "gpl-3.0-only",
    "agpl-3.0": "agpl-3.0-only", "lgpl": "lgpl-3.0-only", "lgpl-2.1": "lgpl-2.1-only", "lgpl-3.0": "lgpl-3.0-only",
    "c-uda": "c-uda-1.0", "odc-by": "odc-by-1.0", "odbl": "odbl-1.0", "pddl": "pddl-1.0", "lgpl-lr": "lgpllr",
    "gfdl": "gfdl-1.3-only",
}  # fmt: skip
SPELT = {"apache": "apache-2.0", "apache2": "apache-2.0", "apache-2": "apache-2.0", "cc0": "cc0-1.0"}


def licence_of(name: str) -> Licence:
    """What is known of a licence by the id the hub gives it; "unknown" in every part for one that is not in the table."""
    known = LICENCES.get(SAME.get(name, name))
    if known is None:
        note = "its terms must be read" if name not in ("", "unknown") else "the card names none"
        return Licence(name or "unknown", "unknown", "unknown", "unknown", "", note)
    return Licence(name, known.commercial, known.attribution, known.share_alike, known.source, known.note)


def wanted_licence(text: str) -> str:
    """The hub's id of a licence as a person or a model may spell it: "Apache 2.0" → "apache-2.0"."""
    name = "-".join(text.strip().lower().replace("_", " ").split())
    for ending in ("-licence", "-license"):
        name = name.removesuffix(ending)
    return SPELT.get(name, name)
