"""Where a card of the viewer points to: one place for the page and for what is sent live.
Touches the blobs, to see whether one is a picture. Does not promise: that a run pointed to was not deleted.
"""

from __future__ import annotations

from urllib.parse import quote

from outrider.agent.review.page.render import media_type
from outrider.agent.review.page.whole import Links, differ
from outrider.memory.store import Store


def links(store: Store, run_id: str) -> Links:
    """The addresses of one run's pieces."""
    here = f"/runs/{quote(run_id)}"

    def picture(digest: str) -> str:
        data = store.get_blob(digest)
        return f"{here}/blob/{digest}" if data and media_type(data) else ""

    return Links(
        picture=picture,
        whole=lambda digest: f"{here}/blob/{digest}",
        child=lambda child: f"/runs/{quote(child, safe='')}",
        context=lambda step: f"{here}/context/{step}",
        event=lambda seq: f"#e{seq}",
        diff=differ(store),
        fork=lambda seq: f"{here}?at={seq}#fork",
    )
