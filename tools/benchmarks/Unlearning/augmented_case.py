"""Makes a case of the benchmark whose network was trained with mirrored and cropped images, and networks retrained without the forget set.

    python3 augmented_case.py <folder with train.npz and test.npz> <output folder> [--count 3000] [--oracles 3] [--epochs 60]

Trains on the first images only; a tenth of them is to be forgotten. The output folder's parent gets a train.npz with them and a link to
test.npz, as the benchmark wants them. Needs PyTorch; development only.
"""
import argparse
import pathlib
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

MEAN = torch.tensor([0.4914, 0.4822, 0.4465]).view(1, 3, 1, 1)
STD = torch.tensor([0.247, 0.2435, 0.2616]).view(1, 3, 1, 1)


class Block(nn.Module):
    def __init__(self, width_in, width, stride):
        super().__init__()
        self.first = nn.Conv2d(width_in, width, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(width)
        self.second = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(width)
        self.skip = None
        if stride != 1 or width_in != width:
            self.skip = nn.Sequential(nn.Conv2d(width_in, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x):
        y = F.relu(self.first_norm(self.first(x)))
        y = self.second_norm(self.second(y))
        return F.relu(y + (x if self.skip is None else self.skip(x)))


class ResNet8(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
            Block(16, 16, 1), Block(16, 32, 2), Block(32, 64, 2),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def moved(images, generator):
    """Each image mirrored with probability 1/2 and cropped at random from its copy with a border of four pixels."""
    count = len(images)
    mirrored = torch.rand(count, generator=generator) < 0.5
    images = torch.where(mirrored.view(-1, 1, 1, 1), images.flip(3), images)
    padded = F.pad(images, (4, 4, 4, 4), mode="reflect")
    rows = torch.randint(0, 9, (count, 1), generator=generator) + torch.arange(32)
    columns = torch.randint(0, 9, (count, 1), generator=generator) + torch.arange(32)
    every = torch.arange(count).view(-1, 1, 1)
    return padded.permute(0, 2, 3, 1)[every, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2).contiguous()


def train(images, labels, seed, epochs, batch=128, peak=0.1):
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    model = ResNet8()
    optimizer = torch.optim.SGD(model.parameters(), lr=peak, momentum=0.9, weight_decay=5e-4, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, peak, epochs=epochs, steps_per_epoch=-(-len(images) // batch), pct_start=0.2)
    for epoch in range(epochs):
        start = time.time()
        order = torch.randperm(len(images), generator=generator)
        for rows in order.split(batch):
            optimizer.zero_grad()
            F.cross_entropy(model(moved(images[rows], generator)), labels[rows]).backward()
            optimizer.step()
            schedule.step()
        print(f"seed {seed}, epoch {epoch + 1} of {epochs}, {time.time() - start:.1f} s", flush=True)
    return model.eval()


def logits_of(model, images):
    with torch.no_grad():
        return torch.cat([model(part) for part in images.split(500)]).numpy()


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("images", type=pathlib.Path)
    arguments.add_argument("output", type=pathlib.Path)
    arguments.add_argument("--count", type=int, default=3000)
    arguments.add_argument("--oracles", type=int, default=3)
    arguments.add_argument("--epochs", type=int, default=60)
    given = arguments.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    train_set = np.load(given.images / "train.npz")
    x, y = train_set["x"][:given.count], train_set["y"][:given.count]
    np.savez(given.output.parent / "train.npz", x=x, y=y)
    link = given.output.parent / "test.npz"
    if not link.exists():
        link.symlink_to((given.images / "test.npz").resolve())
    forget = np.sort(np.random.default_rng(1).choice(given.count, given.count // 10, replace=False)).astype(np.int64)
    np.savez(given.output / "split.npz", forget=forget, labels=y)
    images = {}
    for name, raw in (("train", x), ("test", np.load(link)["x"])):
        images[name] = (torch.from_numpy(raw).float().div(255) - MEAN) / STD
    labels = torch.from_numpy(y)
    kept = np.setdiff1d(np.arange(len(labels)), forget)
    for name, rows, seed in [("original", np.arange(len(labels)), 0)] + [
            (f"oracle-{31 + k}", kept, 31 + k) for k in range(given.oracles)]:
        if (given.output / f"{name}.npz").exists():
            continue
        model = train(images["train"][rows], labels[rows], seed, given.epochs)
        torch.onnx.export(
            model, images["test"][:1], str(given.output / f"{name}.onnx"), opset_version=16, input_names=["input"],
            output_names=["logits"], dynamic_axes={"input": {0: "N"}, "logits": {0: "N"}})
        outputs = {key: logits_of(model, value) for key, value in images.items()}
        np.savez(given.output / f"{name}.npz", **outputs)
        right = (outputs["train"].argmax(1) == labels.numpy())
        print(name, "forget", right[forget].mean(), "retained", right[kept].mean(), flush=True)


if __name__ == "__main__":
    main()
