"""Runs code where it can do no harm: `open_sandbox`. The contract is in sandbox.py; docs/threats.md says what it keeps."""

from __future__ import annotations

from outrider.tools.sandbox.choose import IsolationReport, probe
from outrider.tools.sandbox.isolation import Limits
from outrider.tools.sandbox.proxy import Door
from outrider.tools.sandbox.sandbox import Done, Sandbox, SandboxUnavailable, Session, open_sandbox

__all__ = [
    "Done",
    "Door",
    "IsolationReport",
    "Limits",
    "Sandbox",
    "SandboxUnavailable",
    "Session",
    "open_sandbox",
    "probe",
]
