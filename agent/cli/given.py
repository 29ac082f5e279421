"""What a new run is given: flags over the environment over the configuration, as settings, a budget and a model.
May touch: reads the environment and the configuration; looks for a model on this machine when none is named.
Does not promise: that a value works; the run tells.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outrider.agent.cli.added import with_added
from outrider.agent.cli.flags import RunFlags, ToolFlags, known_isolation
from outrider.memory.errors import UsageError

if TYPE_CHECKING:
    from outrider.agent.assemble import Listeners
    from outrider.agent.cli.progress import Progress
    from outrider.memory.store import Store

PASSED_ON = ("isolation", "policy", "tool_settings", "label")  # from the configuration to every run
OF_THE_MODEL = (
    "base_url",
    "api_key_env",
    "price_in",
    "price_out",
    "max_context",
    "adapter",
    "sees",
)  # only with the model named beside them


def read_config(profile: str | None = None) -> dict[str, Any]:
    """The configuration with the settings of a profile over it: the one named, else OUTRIDER_PROFILE, else none.

    Raises UsageError for a configuration that is wrong, or a profile that is not there.
    """
    from outrider.agent.settings.config import read_config as read
    from outrider.agent.settings.config import with_profile
    from outrider.agent.settings.policy_file import with_policy_file

    config = with_profile(read(), profile or os.environ.get("OUTRIDER_PROFILE", "").strip())
    policy = with_policy_file(config.get("policy") or {})
    return config | ({"policy": policy} if policy else {})


def from_config(config: dict[str, Any]) -> dict[str, Any]:
    """What the configuration says of every run, whatever its model is."""
    known_isolation(str(config.get("isolation") or ""))
    tools = {"tools": tuple(config["tools"])} if config.get("tools") else {}  # of a template
    passed = {key: config[key] for key in PASSED_ON if config.get(key)} | tools
    # Tables of their own, but settings of tools, which are kept with the run.
    own = {name: config[name] for name in ("databases", "hub") if config.get(name)}
    if own:
        passed["tool_settings"] = (config.get("tool_settings") or {}) | own
    return passed


def settings_of(flags: ToolFlags, config: dict[str, Any]) -> dict[str, Any]:
    """Settings of the configuration with those of the flags over them; MCP servers, added tools and skills too."""
    from outrider.agent.settings.skills import skill_folders

    given = from_config(config) | flags.settings(config.get("policy") or {})
    files = (*mcp_of(config), *given.get("tools_from", ()))
    if skills := (*given.get("skills", ()), *skill_folders(config, given.get("workspace", "."))):
        given["skills"] = skills
    return with_added(given | ({"tools_from": files} if files else {}))


def mcp_of(config: dict[str, Any]) -> tuple[str, ...]:
    """The configuration file as a tools file, if it names MCP servers."""
    from outrider.agent.settings.config import config_file

    return (str(config_file()),) if config.get("mcp") else ()


def budget_of(flags: RunFlags, config: dict[str, Any]) -> dict[str, Any] | None:
    """The limits of the flags over those of the configuration, which go over the defaults; without any, None."""
    from outrider.agent.budget import Budget

    limits: dict[str, Any] = (config.get("budget") or {}) | flags.limits()
    Budget().raised(**limits)  # what cannot be meant is said before anything is opened
    return limits or None


def from_template(name: str, words: list[str], config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """(the goal, the configuration with what the template says over it). Raises UsageError."""
    from outrider.agent.settings.config import laid_over
    from outrider.agent.settings.templates import read_template, sort_words

    template = read_template(name)
    given, rest = sort_words(words)
    if rest:
        places = " ".join(f"{one}=…" for one in template.variables) or "nothing"
        raise UsageError(
            f"{rest[0][:100]!r} is not NAME=VALUE",
            f"the template {name!r} takes {places}",
            f"outrider run -t {name} {places}",
        )
    own: dict[str, Any] = {"tools": list(template.tools)} if template.tools else {}
    own |= {"schema": template.schema} if template.schema else {}
    return template.fill(given), laid_over(config, template.settings) | own


def from_workspace(config: dict[str, Any], workspace: str, store: Store) -> dict[str, Any]:
    """What AGENTS.md of the workspace adds to a run: the system text with it, and what the header says of it."""
    from outrider.agent.settings.instructions import read_instructions
    from outrider.agent.settings.run_settings import SYSTEM
    from outrider.memory.store import digest_of

    if config.get("instructions") is False:
        return {}
    found = read_instructions(Path(workspace), lambda data: store.get_blob(digest_of(data)) is not None)
    return {"system": found.after(SYSTEM), "instructions": found.as_stored()} if found else {}


def asking(flags: RunFlags, listeners: Listeners, config: dict[str, Any] | None = None) -> Listeners:
    """Who may be asked, with how long to wait for one who is not at the terminal: the flag, else the configuration."""
    from outrider.agent.settings.keys import seconds_in

    within = flags.approve_within or str((read_config() if config is None else config).get("approve_within") or "0")
    listeners.approve_within_s = seconds_in(within, "--approve-within")
    return listeners


def options_of(config: dict[str, Any]) -> dict[str, Any]:
    """The options of the model that the configuration names."""
    from outrider.agent.models.options import NAMED

    return {name: config[name] for name in NAMED if config.get(name) is not None} | (config.get("options") or {})


def choose_model(
    flags: RunFlags, config: dict[str, Any], given: dict[str, Any], progress: Progress, *, profile: str | None = None
) -> tuple[str, dict[str, Any]]:
    """(the model's spec, settings with how it is reached): the flag, a profile named by a flag, the environment, the
    file, or the best one found."""
    if (named := named_model(flags, config, profile)) is None:
        return _found(flags, given, progress)
    spec, origin = named
    if origin not in ("file", "profile"):
        return spec, given
    of_the_file = {key: config[key] for key in OF_THE_MODEL if config.get(key) is not None}
    if options := options_of(config) | given.get("options", {}):
        of_the_file["options"] = given["options"] = options
    return spec, of_the_file | given


def named_model(flags: RunFlags, config: dict[str, Any], profile: str | None = None) -> tuple[str, str] | None:
    """(spec, where it is named: flag, profile, environment or file) of the model somebody named; None: nobody did."""
    from outrider.agent.models import split_spec
    from outrider.agent.settings.config import meant_model

    said = os.environ.get("OUTRIDER_MODEL", "").strip()
    of_the_file = str(config.get("model") or "") if not flags.base_url else ""
    for origin, words in (
        ("flag", flags.model or ""),
        ("profile", of_the_file if profile and _in_profile(profile, "model") else ""),
        ("environment", said),
        ("file", of_the_file),
    ):
        spec = meant_model(words, config)
        if not words or (origin == "environment" and flags.base_url and not spec.startswith("openai:")):
            continue
        try:
            split_spec(spec)  # what cannot be meant is said before anything is opened
        except UsageError as error:
            raise _or_an_alias(error, config) from None
        return spec, origin
    return None


def meant(model: str | None) -> str | None:
    """What `--model` stands for: the spec of an alias, else the words themselves; None stays None."""
    if model is None:
        return None
    from outrider.agent.settings.config import meant_model
    from outrider.agent.settings.config import read_config as read

    return meant_model(model, read())


def _in_profile(profile: str, key: str) -> bool:
    from outrider.agent.settings.config import read_config as read

    return key in (read().get("profile") or {}).get(profile, {})


def _or_an_alias(error: UsageError, config: dict[str, Any]) -> UsageError:
    names = ", ".join(sorted(config.get("alias") or {}))
    return UsageError(error.what, error.why, f"{error.fix}; aliases: {names}") if names else error


def _found(flags: RunFlags, given: dict[str, Any], progress: Progress) -> tuple[str, dict[str, Any]]:
    from outrider.agent.models.detect import choose
    from outrider.agent.settings.secret_store import value_of

    key = "" if flags.api_key_env == "-" else value_of(flags.api_key_env) if flags.api_key_env else None
    found = choose(flags.base_url, key)
    progress.show([_choice(found)])
    return found.spec, found.reached() | given


def _choice(found: Any) -> Any:
    from outrider.agent.cli.about_model import about
    from outrider.agent.review.lines import Line, one_line

    return Line(
        (("using ", "plain"), (one_line(found.spec, 100), "strong"), (f": {one_line(about(found), 300)}", "plain"))
    )
