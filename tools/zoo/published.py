"""Published architectures in full depth (torchvision) with random weights: large, made only where they are named."""
import inspect
from functools import partial

import torch
import torch.nn.functional as F
import torchvision.models as models
from torch import nn
from torchvision.models import inception, swin_transformer

from catalog import entry


def settled(module, shape):
    """Running statistics of a random batch: with random ones activations grow by orders of magnitude from layer to layer."""
    norms = [m for m in module.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        nn.init.uniform_(norm.weight, 0.8, 1.2)
        nn.init.normal_(norm.bias, std=0.2)
        norm.momentum = None
        norm.reset_running_stats()
    module.train()
    with torch.no_grad():
        module(torch.randn(8, *shape))
    return module


class SmoothConv(inception.BasicConv2d):
    """The rectifier as a smooth function: through 94 of them float32 moves derivatives by percents, as steps over kinks."""
    def forward(self, x):
        return F.softplus(self.bn(self.conv(x)))


@entry((2, 3, 96, 96), 17, classes=10, fresh=True, large=True,
       export=dict(training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False))
def inception_v3():
    mixed = [inception.InceptionA, inception.InceptionB, inception.InceptionC, inception.InceptionD, inception.InceptionE]
    blocks = [SmoothConv, *(partial(block, conv_block=SmoothConv) for block in mixed), inception.InceptionAux]
    return settled(inception.Inception3(10, aux_logits=False, inception_blocks=blocks, init_weights=True), (3, 96, 96))


class PerPixel(nn.Module):
    """The logits of a segmentation model, the classes last."""
    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return self.module(x)["out"].permute(0, 2, 3, 1)


@entry((2, 3, 64, 64), 17, labels=(64, 64), fresh=True, large=True)
def lraspp_mobilenet_v3_large():
    return settled(PerPixel(models.segmentation.lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=5)), (3, 64, 64))


# The exporter knows no slice that is set to zero in place.
SETS_ZERO = "qkv_bias[length : 2 * length].zero_()"
CONCATENATES = "qkv_bias = torch.cat([qkv_bias[:length], torch.zeros(length, dtype=qkv_bias.dtype), qkv_bias[2 * length:]])"


@entry((2, 3, 128, 128), 17, classes=10, large=True)
def swin_v2_t():
    """Windows of four, which divide 128 pixels at every stage: keys of padding are zero, where their norm has no derivative."""
    source = inspect.getsource(swin_transformer.shifted_window_attention)
    assert SETS_ZERO in source or CONCATENATES in source
    exec(source.replace(SETS_ZERO, CONCATENATES), swin_transformer.__dict__)
    return swin_transformer.SwinTransformer([4, 4], 96, [2, 2, 6, 2], [3, 6, 12, 24], [4, 4], num_classes=10,
                                            block=swin_transformer.SwinTransformerBlockV2,
                                            downsample_layer=swin_transformer.PatchMergingV2)


@entry((2, 3, 64, 64), 17, classes=10, fresh=True, large=True)
def maxvit_t():
    return settled(models.MaxVit((64, 64), 64, 2, [64, 128, 256, 512], [2, 2, 5, 2], 32, 0.2, num_classes=10), (3, 64, 64))
