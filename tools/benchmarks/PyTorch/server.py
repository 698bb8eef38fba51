"""One side of the comparison: `export NAME FILE` writes the network as ONNX; `serve NAME BATCH KIND` runs steps on demand.

A serving process answers `ready`, then for every line `N` on standard input N step times in milliseconds, and for `memory` the most
memory it ever held, in KiB.
"""
import sys
import time

import torch
import torch.nn.functional as F
from torch.nn.utils.stateless import functional_call

from networks import build

QUERIES = 2
MEMBERSHIP = (torch.tensor([0.5, 0.3, -0.2, 0.1]), torch.tensor(0.05))


def export(name, path):
    torch.onnx.export(build(name), torch.zeros(2, 3, 32, 32), path, opset_version=16, input_names=["input"], output_names=["logits"],
                      dynamic_axes={"input": {0: "N"}, "logits": {0: "N"}}, do_constant_folding=False,
                      training=torch.onnx.TrainingMode.PRESERVE)


def batch_of(size, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(size, 3, 32, 32, generator=generator), torch.randint(10, (size,), generator=generator)


def training_step(network, size):
    images, labels = batch_of(size, 1)
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-6, momentum=0.9)

    def step():
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(network(images), labels).backward()
        optimizer.step()
    return step


def member_score(logits, labels):
    log_p = F.log_softmax(logits, 1)
    p = log_p.exp()
    own = log_p.gather(1, labels[:, None])[:, 0]
    features = torch.stack([own, own - torch.log(1 - own.exp() + 1e-6), -(p * log_p).sum(1), log_p.max(1).values], 1)
    return features @ MEMBERSHIP[0] + MEMBERSHIP[1]


def unlearning_step(network, size):
    """Two exact meta-gradients, global protect-remember harmonization, SGD with momentum."""
    parameters = dict(network.named_parameters())
    batches = [[batch_of(size, 10 * side + m) for m in range(1 + QUERIES)] for side in range(2)]
    optimizer = torch.optim.SGD(parameters.values(), lr=1e-6, momentum=0.9)

    def remembering(logits, labels):
        return F.cross_entropy(logits, labels)

    def forgetting(logits, labels):
        return F.softplus(member_score(logits, labels)).mean()

    def meta_gradient(loss, support, *queries, alpha=1e-3):
        values = list(parameters.values())
        on_support = loss(network(support[0]), support[1])
        inner = torch.autograd.grad(on_support, values, create_graph=True)
        tuned = {n: p - alpha * g for (n, p), g in zip(parameters.items(), inner)}
        on_queries = sum(loss(functional_call(network, tuned, (x,)), y) for x, y in queries) / len(queries)
        return torch.autograd.grad(on_support + on_queries, values)

    def step():
        remember, forget = meta_gradient(remembering, *batches[0]), meta_gradient(forgetting, *batches[1])
        inner = sum((a * b).sum(dtype=torch.float64) for a, b in zip(remember, forget))
        if inner < 0:
            norm = sum((a * a).sum(dtype=torch.float64) for a in remember)
            forget = [b - (inner / norm).float() * a for a, b in zip(remember, forget)]
        for p, a, b in zip(parameters.values(), remember, forget):
            p.grad = a + b
        optimizer.step()
    return step


def serve(name, size, kind):
    step = {"train": training_step, "unlearn": unlearning_step}[kind](build(name), size)
    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip() == "memory":
            with open("/proc/self/status") as status:
                print(next(l.split()[1] for l in status if l.startswith("VmHWM")), flush=True)
            continue
        times = []
        for _ in range(int(line)):
            start = time.perf_counter()
            step()
            times.append(1000 * (time.perf_counter() - start))
        print(*times, flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "export":
        export(sys.argv[2], sys.argv[3])
    else:
        serve(sys.argv[2], int(sys.argv[3]), sys.argv[4])
