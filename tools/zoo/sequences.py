"""Models of sequences in miniature: attention, recurrence, language-model heads."""
import math

import torch
import torch.nn.functional as F
from torch import nn

from catalog import entry

@entry((2, 6, 8), 14)
class TransformerEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.position = nn.Parameter(torch.randn(1, 6, 8) * 0.1)
        self.layers = nn.ModuleList([nn.TransformerEncoderLayer(8, 2, 8, 0.1, "gelu", batch_first=True, norm_first=f) for f in (True, False)])
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        x = x + self.position
        for layer in self.layers:
            x = layer(x)
        return self.fc(x.mean(1))


@entry((2, 6, 8), 13)
class MultiheadAttention(nn.Module):
    """PyTorch's own attention, the sequence first, with queries that are learned and keys of another width."""
    def __init__(self):
        super().__init__()
        self.query = nn.Parameter(torch.randn(3, 1, 8))
        self.inner, self.cross = nn.MultiheadAttention(8, 2), nn.MultiheadAttention(8, 4, kdim=10, vdim=10)
        self.widen, self.fc = nn.Linear(8, 10), nn.Linear(24, 5)

    def forward(self, x):
        x = x.transpose(0, 1)
        x = x + self.inner(x, x, x, need_weights=False)[0]
        y = self.widen(x)
        z = self.cross(self.query.expand(-1, x.size(1), -1), y, y)[0]
        return self.fc(z.transpose(0, 1).flatten(1))


@entry((2, 3, 8, 8), 17, fresh=True)
class VisionTransformer(nn.Module):
    """A class token of zeros, one matrix for queries, keys and values, and the normalisation of operator set 17."""
    def __init__(self):
        super().__init__()
        self.patch, self.cls = nn.Conv2d(3, 8, 4, 4), nn.Parameter(torch.zeros(1, 1, 8))
        self.pos = nn.Parameter(torch.randn(1, 5, 8) * 0.02)
        self.norm1, self.norm2, self.norm = nn.LayerNorm(8, 1e-6), nn.LayerNorm(8, 1e-6), nn.LayerNorm(8, 1e-6)
        self.qkv, self.proj = nn.Linear(8, 24), nn.Linear(8, 8)
        self.mlp = nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8))
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        n = x.shape[0]
        x = self.patch(x).reshape(n, 8, -1).permute(0, 2, 1)
        x = torch.cat([self.cls.expand(n, -1, -1), x], 1) + self.pos
        q, k, v = self.qkv(self.norm1(x)).reshape(n, 5, 3, 2, 4).permute(2, 0, 3, 1, 4).unbind(0)
        a = (q @ k.transpose(-2, -1) * 0.5).softmax(-1) @ v
        x = x + self.proj(a.transpose(1, 2).reshape(n, 5, 8))
        x = x + self.mlp(self.norm2(x))
        return self.head(self.norm(x)[:, 0])


@entry((2, 6), 13, tokens=20, labels=(6,), classes=20)
class LanguageModel(nn.Module):
    """A causal model whose embedding is also the matrix of its logits."""
    def __init__(self):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(20, 8), nn.Embedding(10, 8)
        self.ln1, self.ln2, self.lnf = nn.LayerNorm(8), nn.LayerNorm(8), nn.LayerNorm(8)
        self.attn, self.proj = nn.Linear(8, 24), nn.Linear(8, 8)
        self.up, self.down = nn.Linear(8, 16), nn.Linear(16, 8)
        self.register_buffer("bias", torch.tril(torch.ones(10, 10)).view(1, 1, 10, 10))
        self.lm_head = nn.Linear(8, 20, bias=False)
        self.lm_head.weight = self.wte.weight

    def forward(self, tokens):
        n, t = tokens.size()
        x = self.wte(tokens) + self.wpe(torch.arange(0, t).unsqueeze(0))
        q, k, v = (s.view(n, t, 2, 4).transpose(1, 2) for s in self.attn(self.ln1(x)).split(8, dim=2))
        scores = (q @ k.transpose(-2, -1)) / math.sqrt(4)
        scores = scores.masked_fill(self.bias[:, :, :t, :t] == 0, float("-inf"))
        x = x + self.proj((F.softmax(scores, -1) @ v).transpose(1, 2).contiguous().view(n, t, 8))
        h = self.up(self.ln2(x))
        x = x + self.down(0.5 * h * (1 + torch.tanh(math.sqrt(2 / math.pi) * (h + 0.044715 * torch.pow(h, 3.0)))))
        return self.lm_head(self.lnf(x))


@entry((2, 6), 15, tokens=20, labels=(6,), classes=20)
class Llama(nn.Module):
    """Root-mean-square norms, rotary positions, gated units, one key for two heads."""
    def __init__(self):
        super().__init__()
        self.embed, self.head = nn.Embedding(20, 8), nn.Linear(8, 20, bias=False)
        self.n1, self.n2, self.n3 = (nn.Parameter(torch.ones(8)) for _ in range(3))
        self.q, self.k, self.v, self.o = (nn.Linear(8, w, bias=False) for w in (8, 4, 4, 8))
        self.gate, self.up, self.down = nn.Linear(8, 12, bias=False), nn.Linear(8, 12, bias=False), nn.Linear(12, 8, bias=False)
        angles = torch.arange(6)[:, None] * torch.tensor([1.0, 0.1])[None]
        self.register_buffer("cos", torch.cat([angles, angles], -1).cos())
        self.register_buffer("sin", torch.cat([angles, angles], -1).sin())

    @staticmethod
    def norm(x, weight):
        return weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6))

    def rotate(self, x):
        return x * self.cos + torch.cat((-x[..., 2:], x[..., :2]), -1) * self.sin

    def forward(self, tokens):
        x = self.embed(tokens)
        n, t, _ = x.shape
        y = self.norm(x, self.n1)
        q, k, v = (f(y).view(n, t, -1, 4).transpose(1, 2) for f in (self.q, self.k, self.v))
        k, v = (s[:, :, None].expand(n, 1, 2, t, 4).reshape(n, 2, t, 4) for s in (self.rotate(k), v))
        scores = self.rotate(q) @ k.transpose(2, 3) / 2.0 + torch.full((t, t), float("-inf")).triu(1)
        x = x + self.o((scores.softmax(-1) @ v).transpose(1, 2).reshape(n, t, 8))
        y = self.norm(x, self.n2)
        x = x + self.down(F.silu(self.gate(y)) * self.up(y))
        return self.head(self.norm(x, self.n3))


@entry((2, 7), 12, tokens=15)
class TextLstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(15, 5, padding_idx=0)
        self.lstm, self.fc = nn.LSTM(5, 4, 2, batch_first=True, bidirectional=True), nn.Linear(8, 5)

    def forward(self, tokens):
        output, (h, _) = self.lstm(self.embed(tokens))
        return self.fc(torch.cat([h[-2], h[-1]], 1) + output.mean(1))


@entry((2, 7, 4), 14, dynamic=False)
class Gru(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru, self.fc = nn.GRU(4, 5, 2, batch_first=True), nn.Linear(5, 5)

    def forward(self, x):
        return self.fc(self.gru(x)[0][:, -1])


@entry((2, 7, 4), 11)
class ConvRnn(nn.Module):
    """A convolution before a plain recurrence with a learned start."""
    def __init__(self):
        super().__init__()
        self.conv, self.h0 = nn.Conv1d(4, 6, 3, padding=1), nn.Parameter(torch.randn(1, 1, 5) * 0.1)
        self.rnn, self.fc = nn.RNN(6, 5, nonlinearity="tanh"), nn.Linear(5, 5)

    def forward(self, x):
        y = F.relu(self.conv(x.transpose(1, 2))).permute(2, 0, 1)
        return self.fc(self.rnn(y, self.h0.expand(-1, y.shape[1], -1).contiguous())[1][0])


@entry((2, 6), 9, tokens=15)
class TextCnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(15, 6)
        self.convs, self.fc = nn.ModuleList([nn.Conv2d(1, 4, (k, 6)) for k in (2, 3)]), nn.Linear(8, 5)

    def forward(self, tokens):
        x = self.embed(tokens).unsqueeze(1)
        x = [F.relu(conv(x)).squeeze(3) for conv in self.convs]
        return self.fc(torch.cat([F.max_pool1d(c, int(c.size(2))).squeeze(2) for c in x], 1))


@entry((2, 6), 13, tokens=15)
class Bert(nn.Module):
    """Three added embeddings, a mask made of the tokens, a pooler on the first token."""
    def __init__(self):
        super().__init__()
        self.word, self.place, self.kind = nn.Embedding(15, 8), nn.Embedding(6, 8), nn.Embedding(2, 8)
        self.norm0, self.norm1, self.norm2 = (nn.LayerNorm(8, 1e-12) for _ in range(3))
        self.q, self.k, self.v, self.o = (nn.Linear(8, 8) for _ in range(4))
        self.up, self.down, self.pool, self.fc = nn.Linear(8, 16), nn.Linear(16, 8), nn.Linear(8, 8), nn.Linear(8, 5)
        self.register_buffer("position_ids", torch.arange(6).expand((1, -1)))

    def forward(self, tokens):
        x = self.norm0(self.word(tokens) + self.place(self.position_ids[:, :tokens.size(1)]) + self.kind(torch.zeros_like(tokens)))
        mask = (1.0 - (tokens != 0).float())[:, None, None, :] * torch.finfo(torch.float32).min
        q, k, v = (f(x).view(*x.shape[:2], 2, 4).permute(0, 2, 1, 3) for f in (self.q, self.k, self.v))
        a = F.softmax(q @ k.transpose(-1, -2) / math.sqrt(4) + mask, -1) @ v
        x = self.norm1(x + self.o(a.permute(0, 2, 1, 3).contiguous().view(*x.shape[:2], 8)))
        x = self.norm2(x + self.down(F.gelu(self.up(x))))
        return self.fc(torch.tanh(self.pool(x[:, 0])))


@entry((3, 7, 6), 13)
class EinsumAttention(nn.Module):
    """Attention by Einstein sums, running sums, the best positions and gated units."""
    def __init__(self):
        super().__init__()
        self.wq, self.wk, self.wv = (nn.Parameter(torch.randn(6, 2, 3) * 0.4) for _ in range(3))
        self.wo, self.gate, self.fc = nn.Parameter(torch.randn(2, 3, 6) * 0.4), nn.Linear(6, 12), nn.Linear(12, 5)

    def forward(self, x):
        q, k, v = (torch.einsum("nti,ihd->nhtd", x, w) for w in (self.wq, self.wk, self.wv))
        a = torch.einsum("nhqd,nhkd->nhqk", q, k).mul(3 ** -0.5).softmax(-1)
        x = x + torch.einsum("nhqk,nhkd,hdo->nqo", a, v, self.wo)
        x = F.glu(self.gate(x), -1) + 0.1 * torch.cumsum(x, 1)
        best = x.norm(dim=-1).topk(2, dim=1)[1]
        return self.fc(torch.gather(x, 1, best.unsqueeze(-1).expand(-1, -1, 6)).flatten(1))
