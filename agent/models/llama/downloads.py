"""Pulled models: GGUF files fetched from the model hub into the data folder, by `owner/name` or `owner/name:pattern`.

What it is: `pull` downloads one file (with the hub client's own progress bar; it resumes), `find_pulled` looks without
the network. What it may touch: the hub, and `models/` in the data folder. Does not promise: that a file fits in memory.
"""

from __future__ import annotations

import fnmatch
import re
import socket
from collections.abc import Sequence
from pathlib import Path

from outrider.memory.errors import ModelUnavailable, UsageError

# Smaller than 4 bits loses too much, larger than 8 gains little: the order most people would choose in.
REACHED_S = 5.0  # for the hub to answer a connection
PREFERRED = ("Q4_K_M", "Q4_K_S", "Q5_K_M", "Q4_0", "IQ4_XS", "Q5_0", "Q6_K", "Q8_0", "Q3_K_M", "F16", "BF16")


def pull(name: str, folder: Path | None = None, *, token: str | None = None) -> Path:
    """Download the GGUF `name` means and return where it lies. Raises UsageError, ModelUnavailable."""
    from huggingface_hub import HfApi, hf_hub_download

    owner, pattern = split(name)
    _refuse_offline(name)
    try:
        files = HfApi().list_repo_files(owner, token=token)
        file = best(files, pattern, name)
        path = hf_hub_download(owner, file, local_dir=_folder(folder) / owner.replace("/", "--"), token=token)
    except (UsageError, ModelUnavailable):
        raise
    except Exception as error:  # the client has a family of errors for each way a network can fail
        why = str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
        raise ModelUnavailable(
            f"{name} could not be pulled",
            why,
            "check the name and the network, then pull again: it goes on where it was",
        ) from error
    return Path(path)


def _refuse_offline(name: str) -> None:
    """Say at once that the hub cannot be reached; its client would try for half a minute. A proxy is left to the client."""
    from concurrent.futures import ThreadPoolExecutor
    from urllib.parse import urlsplit
    from urllib.request import getproxies

    from huggingface_hub.constants import ENDPOINT

    at = urlsplit(ENDPOINT)
    if getproxies().get(at.scheme) or not at.hostname:
        return
    where = (at.hostname, at.port or (443 if at.scheme == "https" else 80))
    pool = ThreadPoolExecutor(1)
    try:
        pool.submit(socket.create_connection, where, REACHED_S).result(REACHED_S).close()
    except (OSError, TimeoutError) as error:
        why = f"{at.hostname} cannot be reached ({getattr(error, 'strerror', None) or 'no answer in time'})"
        raise ModelUnavailable(f"{name} could not be pulled", why, "check the network, or set HF_ENDPOINT") from None
    finally:
        pool.shutdown(wait=False)


def find_pulled(name: str, folder: Path | None = None) -> Path | None:
    """The pulled file `name` means, or None. Raises UsageError if `name` names no model at all."""
    owner, pattern = split(name)
    place = _folder(folder) / owner.replace("/", "--")
    files = [str(file.relative_to(place)) for file in place.rglob("*.gguf")] if place.is_dir() else []
    try:
        return place / best(files, pattern, name) if files else None
    except ModelUnavailable:
        return None


def split(name: str) -> tuple[str, str]:
    """("owner/name", "pattern") of `owner/name[:pattern]`. Raises UsageError."""
    owner, _, pattern = name.partition(":")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", owner) or ".." in owner:
        raise UsageError(
            f"llama:{name[:100]} names no model",
            "it is neither a .gguf file that exists nor owner/name on the hub",
            "write llama:/path/to/file.gguf or llama:owner/name, with :pattern to choose a file",
        )
    return owner, pattern


def best(files: Sequence[str], pattern: str, name: str) -> str:
    """The file to take: the pattern's, else the first size of PREFERRED there is. Raises ModelUnavailable."""
    found = sorted(file for file in files if file.lower().endswith(".gguf") and "mmproj" not in file.lower())
    if pattern:
        found = [
            file for file in found if fnmatch.fnmatch(file.lower(), pattern.lower()) or pattern.lower() in file.lower()
        ]
    parts = [file for file in found if re.search(r"-\d{5}-of-\d{5}\.gguf$", file)]
    found = [file for file in found if file not in parts]
    if not found:
        why = (
            "its files are split in parts, which is not supported"
            if parts
            else "it has no .gguf file of that name"
            if pattern
            else "it has no .gguf file"
        )
        raise ModelUnavailable(
            f"{name} cannot be pulled", why, "choose another repository (many are named …-GGUF) or another pattern"
        )
    for size in PREFERRED:
        for file in found:
            if size.lower() in re.split(r"[-./]", file.lower()):
                return file
    return found[0]


def _folder(folder: Path | None) -> Path:
    if folder is not None:
        return folder
    from outrider.agent.settings.config import data_folder

    return data_folder() / "models"
