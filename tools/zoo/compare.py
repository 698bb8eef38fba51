"""Runs `registry-unlearn inspect gradients` on the zoo's models and compares what it finds with PyTorch.

    compare.py REGISTRY_UNLEARN_DLL OUT [NAME ...]
"""
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from make import distance

# Largest relative distances of Hessian-vector products, and of the rest.
PRODUCTS, REST = 1e-3, 1e-4


def compare(expected, actual, kinds):
    """The largest relative distance of the arrays of some kinds that both sides have."""
    shared = [k for k in expected if k.split("/")[0] in kinds and k in actual]
    if any(expected[k].shape != actual[k].shape for k in shared):
        return np.inf
    return distance({k: expected[k] for k in shared}, {k: actual[k] for k in shared})


def main(dll, out, *names):
    for folder in sorted(Path(out).iterdir()):
        if names and folder.name not in names:
            continue
        with tempfile.TemporaryDirectory() as work:
            result = subprocess.run(["dotnet", dll, "inspect", "gradients", str(folder / "model.onnx"), "--batch",
                                     str(folder / "reference.npz"), "--out", f"{work}/out.npz"], capture_output=True, text=True)
            if result.returncode:
                print(f"{folder.name}: FAILED {result.stderr.strip()[:600]}", flush=True)
                continue
            expected, actual = dict(np.load(folder / "reference.npz")), dict(np.load(f"{work}/out.npz"))
        rest, products = compare(expected, actual, ("loss", "logits", "grad")), compare(expected, actual, ("hv",))
        missing = sorted(k for k in expected if k.split("/")[0] in ("loss", "logits", "grad", "hv") and k not in actual)
        surplus = sorted(k for k in actual if k not in expected)
        verdict = "ok" if rest < REST and products < PRODUCTS and not missing and not surplus else "DIFFERS"
        print(f"{folder.name}: {verdict} {rest:.1e}, products {products:.1e}" + (f"; missing {missing}" if missing else "")
              + (f"; surplus {surplus}" if surplus else ""), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
