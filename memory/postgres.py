"""What PostgreSQL refuses, in words with a command to type: no such database, wrong password, rights, encodings.
Touches nothing but the connection it is handed. Does not promise: to know messages a server gives in another language;
those are shown as they are.
"""

from __future__ import annotations

import getpass
import re
import shlex
from typing import Any

from sqlalchemy import URL

from outrider.memory.errors import StoreError

ENCODING = "UTF8"
_NO_DATABASE = re.compile(r'database "(.+?)" does not exist')
_NO_ROLE = re.compile(r'role "(.+?)" does not exist')
_NO_RIGHT = re.compile(r"permission denied for (schema|table|sequence|database|relation) (\S+)")
_BAD_OPTION = re.compile(
    r'(invalid (?:connection option|URI query parameter)|invalid \w+ value|unrecognized configuration parameter):? "([^"]*)"'
)
_REFUSED = ("password authentication failed", "no password supplied", "no pg_hba.conf entry", "authentication failed")


def explain(url: URL, said: str) -> StoreError | None:
    """What a server or its driver said, as an error that says what to do; None: nothing that is known here."""
    said = said.strip()
    if found := _NO_DATABASE.search(said):
        return _error(
            url, f"there is no database {found[1]!r} on that server", f"make it: {create_command(url, found[1])}"
        )
    if found := _NO_ROLE.search(said):
        return _error(url, f"the server has no role {found[1]!r}", "name one in the URL: postgresql://ROLE@HOST/NAME")
    if any(sign in said for sign in _REFUSED):
        fix = "check the role and password in the URL (or PGPASSWORD, ~/.pgpass), and the server's pg_hba.conf"
        return _error(url, _first_line(said), fix)
    if found := _BAD_OPTION.search(said):
        return _error(url, _first_line(said), f"take {found[2]!r} out of the URL, or spell it as libpq does")
    if found := _NO_RIGHT.search(said):
        return _no_right(url, found[1], found[2].strip('"'))
    if "remaining connection slots" in said or "too many connections" in said or "too many clients" in said:
        return _error(url, "the server takes no more connections", "wait, or raise max_connections")
    return None


def check_encoding(url: URL, connection: Any) -> None:
    """Raises StoreError for a database that cannot hold every text. connection: the driver's own."""
    encoding = str(connection.info.parameter_status("server_encoding"))
    if encoding.replace("-", "").upper() != ENCODING:
        raise _error(
            url,
            f"its encoding is {encoding}, and memory needs {ENCODING}: other encodings lose or refuse text",
            f"make another and name it with --memory: {create_command(url, (url.database or 'outrider') + '_utf8')}",
        )


def create_command(url: URL, name: str) -> str:
    """The command that makes a database on the URL's server which can hold every text, whatever the server's default is."""
    host = url.host or url.query.get("host")
    where = [("-h", host if isinstance(host, str) else None), ("-p", url.port), ("-U", url.username)]
    words = [word for flag, value in where if value for word in (flag, str(value))]
    return shlex.join(["createdb", *words, "-E", ENCODING, "-T", "template0", "--locale=C", name])


def _no_right(url: URL, kind: str, name: str) -> StoreError:
    role = _quoted(url.username or getpass.getuser())
    if kind == "database":
        grant = f"GRANT CONNECT ON DATABASE {_quoted(name)} TO {role}"
    elif kind == "schema":
        grant = f"GRANT USAGE, CREATE ON SCHEMA {_quoted(name)} TO {role}"
    else:
        grant = f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"
    doing = "may not make tables in" if kind == "schema" else "may not use"
    return _error(url, f"the role {role} {doing} the {kind} {name}", f"let its owner run: {grant};")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _first_line(said: str) -> str:
    """What went wrong, without the driver's preamble about the address it tried."""
    line = said.splitlines()[0] if said else ""
    return line.rpartition("FATAL:")[2].strip() or line


def _error(url: URL, why: str, fix: str) -> StoreError:
    shown = url.render_as_string(hide_password=True)
    return StoreError(f"the memory database {shown} cannot be used", why, fix)
