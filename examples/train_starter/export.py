"""Write a checkpoint as a GGUF that llama.cpp runs: `python -m examples.train_starter.export .train/first out.gguf`.

May touch: the file it is told to write. Does not promise: any architecture but network.py's. Needs torch, numpy, gguf.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from examples.train_starter.tokenizer import Tokenizer
from outrider.agent.models.choice.steps import BEGIN, END, SPECIALS

# Shown by programs that want one; Outrider itself asks the starter questions (small.py) and never uses it.
TEMPLATE = "{{ bos_token }}{% for m in messages %} {{ m['content'] }}{% endfor %}"


def export(folder: Path, out: Path, *, average: bool = True) -> Path:
    """Write the checkpoint in `folder` to `out`: matrices in half precision, norms in single."""
    import gguf
    import torch

    kept = torch.load(folder / "last.pt", weights_only=True, map_location="cpu")
    tokens, shape = Tokenizer.load(folder / "merges.json"), kept["shape"]
    weights = kept["average" if average else "net"]
    writer = gguf.GGUFWriter(str(out), "llama")
    _describe(writer, shape, sum(value.numel() for value in weights.values()))
    _vocabulary(writer, tokens, gguf)
    for name, value in tensors(weights, int(shape["layers"])).items():
        array = value.float().numpy()
        writer.add_tensor(name, array.astype("float16") if array.ndim == 2 else array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return out


def _describe(writer: Any, shape: dict[str, Any], parameters: int) -> None:
    import gguf

    writer.add_name("Outrider starter")
    writer.add_description(f"Chooses tools and points at their arguments; {parameters} parameters; simple goals only.")
    writer.add_license("apache-2.0")
    writer.add_context_length(int(shape["context"]))
    writer.add_embedding_length(int(shape["dim"]))
    writer.add_block_count(int(shape["layers"]))
    writer.add_feed_forward_length(int(shape["ff"]))
    writer.add_head_count(int(shape["heads"]))
    writer.add_head_count_kv(int(shape["heads"]))
    writer.add_rope_dimension_count(int(shape["dim"]) // int(shape["heads"]))
    writer.add_rope_freq_base(float(shape["rope_base"]))
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(int(shape["vocab"]))
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_bool("outrider.small", True)


def _vocabulary(writer: Any, tokens: Tokenizer, gguf: Any) -> None:
    kinds = [gguf.TokenType.CONTROL if token in SPECIALS else gguf.TokenType.NORMAL for token in tokens.tokens]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens.tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([" ".join(pair) for pair in tokens.merges])
    writer.add_bos_token_id(tokens.ids[BEGIN])
    writer.add_eos_token_id(tokens.ids[END])
    writer.add_add_bos_token(True)
    writer.add_chat_template(TEMPLATE)


def tensors(weights: dict[str, Any], layers: int) -> dict[str, Any]:
    """llama.cpp's names for the network's weights; its rotary pairs are interleaved as ours are, so nothing moves."""
    out = {"token_embd.weight": weights["embed.weight"], "output_norm.weight": weights["norm.weight"]}
    for layer in range(layers):
        ours, theirs = f"blocks.{layer}.", f"blk.{layer}."
        q, k, v = weights[ours + "qkv.weight"].chunk(3)
        gate, up = weights[ours + "gate_up.weight"].chunk(2)
        out |= {
            f"{theirs}{name}.weight": value
            for name, value in (
                ("attn_norm", weights[ours + "attn_norm.weight"]),
                ("ffn_norm", weights[ours + "ffn_norm.weight"]),
                ("attn_q", q),
                ("attn_k", k),
                ("attn_v", v),
                ("attn_output", weights[ours + "out.weight"]),
                ("ffn_gate", gate),
                ("ffn_up", up),
                ("ffn_down", weights[ours + "down.weight"]),
            )
        }
    return out


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of the training run")
    parser.add_argument("out", type=Path, help="file to write")
    arguments = parser.parse_args()
    path = export(arguments.folder, arguments.out)
    print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
