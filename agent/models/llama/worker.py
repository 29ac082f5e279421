"""The process that holds one GGUF: JSON lines in on stdin, JSON lines out on stdout. `python -m … llama_worker`.

What it is: the only place that touches llama.cpp. A bad grammar, a broken file or a bug there ends this process, never
the agent. It ends by itself when stdin closes, so it does not outlive its parent. Every request carries its own
time limit, kept inside the decoder (a few milliseconds late at most); {"do": "abort"} stops the one under way.
What it may touch: the model file it is told to load. What it does not promise: more than one request at a time.
Requests: load, count, choose, complete, write (see the functions of the same names in `Worker`). Start reading at `main`.
"""

from __future__ import annotations

import ctypes
import json
import os
import queue
import re
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, TextIO

Message = dict[str, Any]
GREEDY: Message = {"temperature": 0.0, "repeat_penalty": 1.0, "seed": 0}


class Refused(Exception):
    """The request cannot be done; `kind` says how: load, long, grammar, stopped, template. `more` goes into the answer."""

    def __init__(self, kind: str, why: str, **more: Any) -> None:
        super().__init__(why)
        self.kind, self.more = kind, more


class Rules:
    """A grammar as the decoder goes through it. `ok` False: llama.cpp does not accept it."""

    def __init__(self, api: Any, llm: Any, text: str) -> None:
        self.api = api
        self.sampler = api.llama_sampler_init_grammar(api.llama_model_get_vocab(llm.model), text.encode(), b"root")
        self.ok = bool(self.sampler)

    def allowed(self, tokens: Any, logits: Any) -> Any:
        """The logits of `tokens`, minus infinity where the grammar forbids one."""
        import numpy

        data = (self.api.llama_token_data * len(tokens))()
        view = numpy.ctypeslib.as_array(data)
        view["id"], view["logit"], view["p"] = tokens, logits, 0.0
        array = self.api.llama_token_data_array(data=data, size=len(tokens), selected=-1, sorted=False)
        self.api.llama_sampler_apply(self.sampler, ctypes.byref(array))
        return view["logit"]

    def close(self) -> None:
        """Give it back to llama.cpp."""
        if self.ok:
            self.api.llama_sampler_free(self.sampler)


TRIED = 24  # likeliest tokens the grammar is asked about first: nearly always one of them is allowed


def best_token(api: Any, logits: Any, rules: Rules | None) -> tuple[int | None, float]:
    """The likeliest token that the rules allow, and its share among those they allow; None when they allow none."""
    import numpy

    if rules is None:
        return int(logits.argmax()), 1.0
    for tokens in (numpy.argpartition(-logits, TRIED)[:TRIED], numpy.arange(len(logits))):
        scores = rules.allowed(tokens.astype(numpy.int32), logits[tokens])
        at = int(scores.argmax())
        if numpy.isfinite(scores[at]):
            token = int(tokens[at])
            api.llama_sampler_accept(rules.sampler, token)
            return token, 1.0 / float(numpy.exp(scores - scores[at]).sum())
    return None, 1.0


class Worker:
    """One model and what it can be asked."""

    def __init__(self, stopped: threading.Event, send: Callable[[Message], None]) -> None:
        self.stopped, self.send = stopped, send
        self.deadline = 0.0
        self.llm: Any = None
        self.api: Any = None
        self.control: re.Pattern[str] | None = None
        self._callback: Any = None

    def load(self, path: str, context: int, threads: int, lora: str = "") -> Message:
        """Open the GGUF, with the adapter `lora` on it if one is named. Returns what it says about itself."""
        import llama_cpp

        self.api = llama_cpp
        try:
            self.llm = llama_cpp.Llama(
                path,
                n_ctx=context,
                n_threads=threads,
                n_threads_batch=threads,
                n_batch=512,
                verbose=False,
                lora_path=lora or None,
            )
        except (ValueError, RuntimeError, OSError) as error:
            raise Refused("load", str(error)) from error
        self._callback = llama_cpp.ggml_abort_callback(
            lambda _: self.stopped.is_set() or time.monotonic() > self.deadline
        )
        llama_cpp.llama_set_abort_callback(self.llm.ctx, self._callback, ctypes.c_void_p())
        meta = {str(key): str(value) for key, value in self.llm.metadata.items()}
        self.control = self._control_texts()
        return {
            "context": self.llm.n_ctx(),
            "vocab": self.llm.n_vocab(),
            "name": meta.get("general.name", ""),
            "small": meta.get("outrider.small") in {"true", "1", "True"},
            "template": bool(meta.get("tokenizer.chat_template")),
            "parameters": self._parameters(),
        }

    def _parameters(self) -> int:
        return int(self.api.llama_model_n_params(self.llm.model))

    def _control_texts(self) -> re.Pattern[str] | None:
        """A pattern of every control token's text: text from outside must not turn into one."""
        vocab = self.api.llama_model_get_vocab(self.llm.model)
        texts = []
        for token in range(self.llm.n_vocab()):
            if self.api.llama_vocab_is_control(vocab, token):
                text = self.api.llama_vocab_get_text(vocab, token)
                if text and len(text) > 2:
                    texts.append(re.escape(text.decode("utf-8", "ignore")))
        return re.compile("|".join(sorted(texts, key=len, reverse=True))) if texts else None

    def ids(self, pieces: list[str]) -> list[int]:
        """Tokens of the pieces of a question: `<|name|>` is that special token, a run of plain words is text."""
        out: list[int] = []
        words: list[str] = []
        for piece in [*pieces, ""]:
            if piece and not (piece.startswith("<|") and piece.endswith("|>")):
                words.append(piece)
                continue
            if words:
                out += self.llm.tokenize((" " + " ".join(words)).encode(), add_bos=False, special=False)
                words = []
            if piece:
                out += self.llm.tokenize(piece.encode(), add_bos=False, special=True)
        return out

    def count(
        self,
        questions: list[list[str]] | None = None,
        texts: list[str] | None = None,
        chat: list[Message] | None = None,
    ) -> Message:
        """How many tokens each question, each text, or the whole chat prompt is."""
        if chat is not None:
            return {"counts": [len(self._chat_ids(chat))]}
        counts = [len(self.ids(one)) for one in questions or ()]
        counts += [len(self.llm.tokenize(text.encode(), add_bos=True, special=False)) for text in texts or ()]
        return {"counts": counts}

    def choose(
        self, labels: list[str], question: list[str] | None = None, text: str = "", most: int = 1 << 30
    ) -> Message:
        """The score of each label as the next token after a question, and whether the model, free, would say one.

        A question of more than `most` tokens is not asked: `scores` is empty then.
        """
        if question is not None:
            tokens, wanted = self.ids(question), [self.ids([label])[0] for label in labels]
        else:
            tokens = self.llm.tokenize(text.encode(), add_bos=True, special=False)
            wanted = [self.llm.tokenize(label.encode(), add_bos=False, special=False)[0] for label in labels]
        if len(tokens) > most:
            return {"scores": [], "free": False, "tokens": 0, "cached": 0}
        kept = self.evaluate(tokens)
        logits = self.logits()
        return {
            "scores": [float(logits[token]) for token in wanted],
            "free": int(logits.argmax()) in wanted,
            "tokens": len(tokens),
            "cached": kept,
        }

    def logits(self) -> Any:
        """The scores of every token after the last one."""
        import numpy

        return numpy.ctypeslib.as_array(self.api.llama_get_logits_ith(self.llm.ctx, -1), shape=(self.llm.n_vocab(),))

    def evaluate(self, tokens: list[int]) -> int:
        """Run the prompt, keeping what it shares with the one before. Returns how many tokens were kept."""
        self._fits(len(tokens), 1)
        past = self.llm.input_ids[: self.llm.n_tokens].tolist()
        kept = 0
        while kept < min(len(past), len(tokens) - 1) and past[kept] == tokens[kept]:
            kept += 1
        self.llm.n_tokens = kept
        try:
            self.llm.eval(tokens[kept:])
        except RuntimeError as error:
            self.llm.reset()
            raise Refused("stopped", "the time was up" if time.monotonic() > self.deadline else str(error)) from error
        return kept

    def _fits(self, tokens: int, more: int) -> None:
        if tokens + more > self.llm.n_ctx():
            raise Refused("long", f"the prompt has {tokens} tokens, the model's window is {self.llm.n_ctx()}")

    def _chat_ids(self, chat: list[Message]) -> list[int]:
        text = self._chat_text([{**turn, "content": self._plain(turn["content"])} for turn in chat])
        bos = self.llm.metadata.get("tokenizer.ggml.add_bos_token", "true") != "false"
        bos_text = self._token_text(self.llm.token_bos())
        starts = bool(bos_text) and text.startswith(bos_text)
        tokens: list[int] = self.llm.tokenize(text.encode(), add_bos=bos and not starts, special=True)
        return tokens

    def _plain(self, text: str) -> str:
        return self.control.sub("", text) if self.control else text

    def _token_text(self, token: int) -> str:
        return str(self.llm._model.token_get_text(token)) if token >= 0 else ""

    def _chat_text(self, chat: list[Message]) -> str:
        template = self.llm.metadata.get("tokenizer.chat_template")
        if not template:
            turns = "".join(f"{turn['role'].upper()}: {turn['content']}\n\n" for turn in chat)
            return f"{turns}ASSISTANT: "
        from llama_cpp.llama_chat_format import Jinja2ChatFormatter

        make = Jinja2ChatFormatter(
            template=template,
            eos_token=self._token_text(self.llm.token_eos()),
            bos_token=self._token_text(self.llm.token_bos()),
        )
        try:
            return str(make(messages=chat).prompt)
        except Exception:  # a template that refuses a system turn (several do): say it in the first user turn instead
            return str(make(messages=without_system(chat)).prompt)

    def complete(
        self, chat: list[Message], max_tokens: int, grammar: str = "", sampling: Message | None = None
    ) -> Message:
        """Continue a chat under a grammar (GBNF; empty: free text); every piece is sent as it comes.

        sampling: temperature, top_p, seed … as llama-cpp-python names them; empty: greedy.
        A request that is stopped says how many tokens it read and wrote until then.
        """
        tokens = self._chat_ids(chat)
        self._fits(len(tokens), 1)
        room = min(max_tokens, self.llm.n_ctx() - len(tokens))
        options = GREEDY | (sampling or {}) | {"max_tokens": room, "stream": True}
        if grammar:
            options["grammar"] = self._grammar(grammar)
        parts: list[str] = []
        finish, made = "", 0
        try:
            for chunk in self.llm.create_completion(tokens, **options):
                choice = chunk["choices"][0]
                parts.append(choice["text"])
                made += 1
                finish = choice["finish_reason"] or finish
                if choice["text"]:
                    self.send({"text": choice["text"]})
                if self.stopped.is_set() or time.monotonic() > self.deadline:
                    raise self._stopped("the time was up", len(tokens), made)
        except RuntimeError as error:
            self.llm.reset()
            raise self._stopped(str(error), len(tokens), made) from error
        text = "".join(parts)
        made = min(room, max(made, len(self.llm.tokenize(text.encode(), add_bos=False, special=True)) + 1))
        return {"text": text, "finish": finish, "tokens": len(tokens), "made": made}

    def write(self, prompt: str, max_tokens: int, most: int, grammar: str = "") -> Message:
        """Continue a text that is already a prompt, greedily, under a grammar; its control tokens are meant.

        What it shares with the prompt before is not read again. A prompt of more than `most` tokens is refused.
        `sure`: the product of the shares of its tokens among those the grammar allowed, 0 to 1.
        """
        tokens: list[int] = self.llm.tokenize(prompt.encode(), add_bos=False, special=True)
        if len(tokens) > most:
            raise Refused("long", f"the prompt has {len(tokens)} tokens, {most} are allowed")
        room = min(max_tokens, self.llm.n_ctx() - len(tokens) - 1)
        rules = Rules(self.api, self.llm, grammar) if grammar else None
        if rules is not None and not rules.ok:
            raise Refused("grammar", "llama.cpp does not accept the grammar")
        made: list[int] = []
        kept, finish, sure = self.evaluate(tokens), "length", 1.0
        try:
            while len(made) < room:
                token, share = best_token(self.api, self.logits(), rules)
                if token is None or self.api.llama_vocab_is_eog(self.api.llama_model_get_vocab(self.llm.model), token):
                    finish = "stop"
                    break
                made.append(token)
                sure *= share
                self.llm.eval([token])
        except RuntimeError as error:
            self.llm.reset()
            raise self._stopped(str(error), len(tokens), len(made)) from error
        finally:
            if rules is not None:
                rules.close()
        text = self.llm.detokenize(made).decode("utf-8", "replace")
        done = {"text": text, "finish": finish, "tokens": len(tokens), "made": len(made) + 1, "cached": kept}
        return done | {"sure": sure}

    def _stopped(self, why: str, tokens: int, made: int) -> Refused:
        return Refused("stopped", why, tokens=tokens, made=made)

    def _grammar(self, text: str) -> Any:
        """The grammar, tried first: a bad one must be refused here, for used it would end the process."""
        vocab = self.api.llama_model_get_vocab(self.llm.model)
        probe = self.api.llama_sampler_init_grammar(vocab, text.encode(), b"root")
        if not probe:
            raise Refused("grammar", "llama.cpp does not accept the grammar")
        self.api.llama_sampler_free(probe)
        return self.api.LlamaGrammar.from_string(text, verbose=False)


def without_system(chat: list[Message]) -> list[Message]:
    """`chat` with its system turns folded into the first user turn."""
    system = "\n\n".join(turn["content"] for turn in chat if turn["role"] == "system")
    rest = [dict(turn) for turn in chat if turn["role"] != "system"]
    for turn in rest:
        if turn["role"] == "user":
            turn["content"] = f"{system}\n\n{turn['content']}"
            return rest
    return [{"role": "user", "content": system}, *rest]


def _listen(lines: TextIO, inbox: queue.Queue[Message], stopped: threading.Event) -> None:
    """Read requests beside the decoder, so that an abort is heard while it runs. The parent gone: end at once."""
    for line in lines:
        message = json.loads(line)
        if message.get("do") == "abort":
            stopped.set()
        else:
            inbox.put(message)
    os._exit(0)


def answer(worker: Worker, message: Message) -> Message:
    """What to send back for one request."""
    do, number = str(message.pop("do")), message.pop("id")
    worker.deadline = time.monotonic() + float(message.pop("timeout_s", 600.0))
    worker.stopped.clear()
    try:
        if do not in {"load", "count", "choose", "complete", "write"}:
            raise Refused("request", f"no such request: {do[:40]}")
        return {"id": number, "done": getattr(worker, do)(**message)}
    except Refused as refused:
        return {"id": number, "refused": refused.kind, "why": str(refused), **refused.more}
    except Exception as error:  # a bug of ours or of the library: reported, not hidden, and the process lives on
        return {"id": number, "refused": "broken", "why": f"{type(error).__name__}: {error}"}


def main() -> None:
    """Serve until stdin closes. Only protocol lines reach stdout: whatever a library prints there goes to stderr."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    inbox: queue.Queue[Message] = queue.Queue()
    stopped = threading.Event()
    threading.Thread(target=_listen, args=(sys.stdin, inbox, stopped), daemon=True).start()
    current = 0

    def send(message: Message) -> None:
        out.write(json.dumps({"id": current, **message}) + "\n")

    worker = Worker(stopped, send)
    while True:
        message = inbox.get()
        current = message["id"]
        out.write(json.dumps(answer(worker, message)) + "\n")


if __name__ == "__main__":
    main()
