"""Exports the zoo's models to ONNX and computes what the product must find: loss, logits, gradients and Hessian-vector products.

    make.py OUT [NAME ...]     writes OUT/NAME/model.onnx and OUT/NAME/reference.npz
"""
import hashlib
import importlib.util
import io
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper

import sequences  # noqa: F401
import vision  # noqa: F401
from catalog import ENTRIES
from interpreter import Interpreter

if importlib.util.find_spec("torchvision"):
    import published  # noqa: F401

# float32 may stray from float64 by this much, relative to the norm: beyond it a kink lies within rounding and another seed is taken.
ROUNDING = 2e-5
# A derivative that is zero but for rounding is compared on the scale of the others.
FLOOR = 1e-3


def export(entry, module, sample):
    options = dict(opset_version=entry.opset, input_names=["input"], output_names=["logits"])
    if entry.dynamic:
        options["dynamic_axes"] = {"input": {0: "batch"}, "logits": {0: "batch"}}
    options.update(entry.export)
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, sample, file, **options)
    model = onnx.load_from_string(file.getvalue())
    onnx.checker.check_model(model)
    return model


def randomise(module):
    """Moves what is constant when training starts: scales, biases and running statistics."""
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.numel() > 1 and bool((parameter == parameter.reshape(-1)[0]).all()):
                parameter += 0.2 * torch.randn_like(parameter)
        for name, buffer in module.named_buffers():
            if name.endswith("running_mean"):
                buffer += 0.2 * torch.randn_like(buffer)
            elif name.endswith("running_var"):
                buffer *= 0.5 + torch.rand_like(buffer)


def trainable(module, model):
    """Initializers that hold the module's parameters: whole, cut, rearranged or negated, or what a layer reads
    that took in its norm."""
    parameters = list(module.parameters())
    names = {n for n, _ in module.named_parameters()}
    stored = torch.cat([p.detach().reshape(-1) for p in parameters]).abs().numpy()
    buffers = {n for n, _ in module.named_buffers()}
    layers = ("Conv", "ConvTranspose", "Gemm", "MatMul", "LSTM", "GRU", "RNN", "PRelu")
    folded = {name for node in model.graph.node if node.op_type in layers for name in node.input[1:]}
    def learned(tensor):
        value = numpy_helper.to_array(tensor)
        if not np.issubdtype(value.dtype, np.floating) or tensor.name in buffers:
            return False
        return tensor.name in names or tensor.name in folded or (value.size > 1 and bool(np.isin(np.abs(value), stored).all()))
    return [t.name for t in model.graph.initializer if learned(t)]


def derivatives(model, names, sample, labels, directions, dtype):
    run = Interpreter(model, dtype)
    parameters = {n: run.initializers[n].clone().requires_grad_() for n in names}
    logits = run(sample, parameters)
    loss = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), labels.reshape(-1))
    gradients = torch.autograd.grad(loss, list(parameters.values()), create_graph=True, allow_unused=True)
    known = {n: g for n, g in zip(names, gradients) if g is not None}
    along = sum((g * directions[n].to(dtype)).sum() for n, g in known.items())
    products = torch.autograd.grad(along, [parameters[n] for n in known], allow_unused=True)
    arrays = {"logits": logits, "loss": loss}
    for (name, gradient), product in zip(known.items(), products):
        arrays["grad/" + name] = gradient
        arrays["hv/" + name] = torch.zeros_like(gradient) if product is None else product
    return {k: v.detach().to(torch.float64).numpy() for k, v in arrays.items()}


def distance(a, b):
    """The largest distance of a tensor, relative to its norm or to a small part of the largest norm of its kind."""
    largest = {}
    for k, v in a.items():
        largest[k.split("/")[0]] = max(largest.get(k.split("/")[0], 0), np.linalg.norm(v))
    return max(np.linalg.norm(a[k] - b[k]) / max(np.linalg.norm(a[k]), FLOOR * largest[k.split("/")[0]]) for k in a)


def make(entry, folder, attempt=0):
    torch.manual_seed(int.from_bytes(hashlib.sha256(f"{entry.name}/{attempt}".encode()).digest()[:4], "big"))
    module = entry.build()
    if not entry.fresh:
        randomise(module)
    module.eval()
    sample = torch.randint(0, entry.tokens, entry.shape) if entry.tokens else torch.randn(entry.shape)
    labels = torch.randint(0, entry.classes, (entry.shape[0], *entry.labels))
    model = export(entry, module, sample)
    names = trainable(module, model)
    sizes = {t.name: tuple(t.dims) for t in model.graph.initializer}
    directions = {n: torch.randint(0, 2, sizes[n]) * 0.25 - 0.125 for n in names}
    exact = derivatives(model, names, sample, labels, directions, torch.float64)
    with torch.no_grad():
        own = module.double()(sample if entry.tokens else sample.double()).numpy()
    if not np.allclose(own, exact["logits"], rtol=1e-4, atol=1e-5):
        raise AssertionError(f"{entry.name}: the graph gives other logits than the module, by {np.abs(own - exact['logits']).max()}")
    rough = distance(exact, derivatives(model, names, sample, labels, directions, torch.float32))
    if rough > ROUNDING and attempt < 20:
        return make(entry, folder, attempt + 1)
    arrays = {"input": sample.numpy(), "labels": labels.numpy(), **{k: v.astype(np.float32) for k, v in exact.items()}}
    arrays.update({"v/" + n: d.numpy().astype(np.float32) for n, d in directions.items() if "grad/" + n in arrays})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    write(folder / "reference.npz", arrays)
    size = sum(f.stat().st_size for f in folder.iterdir())
    print(f"{entry.name}: opset {entry.opset}, {len(names)} parameters, {size / 1000:.0f} kB, attempt {attempt}, float32 {rough:.1e}",
          flush=True)


def write(path, arrays):
    """An .npz file whose bytes depend on the arrays alone."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(array) if array.ndim else array)
            archive.writestr(zipfile.ZipInfo(name + ".npy"), content.getvalue(), zipfile.ZIP_DEFLATED)


def main(out, *names):
    torch.set_num_threads(1)
    unknown = set(names) - {e.name for e in ENTRIES}
    if unknown:
        sys.exit(f"no such model: {', '.join(sorted(unknown))}")
    failed = []
    for entry in ENTRIES:
        if entry.name not in names if names else entry.large:
            continue
        try:
            make(entry, Path(out) / entry.name)
        except Exception as error:
            failed.append(entry.name)
            print(f"{entry.name}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
