"""Who uses this program, for what is recorded of a person's word. May touch: the password database, the environment.
Does not promise: that the name is true; it is what the machine says.
"""

from __future__ import annotations

import getpass


def user() -> str:
    """The name of the account, "somebody" where there is none."""
    try:
        return getpass.getuser()[:60]
    except (OSError, KeyError, ImportError):  # an id without an account, in a container
        return "somebody"
