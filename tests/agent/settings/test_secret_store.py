"""Secrets that are kept: from the environment, a keyring or a file that is the owner's alone; never shown."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend

from outrider.agent.settings import secret_store
from outrider.agent.settings.secret_store import keep, read_kept, secrets_file, value_of, where
from outrider.memory.errors import UsageError
from outrider.memory.store import Store
from tests.agent.helpers import Actor, call, calls, run, says
from tests.servers.web import WebServer, answer

VALUE = "kept/Value+0123456789=x"


class Desktop(KeyringBackend):
    """A keyring as a desktop has one, in memory. locked: it refuses."""

    priority = 5.0  # type: ignore[assignment]

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise RuntimeError("the keyring is locked")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.locked:
            raise RuntimeError("the keyring is locked")
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OUTRIDER_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("OUTRIDER_SECRETS", raising=False)
    use_keyring(monkeypatch, None)
    return tmp_path / "home"


def use_keyring(monkeypatch: pytest.MonkeyPatch, backend: Any) -> None:
    from keyring.backends import fail

    monkeypatch.setattr(keyring, "get_keyring", lambda: backend or fail.Keyring())
    if backend is not None:
        for name in ("get_password", "set_password", "delete_password"):
            monkeypatch.setattr(keyring, name, getattr(backend, name))


@pytest.fixture
def desktop(monkeypatch: pytest.MonkeyPatch) -> Desktop:
    made = Desktop()
    use_keyring(monkeypatch, made)
    return made


def test_without_a_keyring_a_secret_is_kept_in_a_file_of_its_owner_alone() -> None:
    """Mode 0600 from its first byte, whatever the umask; other lines stay."""
    old = os.umask(0)
    try:
        assert keep("A_TOKEN", VALUE) == "file"
        assert keep("B_TOKEN", 'quotes " and \\ and é') == "file"
    finally:
        os.umask(old)
    assert stat.S_IMODE(secrets_file().stat().st_mode) == 0o600
    assert (value_of("A_TOKEN"), value_of("B_TOKEN"), where("A_TOKEN")) == (VALUE, 'quotes " and \\ and é', "file")
    assert secret_store.forget("A_TOKEN")
    assert not secret_store.forget("A_TOKEN")
    assert (value_of("A_TOKEN"), value_of("B_TOKEN")) == (None, 'quotes " and \\ and é')


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o601, 0o620])
def test_a_file_others_may_read_or_change_is_refused(mode: int) -> None:
    """With the command that puts it right, and without a value in the message."""
    keep("A_TOKEN", VALUE)
    secrets_file().chmod(mode)
    for ask in (lambda: value_of("A_TOKEN"), read_kept, lambda: keep("B", VALUE)):
        with pytest.raises(UsageError, match=rf"mode is {mode:04o}[\s\S]*chmod 600") as caught:
            ask()
        assert VALUE not in str(caught.value)


def test_what_is_no_file_of_secrets_is_refused(home: Path) -> None:
    """A folder, a pipe, no TOML, a number: said, not crashed, and nothing hangs."""
    home.mkdir()
    file = secrets_file()
    for text in ("not toml", "A = 1", "in_keyring = 3", "[table]\nA = 'x'"):
        file.write_text(text)
        file.chmod(0o600)
        with pytest.raises(UsageError, match="are not used"):
            read_kept()
    file.unlink()
    os.mkfifo(file, 0o600)
    with pytest.raises(UsageError, match="not a file"):
        read_kept()


def test_with_a_keyring_the_value_is_there_and_only_its_name_in_the_file(desktop: Desktop) -> None:
    """The file never holds the value; removing it removes it from both."""
    assert keep("A_TOKEN", VALUE) == "keyring"
    assert VALUE not in secrets_file().read_text()
    assert (value_of("A_TOKEN"), where("A_TOKEN")) == (VALUE, "keyring")
    assert secret_store.forget("A_TOKEN")
    assert (desktop.kept, value_of("A_TOKEN")) == ({}, None)


def test_a_locked_keyring_is_said_and_new_secrets_go_to_the_file(desktop: Desktop) -> None:
    """Never an empty value in place of a secret."""
    keep("A_TOKEN", VALUE)
    desktop.locked = True
    with pytest.raises(UsageError, match="keyring says: the keyring is locked"):
        value_of("A_TOKEN")
    assert keep("B_TOKEN", VALUE) == "file"


def test_a_keyring_that_is_gone_is_said(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a session without a desktop."""
    keep("A_TOKEN", VALUE)
    use_keyring(monkeypatch, None)
    with pytest.raises(UsageError, match="there is none now"):
        value_of("A_TOKEN")
    monkeypatch.setenv("A_TOKEN", "from the environment")
    assert (value_of("A_TOKEN"), where("A_TOKEN")) == ("from the environment", "environment")


@pytest.mark.parametrize("kept_in", ["file", "keyring"])
def test_a_kept_secret_goes_to_its_host_and_is_found_nowhere(
    kept_in: str, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Filled in at the gateway for the bound host alone; masked where the server repeats it."""
    if kept_in == "keyring":
        use_keyring(monkeypatch, Desktop())
    assert keep("A_TOKEN", VALUE) == kept_in
    (tmp_path / "work").mkdir()
    with WebServer({"/": answer(f"you said {VALUE}".encode())}) as server, WebServer({"/": answer(b"evil")}) as evil:
        asked = [
            json.dumps({"url": one.url("/"), "headers": {"X-Key": "{{secret:A_TOKEN}}"}}) for one in (server, evil)
        ]
        model = Actor(
            calls(call("http_request", asked[0])), calls(call("http_request", asked[1])), says(f"it is {VALUE}")
        )
        done = run(
            store, model, ["http_request"], workspace=tmp_path / "work", secrets=(f"A_TOKEN@{server.host}",),
            allowed_hosts=(server.host, evil.host), policy={"network": "allow"},
        )  # fmt: skip
        assert server.requests[0].headers["x-key"] == VALUE
        assert evil.requests == []
    assert "{{secret:A_TOKEN}}" in str(done.answer)
    store.close()
    assert VALUE.encode() not in b"".join(file.read_bytes() for file in tmp_path.glob("runs.db*"))


def test_a_secret_of_the_file_that_no_run_named_is_masked_too(store: Store, tmp_path: Path) -> None:
    """A tool may come by it all the same."""
    keep("OTHER", VALUE)
    done = run(store, Actor(says(f"it is {VALUE}")), workspace=tmp_path)
    assert str(done.answer) == "it is {{secret:OTHER}}"


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "A\n", "a" * 101, "in_keyring = 3 #"])
def test_a_name_that_cannot_be_one_is_refused(name: str) -> None:
    """Before anything is written."""
    with pytest.raises(UsageError, match="cannot be the name"):
        keep(name, VALUE)
