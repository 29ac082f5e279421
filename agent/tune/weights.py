"""Weights on their way: a GGUF base into torch, a LoRA adapter on it, and the adapter out as GGUF for llama.cpp.

What it is: the only place that knows llama.cpp's tensor names and how it turns the rows of q and k around.
What it may touch: the files it is told of. Needs the extra `train` (torch, transformers, peft, gguf).
Does not promise: architectures other than llama. Start reading at `load`.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from pathlib import Path
from typing import Any

QUIET = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "TQDM_DISABLE": "1", "KMP_BLOCKTIME": "0", "OMP_WAIT_POLICY": "PASSIVE"}  # fmt: skip
RANK = 12
PLACES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def quiet() -> None:
    """Before torch is imported: no look at the network, no threads that spin (ten times slower on shared cores)."""
    for key, value in (QUIET | {"OMP_NUM_THREADS": str(threads())}).items():
        os.environ.setdefault(key, value)
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")


def threads() -> int:
    """Half of the processors this process may use (two share a core, as a rule); OMP_NUM_THREADS says otherwise."""
    said = os.environ.get("OMP_NUM_THREADS", "")
    free = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return int(said) if said.isdecimal() and int(said) else max(1, free // 2)


def dequantised(base: Path, work: Path) -> None:
    """Keep the base's weights (bf16) and tokenizer under `work`, once.

    Raises UsageError if another base is there, or the file is no GGUF of the llama architecture.
    """
    from outrider.memory.errors import UsageError

    with base.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    made = work / "base.sha256"
    if made.is_file():
        if made.read_text("utf-8") == digest:
            return
        why = f"{work} holds the weights of another file than {base.name}"
        raise UsageError("that adapter was begun on another base", why, f"name another --output, or remove {work}")
    _llama_only(base)
    _unpack(base, work)
    made.write_text(digest, encoding="utf-8")


def _llama_only(base: Path) -> None:
    import gguf

    from outrider.memory.errors import UsageError

    try:
        found = gguf.GGUFReader(str(base)).fields["general.architecture"].contents()
    except (ValueError, LookupError, OSError) as error:
        fix = "name a GGUF file, or smollm2"
        raise UsageError(f"{base.name} cannot be read as a GGUF", str(error) or "it is cut short", fix) from error
    if found != "llama":
        why = f"its architecture is {found}, and an adapter can be made for llama"
        raise UsageError(f"{base.name} cannot be tuned", why, "name a GGUF of the llama architecture, or smollm2")


def _unpack(base: Path, work: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    work.mkdir(exist_ok=True, parents=True)
    model = AutoModelForCausalLM.from_pretrained(base.parent, gguf_file=base.name, dtype=torch.float32)
    config = model.config.to_dict()
    for name in ("quantization_config", "dtype"):
        config.pop(name, None)
    AutoTokenizer.from_pretrained(base.parent, gguf_file=base.name).save_pretrained(work / "tokenizer")
    weights = {key: value.bfloat16() for key, value in model.state_dict().items()}
    torch.save({"config": config, "weights": weights}, work / "base.pt")


def load(work: Path, adapter: Path | None = None) -> Any:
    """The base in bf16 under an f32 adapter: a fresh one, or the one saved in the folder `adapter`."""
    import torch
    from peft import LoraConfig, PeftModel, get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM

    saved = torch.load(work / "base.pt", mmap=True)
    config = LlamaConfig(**saved["config"])
    model = LlamaForCausalLM(config).bfloat16()
    model.load_state_dict(saved["weights"], strict=False)
    model.tie_weights()
    _exact_angles(model, config)
    if adapter is not None:
        lora = PeftModel.from_pretrained(model, str(adapter), is_trainable=True)
    else:
        names = [place.split(".")[1] for place in PLACES]
        upper = list(range(config.num_hidden_layers // 3, config.num_hidden_layers))  # a quarter of the time is saved
        wanted = LoraConfig(
            r=RANK, lora_alpha=2 * RANK, target_modules=names, layers_to_transform=upper, task_type="CAUSAL_LM"
        )
        lora = get_peft_model(model, wanted)
    for one in lora.parameters():
        if one.requires_grad:
            one.data = one.data.float()
    return lora


def _exact_angles(model: Any, config: Any) -> None:
    """The rotary angles stay f32: in bf16 far positions are a blur."""
    import torch

    width = config.head_dim or config.hidden_size // config.num_attention_heads
    theta = (getattr(config, "rope_parameters", None) or {}).get("rope_theta") or getattr(config, "rope_theta", 10000.0)
    angles = 1.0 / (theta ** (torch.arange(0, width, 2).float() / width))
    model.model.rotary_emb.inv_freq = model.model.rotary_emb.original_inv_freq = angles


def export(adapter: Path, work: Path, out: Path) -> None:
    """Write the adapter saved in the folder `adapter` as a GGUF that llama.cpp loads beside the base."""
    import gguf
    import numpy as np
    import torch
    from safetensors.numpy import load_file

    config = torch.load(work / "base.pt", mmap=True)["config"]
    heads = {"attn_q": config["num_attention_heads"], "attn_k": config["num_key_value_heads"]}
    fresh = out.with_name(f"{out.name}.new")
    writer = gguf.GGUFWriter(str(fresh), "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 2.0 * RANK)
    for key, value in sorted(load_file(adapter / "adapter_model.safetensors").items()):
        layer, rest = key.split("layers.")[1].split(".", 1)
        place, side = rest.split(".lora_")
        name = PLACES[place]
        if side.startswith("B") and name in heads:
            value = _turned(value, heads[name])
        tensor = np.ascontiguousarray(value, dtype=np.float16)
        writer.add_tensor(f"blk.{layer}.{name}.weight.lora_{side[0].lower()}", tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    fresh.replace(out)


def _turned(rows: Any, heads: int) -> Any:
    """The rows of q or k in llama.cpp's order: rotary pairs side by side instead of in halves."""
    out, rank = rows.shape
    return rows.reshape(heads, 2, out // heads // 2, rank).swapaxes(1, 2).reshape(out, rank)


def adopt(lora: Any, path: Path) -> None:
    """Give a fresh adapter the weights of one that was exported. Raises UsageError if it is of another shape."""
    import gguf
    import torch

    from outrider.memory.errors import UsageError

    config = lora.config
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    places = {name: place for place, name in PLACES.items()}
    found = {tensor.name: tensor.data for tensor in gguf.GGUFReader(str(path)).tensors}
    for key, parameter in lora.named_parameters():
        if ".lora_" not in key:
            continue
        layer, rest = key.split("layers.")[1].split(".", 1)
        place, side = rest.split(".lora_")
        name = next(name for name, one in places.items() if one == place)
        value = found.get(f"blk.{layer}.{name}.weight.lora_{side[0].lower()}")
        if value is None or tuple(value.shape) != tuple(parameter.shape):
            raise UsageError(
                f"{path.name} does not fit this base", f"{key} has another shape", "start from the base alone"
            )
        if side.startswith("B") and name in heads:
            value = _back(value, heads[name])
        parameter.data = torch.tensor(value.astype("float32"))


def _back(rows: Any, heads: int) -> Any:
    """What `_turned` did, undone."""
    out, rank = rows.shape
    return rows.reshape(heads, out // heads // 2, 2, rank).swapaxes(1, 2).reshape(out, rank)
