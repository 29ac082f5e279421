"""The secrets of a run: the values tools may name, and everything that is taken out of what is stored or shown of it.
May touch: reads the environment, the keyring and the file of secrets (settings/secret_store.py). Does not promise: to know a secret that is neither named, nor the model's key, nor called
one in the environment, nor shaped like a key.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from outrider.agent.models.model import Model
from outrider.agent.settings.run_settings import Settings
from outrider.agent.settings.secret_store import read_kept, value_of, values_of
from outrider.memory.redaction import Masker, from_environment
from outrider.memory.redaction.stream import Stream
from outrider.tools.net.named_secrets import bound_hosts


def named_secrets(settings: Settings) -> dict[str, str]:
    """The values of the secrets the person named for this run; one that is not set is left out."""
    return values_of(bound_hosts(settings.secrets))


def masker_of(settings: Settings, model: Model | None = None) -> Masker:
    """What takes the secrets out: named ones, the model's key, and what the environment calls a key, token or password."""
    masker = Masker(named_secrets(settings))
    masker.add(dict(getattr(model, "secrets", None) or {}))
    if key := value_of(settings.api_key_env or "OPENAI_API_KEY"):
        masker.add({settings.api_key_env or "OPENAI_API_KEY": key})
    masker.add(from_environment(os.environ))
    masker.add(read_kept().values)  # what was not named may still come by, in a file a tool reads
    return masker


class Hidden:
    """A listener of streamed text that is told it without secrets; a secret may come in two pieces."""

    def __init__(self, tell: Callable[[str], None], masker: Masker) -> None:
        self._tell, self._stream = tell, Stream(masker)

    def __call__(self, piece: str) -> None:
        """A piece came."""
        if ready := self._stream.piece(piece):
            self._tell(ready)

    def end(self) -> None:
        """The reply is over: tell what was held."""
        if rest := self._stream.rest():
            self._tell(rest)
