"""What `outrider help TOPIC` says: a page a topic, for a person without the documentation at hand.
Touches nothing. Does not promise: everything; docs/ does.
"""

from __future__ import annotations

TOPICS: dict[str, tuple[str, str]] = {
    "start": (
        "the first minutes",
        """\
outrider run "What is 48317 * 271 - 999?"        works with nothing else on the machine
outrider run "summarise" report.txt              files are context
outrider chat                                    one conversation, many goals
outrider show last                               what it did, step by step
outrider doctor                                  what works here, and what installs the rest

For real work name a model: export OPENAI_API_KEY=…, or start Ollama, or `outrider help models`.""",
    ),
    "models": (
        "how to choose one",
        """\
outrider run "…" --model openai:gpt-5-mini --usd 0.25                        needs OPENAI_API_KEY
outrider run "…" --model openai:qwen3 --base-url http://127.0.0.1:11434/v1   any OpenAI-compatible server
outrider run "…" --model llama:OWNER/NAME                                    pulled with `outrider models pull`
outrider run "…" --model langchain:anthropic:claude-sonnet-4-5               anything LangChain reaches
outrider models                                                              what was found here, and why
outrider config set model openai:gpt-5-mini                                  from now on
outrider config set alias.fast openai:gpt-5-mini                             then: --model fast""",
    ),
    "budget": (
        "limits, and what happens at one",
        """\
--usd --tokens --steps --seconds --calls are hard: the most a request can cost is reserved before it is sent.
--soft 80%                       at that share of a limit the model is told to wrap up
outrider resume RUN --usd +0.50  goes on with more
outrider run "…" --estimate      what it is likely to cost, without starting it
outrider config set limits.usd_per_day 5         all runs together; also per_month, by label, by model""",
    ),
    "exit-codes": (
        "what a script can rely on",
        """\
0 answered     1 a bug          2 usage: a flag, a file, a setting, the database
3 partial: a budget was reached, or something is left out      4 interrupted (`resume` goes on)
5 failed: no model, or it could not do it                      6 not found
7 refused, by the model or by a person     8 stuck     9 the answer is not the data that was asked for
130 Ctrl-C outside a run""",
    ),
    "safety": (
        "what it may do",
        """\
Reading, sandboxed code and writing in the workspace are allowed; what sends or spends asks first and shows the exact arguments;
with nobody there, asking means no. --yes network allows an effect for one run. --workspace DIR says where it works.
outrider undo last               puts back the files it changed
outrider doctor                  which sandbox this machine can have""",
    ),
    "config": (
        "settings, profiles, templates",
        """\
outrider config                                  every setting, its value, and where that is from
outrider config set budget.usd 0.50
outrider config set profile.cheap.model fast     then: --profile cheap
outrider run -t review file=main.py              templates/review.md beside the configuration file
Flags come before the environment, that before the file. Nothing is read from the workspace but AGENTS.md, as text.""",
    ),
    "eval": (
        "scoring models",
        """\
outrider eval goals.jsonl --models a,b --repeat 3
One JSON object a line: {"goal": "What is 2 + 2?", "number": 4}; checks are expect, equals, regex, number with tolerance, file,
python (with --checks FILE), schema and state. Killed, it goes on where it was. --junit FILE, --svg FILE, --json.""",
    ),
}
