"""Which values are secret although nobody named them: what the environment calls a key, a token or a password.
May touch: reads the environment it is given. Does not promise: to know a secret whose name does not say so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_NAME = re.compile(
    r"(?:^|_)(?:API_?KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|PASS|CREDENTIALS?|PAT|APIKEY|AUTH|DSN)S?(?:_|$)",
    re.IGNORECASE,
)
_PUBLIC = re.compile(r"(?:/|\./|~/|https?://[^@]*$)|(?:true|false|none|null|yes|no|on|off)$", re.IGNORECASE)


def looks_secret(name: str, value: str) -> bool:
    """Whether an environment variable of this name and value holds a secret: not a path, an address or a switch."""
    return bool(_NAME.search(name)) and len(value.strip()) >= 8 and not _PUBLIC.match(value.strip())


def from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that hold secrets, by name."""
    return {name: value for name, value in environment.items() if looks_secret(name, value)}
