"""Options of a model: checked where they come in, kept with the run, sent as they are; advice where nobody says otherwise."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from outrider.agent import Agent
from outrider.agent.models import open_model
from outrider.agent.models.advised import ADVICE, advice_for
from outrider.agent.models.openai.model import OpenAIModel
from outrider.agent.models.options import EFFORTS, OURS, checked, read_option
from outrider.agent.settings import keys
from outrider.memory.errors import UsageError
from outrider.memory.store import Store
from tests.cli.program import Program
from tests.servers.openai_server import OpenAIServer

DOCS = Path(__file__).parents[3] / "docs" / "models.md"
START, END = "<!-- written by tests/agent/models/test_options.py from agent/models/advised.py -->\n", "<!-- end -->"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", -0.1), ("temperature", 2.5), ("temperature", float("nan")), ("temperature", True),
        ("temperature", "hot"), ("top_p", 0), ("top_p", 1.1), ("seed", 1.5), ("seed", 1 << 64), ("max_output", 0),
        ("max_output", -5), ("reasoning_effort", "hard"), ("top k", 1), ("", 1), ("x", float("inf")), ("x", object()),
        *((name, 1) for name in OURS),
    ],
)  # fmt: skip
def test_option_of_the_wrong_kind_is_refused_by_name(name: str, value: Any) -> None:
    """Before anything is sent, with what would be right."""
    with pytest.raises(UsageError) as error:
        checked({name: value})
    assert error.value.fix


def test_option_is_json_where_it_is_json_and_text_elsewhere() -> None:
    """`--option name=value` reaches the body as what it means."""
    assert read_option("top_k=40") == ("top_k", 40)
    assert read_option('chat_template_kwargs={"enable_thinking": false}') == (
        "chat_template_kwargs",
        {"enable_thinking": False},
    )
    assert read_option("user=me=you") == ("user", "me=you")
    for words in ("top_k", "=4", ""):
        with pytest.raises(UsageError):
            read_option(words)


@pytest.mark.parametrize("tokens", [-5, 0, 10, 255])
async def test_window_no_question_fits_in_is_refused(tokens: int, tmp_path: Path) -> None:
    """`--max-context 10` is a slip, and said to be one before llama.cpp or a server sees it."""
    script = tmp_path / "s.json"
    script.write_text('[{"text": "x"}]')
    for spec in (f"scripted:{script}", "starter", "openai:x"):
        with pytest.raises(UsageError, match="window"):
            await open_model(spec, max_context=tokens)


async def test_options_are_sent_kept_with_the_run_and_taken_up_again(store: Store) -> None:
    """In the body of every request; `resume` sends them too, with what it is given on top."""
    with OpenAIServer([{"tool": "plan", "arguments": {"items": ["a"]}}, {"text": "done"}]) as server:
        agent = Agent("openai:some-model", base_url=server.base_url, api_key="k-of-a-test", memory=store, temperature=0.3,
                      max_output=77, options={"top_k": 5, "user": "me"})  # fmt: skip
        run = await agent.arun("go")
        bodies = [one.json for one in server.requests]
        assert [(b["temperature"], b["top_k"], b["user"]) for b in bodies] == [(0.3, 5, "me")] * len(bodies)
        assert max(b["max_tokens"] for b in bodies) == 77
        _, settings, _ = agent.as_driven(run.id)
        assert settings.options == {"temperature": 0.3, "max_output": 77, "top_k": 5, "user": "me"}
        await agent.afork(run.id, at=2, temperature=0.9)
        assert (server.requests[-1].json["temperature"], server.requests[-1].json["top_k"]) == (0.9, 5)
        await agent.aclose()


async def test_provider_that_has_no_use_for_an_option_says_so(tmp_path: Path) -> None:
    """Never ignored in silence."""
    script = tmp_path / "s.json"
    script.write_text('[{"text": "x"}]')
    for spec, options in (
        (f"scripted:{script}", {"temperature": 1}),
        ("starter", {"temperature": 1}),
        ("llama:smollm2", {"reasoning_effort": "low"}),
        ("llama:smollm2", {"frequency": 1}),
        ("llama:smollm2", {"top_k": "many"}),
    ):
        with pytest.raises(UsageError):
            await open_model(spec, options=options)
    with pytest.raises(UsageError, match="already made"):
        Agent(OpenAIModel("x", api_key="k-of-a-test"), temperature=0.1)


@pytest.mark.parametrize(
    ("name", "temperature"),
    [("qwen3:8b", 0.6), ("Qwen/Qwen3-30B-A3B-Instruct-2507", 0.7), ("qwen3-coder:30b", 0.7), ("openai/gpt-oss-20b", 1.0),
     ("deepseek-r1:7b", 0.6), ("DeepSeek-R1-Distill-Qwen-7B", 0.6), ("llama3.1", 0.6), ("Meta-Llama-3-8B-Instruct", 0.6),
     ("mistral-small3.2", 0.15), ("Qwen2.5-7B-Instruct", None), ("qwen-32b", None), ("gpt-5-mini", None), ("llama-2-7b", None)],
)  # fmt: skip
def test_open_weights_are_sampled_as_their_makers_advise(name: str, temperature: float | None) -> None:
    """The name may be Ollama's, the hub's or a file's; a model that is not in the table is left alone."""
    advice = advice_for(name)
    assert (advice.options["temperature"] if advice else None) == temperature


async def test_advice_gives_way_to_what_is_said_and_never_goes_to_openai() -> None:
    """One word of the person's about sampling is enough; OpenAI's own models keep their defaults."""
    here = {"base_url": "http://127.0.0.1:1/v1", "api_key": ""}
    assert OpenAIModel("qwen3:8b", **here)._habits.extra == {"temperature": 0.6, "top_p": 0.95}
    assert OpenAIModel("qwen3:8b", temperature=0, **here)._habits.extra == {"temperature": 0}
    assert OpenAIModel("qwen3:8b", body={"top_p": 1}, **here)._habits.extra == {"top_p": 1}
    assert OpenAIModel("gpt-oss-20b", api_key="k-of-a-test")._habits.extra == {}


def test_every_advice_names_its_source_and_the_page_says_the_same() -> None:
    """`OUTRIDER_WRITE_DOCS=1 pytest tests/agent/models/test_options.py` writes the table of docs/models.md."""
    rows = ["| models | sent | in-process too | source |", "|---|---|---|---|"]
    for one in ADVICE:
        checked(one.options)
        sent, more = (", ".join(f"{k} {v:g}" for k, v in each.items()) for each in (one.options, one.extra))
        name = one.pattern.pattern.replace("|", "\\|")
        rows.append(f"| `{name}` | {sent} | {more or '–'} | {one.source} |")
    table = "\n".join(rows) + "\n"
    written = DOCS.read_text("utf-8")
    if os.environ.get("OUTRIDER_WRITE_DOCS"):
        written = written.split(START)[0] + START + table + END + written.split(START)[1].split(END, 1)[1]
        DOCS.write_text(written, "utf-8")
    assert written.split(START)[1].split(END)[0] == table


def test_configuration_knows_the_same_efforts() -> None:
    """Two lists, one truth."""
    assert keys.EFFORTS == EFFORTS


def test_flags_and_configuration_reach_the_server(tmp_path: Path) -> None:
    """A flag wins over the file, the file's other options stay, and a slip is said before anything is sent."""
    program = Program(tmp_path)
    program.home.mkdir(exist_ok=True)
    with OpenAIServer([{"text": "done"}]) as server:
        (program.home / "config.toml").write_text(
            f'model = "openai:some-model"\nbase_url = "{server.base_url}"\napi_key_env = "-"\ntemperature = 0.5\ntop_p = 0.8\n'
            "[options]\ntop_k = 3\n"
        )
        done = program("run", "go", "--temperature", "0.1", "--option", "min_p=0.05", "--max-output", "99")
        assert done.code == 0, done.err
        body = server.requests[-1].json
        assert {key: body.get(key) for key in ("temperature", "top_p", "top_k", "min_p", "max_tokens")} == {
            "temperature": 0.1, "top_p": 0.8, "top_k": 3, "min_p": 0.05, "max_tokens": 99,
        }  # fmt: skip
        sent = len(server.requests)
        for wrong in (("--temperature", "9"), ("--max-context", "10"), ("--max-context", "-5"), ("--option", "stream=true"),
                      ("--option", "x"), ("--reasoning-effort", "much"), ("--max-output", "0")):  # fmt: skip
            done = program("run", "go", *wrong)
            assert done.code == 2, wrong
            assert "fix:" in done.err
        assert len(server.requests) == sent
    assert program("runs", "--json").json
