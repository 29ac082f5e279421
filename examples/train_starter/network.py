"""The starter's network in torch: the "llama" architecture exactly as llama.cpp computes it.

RMSNorm (1e-5), rotary positions on interleaved pairs (0, 1), (2, 3) …, SwiGLU, no biases, tied embeddings.
May touch: nothing. Does not promise: speed beyond what its size gives. Needs torch, which only training needs.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Shape:
    """Sizes of the network."""

    vocab: int
    dim: int = 128
    layers: int = 4
    heads: int = 4
    ff: int = 352
    context: int = 4096
    rope_base: float = 10000.0

    def as_dict(self) -> dict[str, float]:
        """For a checkpoint."""
        return asdict(self)


class Block(nn.Module):  # type: ignore[misc]
    """Attention and feed-forward, each on a normed input, each added to the stream."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.attn_norm = nn.RMSNorm(shape.dim, eps=1e-5)
        self.ffn_norm = nn.RMSNorm(shape.dim, eps=1e-5)
        self.qkv = nn.Linear(shape.dim, 3 * shape.dim, bias=False)
        self.out = nn.Linear(shape.dim, shape.dim, bias=False)
        self.gate_up = nn.Linear(shape.dim, 2 * shape.ff, bias=False)
        self.down = nn.Linear(shape.ff, shape.dim, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        batch, length, dim = x.shape
        q, k, v = self.qkv(self.attn_norm(x)).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(rotate(q, cos, sin), rotate(k, cos, sin), v, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, length, dim))
        gate, up = self.gate_up(self.ffn_norm(x)).chunk(2, dim=-1)
        return x + self.down(F.silu(gate) * up)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary positions on the pairs (0, 1), (2, 3) … of the last axis."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1).flatten(-2)


class Network(nn.Module):  # type: ignore[misc]
    """Ids in, hidden states out; `logits` turns chosen states into scores of tokens."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embed = nn.Embedding(shape.vocab, shape.dim)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.dim, eps=1e-5)
        nn.init.normal_(self.embed.weight, std=0.05)
        for block in self.blocks:
            nn.init.zeros_(block.out.weight)
            nn.init.zeros_(block.down.weight)
        half = shape.dim // shape.heads // 2
        angles = torch.outer(
            torch.arange(shape.context).float(), shape.rope_base ** (-torch.arange(half).float() / half)
        )
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embed(ids)
        cos, sin = self.cos[: ids.shape[1]].to(x.dtype), self.sin[: ids.shape[1]].to(x.dtype)
        for block in self.blocks:
            x = block(x, cos, sin)
        return self.norm(x)

    def logits(self, states: Tensor) -> Tensor:
        """Scores of every token for each state."""
        return F.linear(states, self.embed.weight)
