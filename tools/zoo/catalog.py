"""The list of models; the modules vision and sequences add small ones to it, published adds large ones."""
from dataclasses import dataclass, field
from typing import Callable

import torch


@dataclass
class Entry:
    """How a model is built and exported."""
    name: str
    build: Callable[[], torch.nn.Module]
    shape: tuple            # of the input, the batch first
    opset: int
    classes: int = 5
    tokens: int = 0         # size of the vocabulary; 0 for float samples
    labels: tuple = ()      # shape of one sample's labels, for logits at every position
    export: dict = field(default_factory=dict)
    fresh: bool = False     # keep the parameters as they are when training starts
    dynamic: bool = True    # leave the batch size open
    large: bool = False     # make only where it is named


ENTRIES = []


def entry(shape, opset, **options):
    """Registers a module class or a function that builds a module, under its name in snake case."""
    def register(build):
        name = "".join("_" + c.lower() if c.isupper() else c for c in build.__name__).lstrip("_")
        ENTRIES.append(Entry(name, build, shape, opset, **options))
        return build
    return register
