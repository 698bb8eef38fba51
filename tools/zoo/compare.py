"""Runs `registry-unlearn inspect gradients` on the zoo's models and compares what it finds with PyTorch.

    compare.py REGISTRY_UNLEARN_DLL OUT [NAME ...]
"""
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from make import distance


def compare(expected, actual):
    """The largest relative distance, and what differs in kind."""
    wanted = [k for k in expected if k in ("loss", "logits") or k.startswith(("grad/", "hv/"))]
    missing, surplus = sorted(set(wanted) - set(actual)), sorted(set(actual) - set(wanted))
    for key in set(wanted) & set(actual):
        if expected[key].shape != actual[key].shape:
            return np.inf, missing, surplus
    shared = [k for k in wanted if k in actual]
    return distance({k: expected[k] for k in shared}, {k: actual[k] for k in shared}), missing, surplus


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
            worst, missing, surplus = compare(np.load(folder / "reference.npz"), np.load(f"{work}/out.npz"))
        verdict = "ok" if worst < 1e-4 and not missing and not surplus else "DIFFERS"
        print(f"{folder.name}: {verdict} {worst:.1e}" + (f"; missing {missing}" if missing else "")
              + (f"; surplus {surplus}" if surplus else ""), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
