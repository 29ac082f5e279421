"""Shapes of replies, streams, arguments, errors, windows and bills as servers and models in the wild send them.
Each is written by us after a provider's documentation or a public report, and stands for a kind. Touches nothing.

A Shape is what a loopback server says first (then "done"), and what is right: which tools ran with what, the answer, the
exit code, how many requests came, what was booked.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

KEY = "sk-test-0123456789abcdefghij"
Said = dict[str, Any]


@dataclass(frozen=True)
class Shape:
    """`says`: replies of tests/servers/openai_server.py in order; the last one, "done", is added. ran: `tool` or `tool:json`
    of each call that must run, in order. exit: 0, or what it must be. requests: exactly so many (0: any). tokens: booked.
    words: must stand in what a person is told or in a later request."""

    kind: str
    name: str
    says: tuple[Said, ...]
    ran: tuple[str, ...] = ()
    answer: str | None = "done"
    exit: int = 0
    requests: int = 0
    tokens: int | None = None
    words: str = ""
    stream: bool | None = None


A = 'ping:{"note": "a"}'
B = 'ping:{"note": "b"}'
GIVEN = '{"name": "ping", "arguments": {"note": "a"}}'


def _text(name: str, text: str, *ran: str, **more: Any) -> Shape:
    return Shape("text call", name, ({"text": text},), ran or (A,), **more)


TEXT_CALLS = (
    _text("end of sequence behind", f"<tool_call>{GIVEN}</tool_call></s>"),
    _text("capital tag", f"<TOOL_CALL>\n{GIVEN}\n</TOOL_CALL>"),
    _text("function and parameters", '<tool_call>{"function": "ping", "parameters": {"note": "a"}}</tool_call>'),
    _text("one brace too many", f"<tool_call>\n{GIVEN}}}\n</tool_call>"),
    _text("template token behind", f"<tool_call>\n{GIVEN}\n<|im_end|>"),
    _text("list in the tag", f"<tool_call>[{GIVEN}]</tool_call>"),
    _text(
        "Qwen-coder in tags",
        "<tool_call>\n<function=ping>\n<parameter=note>\na\n</parameter>\n</function>\n</tool_call>",
    ),
    _text(
        "Qwen-coder keeps line ends",
        "<tool_call>\n<function=save>\n<parameter=text>\nif x:\n    y()\n</parameter>\n</function>\n</tool_call>",
        'save:{"text": "if x:\\n    y()"}',
    ),
    _text(
        "Qwen-coder number and truth",
        "<function=count>\n<parameter=n>\n3\n</parameter>\n<parameter=on>\nTrue\n</parameter>\n</function>",
        'count:{"n": 3, "on": true}',
    ),
    _text(
        "Qwen-coder text that looks like JSON",
        '<function=save>\n<parameter=text>\n{"a": 1}\n</parameter>\n</function>',
        'save:{"text": "{\\"a\\": 1}"}',
    ),
    _text("Llama 3.1 tag", '<function=ping>{"note": "a"}</function>'),
    _text("Llama 3.1 tag, bracket forgotten", '<function=ping{"note": "a"}</function>'),
    _text("Llama 3.1 tag, bracket behind", '<function=ping{"note": "a"}></function>'),
    _text(
        "Llama 3.1 python_tag",
        '<|python_tag|>{"type": "function", "name": "ping", "parameters": {"note": "a"}}<|eom_id|>',
    ),
    _text("Llama 3.2 list of Python calls", '[ping(note="a"), ping(note="b")]', A, B),
    _text(
        "Llama 3 two by semicolon",
        '{"name": "ping", "parameters": {"note": "a"}}; {"name": "ping", "parameters": {"note": "b"}}',
        A,
        B,
    ),
    _text("Llama 4 python_start", "<|python_start|>[ping(note='a')]<|python_end|>"),
    _text("Mistral list with ids", '[TOOL_CALLS] [{"name": "ping", "arguments": {"note": "a"}, "id": "abc123def"}]'),
    _text("Mistral v11", '[TOOL_CALLS]ping[ARGS]{"note": "a"}[TOOL_CALLS]ping[ARGS]{"note": "b"}', A, B),
    _text("Mistral v11 with call id", '[TOOL_CALLS]ping[CALL_ID]abc123def[ARGS]{"note": "a"}'),
    _text(
        "DeepSeek V3",
        '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>ping\n```json\n{"note": "a"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
    ),
    _text(
        "DeepSeek V3.1",
        '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>ping<｜tool▁sep｜>{"note": "a"}<｜tool▁call▁end｜><｜tool▁calls▁end｜><｜end▁of▁sentence｜>',
    ),
    _text(
        "DeepSeek V3.2",
        '<｜DSML｜function_calls>\n<｜DSML｜invoke name="count">\n<｜DSML｜parameter name="n" string="false">3</｜DSML｜parameter>\n</｜DSML｜invoke>\n'
        "</｜DSML｜function_calls>",
        'count:{"n": 3}',
    ),
    _text(
        "DeepSeek V3.2 text",
        '<｜DSML｜function_calls>\n<｜DSML｜invoke name="save">\n<｜DSML｜parameter name="text" string="true">3</｜DSML｜parameter>\n</｜DSML｜invoke>\n'
        "</｜DSML｜function_calls>",
        'save:{"text": "3"}',
    ),
    _text(
        "GLM pairs",
        "<tool_call>count\n<arg_key>n</arg_key>\n<arg_value>3</arg_value>\n<arg_key>on</arg_key>\n<arg_value>true</arg_value>\n</tool_call>",
        'count:{"n": 3, "on": true}',
    ),
    _text("GLM name on the tag's line", "<tool_call>ping<arg_key>note</arg_key><arg_value>a</arg_value></tool_call>"),
    _text(
        "Kimi two",
        '<|tool_calls_section_begin|><|tool_call_begin|>functions.ping:0<|tool_call_argument_begin|>{"note": "a"}<|tool_call_end|>'
        '<|tool_call_begin|>functions.ping:1<|tool_call_argument_begin|>{"note": "b"}<|tool_call_end|><|tool_calls_section_end|>',
        A,
        B,
    ),
    _text(
        "harmony",
        '<|channel|>analysis<|message|>I ping.<|end|><|start|>assistant<|channel|>commentary to=functions.ping <|constrain|>json<|message|>{"note": "a"}<|call|>',
    ),
    _text(
        "harmony recipient in the role",
        '<|start|>assistant to=functions.ping<|channel|>commentary<|message|>{"note": "a"}<|call|>',
    ),
    _text(
        "harmony preamble",
        '<|channel|>commentary<|message|>I will ping.<|end|><|start|>assistant<|channel|>commentary to=functions.ping<|message|>{"note": "a"}<|call|>',
    ),
    _text("harmony call in analysis", '<|channel|>analysis to=functions.ping code<|message|>{"note": "a"}<|call|>'),
    _text(
        "MiniMax",
        '<minimax:tool_call>\n<invoke name="ping">\n<parameter name="note">a</parameter>\n</invoke>\n</minimax:tool_call>',
    ),
    _text(
        "MiniMax two",
        '<minimax:tool_call>\n<invoke name="ping">\n<parameter name="note">a</parameter>\n</invoke>\n<invoke name="count">\n'
        '<parameter name="n">3</parameter>\n</invoke>\n</minimax:tool_call>',
        A,
        'count:{"n": 3}',
    ),
    _text(
        "Claude as text",
        '<function_calls>\n<invoke name="ping">\n<parameter name="note">a</parameter>\n</invoke>\n</function_calls>',
    ),
    _text("Granite", f"<|tool_call|>[{GIVEN}]"),
    _text("Phi-4-mini", f"<|tool_call|>[{GIVEN}]<|/tool_call|>"),
    _text("Phi functools", f"functools[{GIVEN}]"),
    _text(
        "Command R",
        'I will ping.<|START_ACTION|>[{"tool_call_id": "0", "tool_name": "ping", "parameters": {"note": "a"}}]<|END_ACTION|>',
    ),
    _text("LFM2", '<|tool_call_start|>[ping(note="a")]<|tool_call_end|>'),
    _text("Gemma tool_code", '```tool_code\nping(note="a")\n```'),
    _text("FunctionGemma", "<start_function_call>call:ping{note:<escape>a<escape>}<end_function_call>"),
    _text("Gemma 4", '<|tool_call>call:ping{note:<|"|>a<|"|>}<tool_call|>'),
    _text("Gemma 4 number and truth", "<|tool_call>call:count{n:3,on:true}<tool_call|>", 'count:{"n": 3, "on": true}'),
    _text("Nemotron", f"<TOOLCALL>[{GIVEN}]</TOOLCALL>"),
    _text("xLAM bare list", f"[{GIVEN}]"),
    _text("Hunyuan", f"<tool_calls>\n[{GIVEN}]\n</tool_calls>"),
    _text("InternLM", '<|action_start|><|plugin|>\n{"name": "ping", "parameters": {"note": "a"}}<|action_end|>\n'),
    _text("Seed", "<seed:tool_call><function=ping><parameter=note>a</parameter></function></seed:tool_call>"),
    _text(
        "Step-3",
        '<｜tool_calls_begin｜><｜tool_call_begin｜>function<｜tool_sep｜><steptml:invoke name="ping"><steptml:parameter name="note">a</steptml:parameter>'
        "</steptml:invoke><｜tool_call_end｜><｜tool_calls_end｜>",
    ),
    _text("OLMo 3", '<function_calls>\nping(note="a")\n</function_calls>'),
    _text("Apertus", '<|tools_prefix|>[{"ping": {"note": "a"}}]<|tools_suffix|>'),
    _text(
        "API form in the text",
        '{"tool_calls": [{"id": "x", "type": "function", "function": {"name": "ping", "arguments": "{\\"note\\": \\"a\\"}"}}]}',
    ),
    _text("ReAct", 'Thought: I ping.\nAction: ping\nAction Input: {"note": "a"}'),
    _text("ReAct object", 'Action:\n```json\n{"action": "ping", "action_input": {"note": "a"}}\n```'),
    _text("fence after prose", f"I call the tool now.\n\n```json\n{GIVEN}\n```"),
    _text("fence that names a call", f"```tool_call\n{GIVEN}\n```"),
    _text("tag in a fence", f"```xml\n<tool_call>{GIVEN}</tool_call>\n```"),
    _text("after a thought without opening tag", f"I must ping.\n</think>\n\n<tool_call>\n{GIVEN}\n</tool_call>"),
    _text(
        "thought that quotes another call",
        f'<think>Maybe <tool_call>{{"name": "ping", "arguments": {{"note": "b"}}}}</tool_call>? No.</think><tool_call>{GIVEN}</tool_call>',
    ),
    _text("unknown tool is told", '<tool_call>{"name": "rm_rf", "arguments": {}}</tool_call>', "", words="rm_rf"),
    _text("misfit is told", '<tool_call>{"name": "count", "arguments": {"n": "many"}}</tool_call>', "", words="count("),
)
TEXT_CALLS = tuple(Shape(s.kind, s.name, s.says, tuple(r for r in s.ran if r), words=s.words) for s in TEXT_CALLS)


def _answer(name: str, text: str, answer: str | None = None) -> Shape:
    return Shape("answer", name, ({"text": text},), (), text if answer is None else answer, requests=1)


ANSWERS = (
    _answer("JSON of something else", '{"name": "Rome", "population": 3}'),
    _answer("list of numbers", "[1, 2, 3]"),
    _answer("tag in backticks", "The tag `<think>` opens a thought, `</think>` ends it."),
    _answer("call that is explained", f"You can call it like this:\n```json\n{GIVEN}\n```\nIt says pong."),
    _answer("XML of something else", "<function>f(x) = 2</function>"),
    _answer("Python that looks like a call", 'Write this:\n```python\nping(note="a")\nprint("x")\n```\nThen run it.'),
    _answer("tool's name alone", "ping"),
    _answer("call in a quotation", f"> <tool_call>{GIVEN}</tool_call>\n\nThat line is a call."),
    _answer("Action in prose", "Action: none is needed, all is well."),
    _answer("thought, then JSON", '<think>as JSON</think>{"total": 3}', '{"total": 3}'),
    _answer("comparison", "a < b and <b>bold</b> stay as they are"),
    _answer("JSON that holds a name and input", '{"name": "ping", "input": "the input was a"}'),
)


def _thought(name: str, text: str, **more: Any) -> Shape:
    return Shape("reasoning", name, ({"text": text, **more},), (), "The answer is 42", requests=1)


REASONING = (
    _thought("reasoning tag", "<reasoning>plan</reasoning>\nThe answer is 42"),
    _thought("thought tag", "<thought>plan</thought>The answer is 42"),
    _thought("Magistral", "[THINK]plan[/THINK]The answer is 42"),
    _thought("Kimi", "◁think▷plan◁/think▷The answer is 42"),
    _thought("Seed", "<seed:think>plan</seed:think>The answer is 42"),
    _thought("empty thought", "<think>\n\n</think>\n\nThe answer is 42"),
    _thought("two thoughts", "<think>plan</think>\n<think>more plan</think>\nThe answer is 42"),
    _thought("closing tag alone", "plan, plan\n</think>\n\nThe answer is 42"),
    _thought(
        "harmony",
        "<|channel|>analysis<|message|>plan<|end|><|start|>assistant<|channel|>final<|message|>The answer is 42<|return|>",
    ),
    _thought("harmony without its tokens", "analysisThe user wants it. planassistantfinalThe answer is 42"),
    _thought("Gemma 4", "<|channel>thought\nplan\n<channel|>The answer is 42"),
    _thought("Command A", "<|START_THINKING|>plan<|END_THINKING|><|START_RESPONSE|>The answer is 42<|END_RESPONSE|>"),
    _thought("ERNIE", "plan\n</think>\n\n<response>\nThe answer is 42\n</response>"),
    _thought("reasoning_content", "The answer is 42", message={"reasoning_content": "plan"}),
    _thought("reasoning", "The answer is 42", message={"reasoning": "plan"}),
    _thought("thinking (Ollama)", "The answer is 42", message={"thinking": "plan"}),
    _thought(
        "details that are encrypted",
        "The answer is 42",
        message={"reasoning_details": [{"type": "reasoning.encrypted", "data": "AAAA"}]},
    ),
    _thought(
        "details with text",
        "The answer is 42",
        message={"reasoning_details": [{"type": "reasoning.text", "text": "plan"}]},
    ),
    Shape(
        "reasoning",
        "parts (Mistral)",
        (
            {
                "text": None,
                "message": {
                    "content": [
                        {"type": "thinking", "thinking": [{"type": "text", "text": "plan"}]},
                        {"type": "text", "text": "The answer is 42"},
                    ]
                },
            },
        ),
        (),
        "The answer is 42",
        requests=1,
    ),
    Shape("reasoning", "thought without an end, then asked again", ({"text": "<think>plan and plan"},), (), "done"),
    Shape(
        "reasoning",
        "call inside a thought is no call",
        ({"text": f"<think>I could do <tool_call>{GIVEN}</tool_call></think>The answer is 42"},),
        (),
        "The answer is 42",
    ),
    Shape(
        "reasoning",
        "thought and native call",
        ({"text": "<think>plan</think>", "tool": "ping", "arguments": {"note": "a"}},),
        (A,),
    ),
)


def _native(name: str, arguments: Any, *ran: str, tool: str = "ping", words: str = "") -> Shape:
    return Shape("arguments", name, ({"tool": tool, "arguments": arguments},), ran, words=words)


ARGUMENTS = (
    _native("nothing", "", "ping"),
    _native("null in quotes", '"null"', "ping"),
    _native("undefined", "undefined", "ping"),
    _native("line end in a string", '{"text": "one\ntwo"}', 'save:{"text": "one\\ntwo"}', tool="save"),
    _native("tab in a string", '{"text": "one\ttwo"}', 'save:{"text": "one\\ttwo"}', tool="save"),
    _native("encoded twice", json.dumps(json.dumps({"note": "a"})), A),
    _native("fence around it", '```json\n{"note": "a"}\n```', A),
    _native("comment behind a value", '{"note": "a" // the note\n}', A),
    _native("comma at the end", '{"note": "a",}', A),
    _native("single quotes", "{'note': 'a'}", A),
    _native("keys without quotes", '{note: "a"}', A),
    _native("Python literals", "{'n': 3, 'on': True}", 'count:{"n": 3, "on": true}', tool="count"),
    _native("number as text", '{"n": "3"}', 'count:{"n": 3}', tool="count"),
    _native("number with .0", '{"n": 3.0}', 'count:{"n": 3}', tool="count"),
    _native("truth as text", '{"n": 3, "on": "false"}', 'count:{"n": 3, "on": false}', tool="count"),
    _native("list as text", '{"tags": "[\\"x\\", \\"y\\"]"}', 'tag:{"tags": ["x", "y"]}', tool="tag"),
    _native("object as text", '{"where": "{\\"city\\": \\"Rome\\"}"}', 'go:{"where": {"city": "Rome"}}', tool="go"),
    _native("null for an optional text", '{"note": null}', "ping"),
    _native("wrapped in arguments", '{"arguments": {"note": "a"}}', A),
    _native("wrapped with its name", '{"name": "ping", "arguments": {"note": "a"}}', A),
    _native("wrapped as a schema", '{"type": "object", "properties": {"note": "a"}}', A),
    _native("empty object before it", '{}{"note": "a"}', A),
    _native("closing tag behind it", '{"note": "a"}</tool_call>', A),
    _native("brace behind it", '{"note": "a"}}', A),
    _native("byte-order mark before it", '\ufeff{"note": "a"}', A),
    _native("same key twice, same value", '{"note": "a", "note": "a"}', A),
    _native("same key twice, two values", '{"note": "a", "note": "b"}', words="twice"),
    _native("half of it", '{"note": "a', words="ping("),
    _native("a list", '["a"]', words="ping("),
    _native("a sentence", "please ping", words="ping("),
    _native("unknown key", '{"nota": "a"}', words="nota"),
    _native("missing key", "{}", tool="save", words="text"),
    _native("not a number", '{"n": NaN}', tool="count", words="count("),
    _native("too deep", '{"note": ' + "[" * 300 + "]" * 300 + "}", words="ping("),
    _native("lone surrogate", '{"text": "a\\ud800b"}', 'save:{"text": "a\ufffdb"}', tool="save"),
    _native("name of a namespace", '{"note": "a"}', A, tool="functions.ping"),
    _native("name with the API's prefix", '{"note": "a"}', A, tool="default_api:ping"),
    _native("name with a channel", '{"note": "a"}', A, tool="ping<|channel|>commentary"),
    _native("name in capitals", '{"note": "a"}', A, tool="PING"),
    _native("name with brackets", '{"note": "a"}', A, tool="ping()"),
    _native("name in quotes", '{"note": "a"}', A, tool='"ping"'),
    _native("name of none", '{"note": "a"}', tool="pingg_tool", words="pingg_tool"),
    Shape(
        "arguments",
        "an object instead of text",
        (
            {
                "text": None,
                "message": {
                    "tool_calls": [
                        {"id": "1", "type": "function", "function": {"name": "ping", "arguments": {"note": "a"}}}
                    ]
                },
                "finish_reason": "tool_calls",
            },
        ),
        (A,),
    ),
    Shape(
        "arguments",
        "first form of the API",
        (
            {
                "text": None,
                "message": {"function_call": {"name": "ping", "arguments": '{"note": "a"}'}},
                "finish_reason": "function_call",
            },
        ),
        (A,),
    ),
    Shape(
        "arguments",
        "the same id twice",
        (
            {
                "calls": [
                    {"tool": "ping", "arguments": {"note": "a"}, "id": "x"},
                    {"tool": "ping", "arguments": {"note": "b"}, "id": "x"},
                ]
            },
        ),
        (A, B),
    ),
)
