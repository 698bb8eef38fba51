"""Image, sound and volume classifiers in miniature, one per family of architecture."""
import torch
import torch.nn.functional as F
from torch import nn

from catalog import entry

class Residual(nn.Sequential):
    def forward(self, x):
        return x + super().forward(x)


class Concatenated(nn.ModuleList):
    def forward(self, x):
        return torch.cat([branch(x) for branch in self], 1)


def conv_bn(a, b, kernel=3, stride=1, groups=1, activation=nn.ReLU):
    layers = [nn.Conv2d(a, b, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(b)]
    return nn.Sequential(*layers, *([activation()] if activation else []))


def head(channels, classes=5):
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


class SqueezeExcite(nn.Module):
    def __init__(self, channels, inner, activation=nn.ReLU, gate=nn.Hardsigmoid):
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(channels, inner, 1), nn.Conv2d(inner, channels, 1)
        self.activation, self.gate = activation(), gate()

    def forward(self, x):
        return x * self.gate(self.fc2(self.activation(self.fc1(F.adaptive_avg_pool2d(x, 1)))))


def inverted(a, b, wide, stride, activation, gate=None):
    block = [conv_bn(a, wide, 1, activation=activation), conv_bn(wide, wide, 3, stride, wide, activation)]
    if gate:
        block.append(gate(wide))
    block.append(conv_bn(wide, b, 1, activation=None))
    return (Residual if a == b and stride == 1 else nn.Sequential)(*block)


@entry((3, 3, 16, 16), 11)
def mobile_net_v2():
    return nn.Sequential(conv_bn(3, 6, 3, 2, activation=nn.ReLU6), inverted(6, 6, 12, 1, nn.ReLU6), inverted(6, 8, 12, 2, nn.ReLU6),
                         head(8))


@entry((3, 3, 16, 16), 13, export=dict(training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False))
def mobile_net_v3():
    gate = lambda wide: SqueezeExcite(wide, 4)
    return nn.Sequential(conv_bn(3, 6, 3, 2, activation=nn.Hardswish), inverted(6, 6, 12, 1, nn.ReLU, gate),
                         inverted(6, 8, 12, 2, nn.Hardswish, gate), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 12),
                         nn.Hardswish(), nn.Dropout(0.2), nn.Linear(12, 5))


@entry((2, 3, 16, 16), 14, export=dict(training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False), dynamic=False)
def efficient_net():
    gate = lambda wide: SqueezeExcite(wide, 3, nn.SiLU, nn.Sigmoid)
    return nn.Sequential(conv_bn(3, 6, 3, 2, activation=nn.SiLU), inverted(6, 6, 12, 1, nn.SiLU, gate),
                         inverted(6, 8, 12, 2, nn.SiLU, gate), head(8))


@entry((3, 3, 16, 16), 12)
class ShuffleNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = conv_bn(3, 8, 3, 2)
        self.branch = nn.Sequential(conv_bn(4, 4, 1), conv_bn(4, 4, 3, 1, 4, None), conv_bn(4, 4, 1))
        self.left = nn.Sequential(conv_bn(8, 8, 3, 2, 8, None), conv_bn(8, 8, 1))
        self.right = nn.Sequential(conv_bn(8, 8, 1), conv_bn(8, 8, 3, 2, 8, None), conv_bn(8, 8, 1))
        self.fc = nn.Linear(16, 5)

    @staticmethod
    def shuffle(x, groups=2):
        n, c, h, w = x.size()
        return x.view(n, groups, c // groups, h, w).transpose(1, 2).contiguous().view(n, -1, h, w)

    def forward(self, x):
        kept, worked = self.stem(x).chunk(2, dim=1)
        x = self.shuffle(torch.cat((kept, self.branch(worked)), 1))
        x = self.shuffle(torch.cat((self.left(x), self.right(x)), 1))
        return self.fc(x.mean([2, 3]))


@entry((3, 3, 16, 16), 9)
def squeeze_net():
    fire = lambda a, s, e: nn.Sequential(nn.Conv2d(a, s, 1), nn.ReLU(), Concatenated(
        [nn.Sequential(nn.Conv2d(s, e, 1), nn.ReLU()), nn.Sequential(nn.Conv2d(s, e, 3, padding=1), nn.ReLU())]))
    return nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True), fire(8, 4, 8), fire(16, 4, 8),
                         nn.Dropout(0.5), nn.Conv2d(16, 5, 1), nn.ReLU(), nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten())


@entry((3, 3, 16, 16), 10)
class DenseNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.pool = nn.Conv2d(3, 6, 3, 2, 1, bias=False), nn.MaxPool2d(3, 2, 1)
        layer = lambda c: nn.Sequential(nn.BatchNorm2d(c), nn.ReLU(), nn.Conv2d(c, 4, 3, padding=1, bias=False))
        self.layers = nn.ModuleList([layer(6), layer(10), layer(14)])
        self.transition = nn.Sequential(nn.BatchNorm2d(18), nn.ReLU(), nn.Conv2d(18, 8, 1, bias=False), nn.AvgPool2d(2, 2))
        self.norm, self.classifier = nn.BatchNorm2d(8), nn.Linear(8, 5)

    def forward(self, x):
        features = [self.pool(self.stem(x))]
        for layer in self.layers:
            features.append(layer(torch.cat(features, 1)))
        x = F.relu(self.norm(self.transition(torch.cat(features, 1))))
        return self.classifier(torch.flatten(F.adaptive_avg_pool2d(x, (1, 1)), 1))


@entry((3, 3, 12, 12), 9, export=dict(keep_initializers_as_inputs=True, do_constant_folding=False,
                                            training=torch.onnx.TrainingMode.PRESERVE))
class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.pool = conv_bn(3, 6, 3, 1), nn.MaxPool2d(3, 2, 1)
        self.body1 = nn.Sequential(conv_bn(6, 4, 1), conv_bn(4, 4, 3, 2, 2), conv_bn(4, 10, 1, activation=None))
        self.down = conv_bn(6, 10, 1, 2, activation=None)
        self.body2 = nn.Sequential(conv_bn(10, 4, 1), conv_bn(4, 4, 3, 1, 2), conv_bn(4, 10, 1, activation=None))
        self.head = head(10)

    def forward(self, x):
        x = self.pool(self.stem(x))
        x = F.relu(self.body1(x) + self.down(x))
        return self.head(F.relu(self.body2(x) + x))


@entry((2, 3, 12, 12), 16)
class ResNetOnGroups(nn.Module):
    """Group and instance normalisation, weights that are standardised before use."""
    def __init__(self):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.GroupNorm(4, 8)
        self.conv2, self.norm2 = nn.Conv2d(8, 8, 3, 1, 1, bias=False), nn.InstanceNorm2d(8, affine=True)
        self.conv3, self.norm3 = nn.Conv2d(8, 8, 3, 1, 1, bias=False), nn.GroupNorm(1, 8)
        self.head = head(8)

    def forward(self, x):
        x = F.relu(self.norm1(self.conv1(x)))
        w = self.conv2.weight
        w = (w - w.mean([1, 2, 3], keepdim=True)) / (w.std([1, 2, 3], unbiased=False, keepdim=True) + 1e-5)
        y = F.relu(self.norm2(F.conv2d(x, w, None, 1, 1)))
        return self.head(F.relu(self.norm3(self.conv3(y)) + x))


class ChannelsFirstNorm(nn.LayerNorm):
    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ConvNextBlock(nn.Module):
    def __init__(self, channels, scale):
        super().__init__()
        self.block = nn.Sequential(nn.Conv2d(channels, channels, 7, padding=3, groups=channels))
        self.norm, self.fc1, self.fc2 = nn.LayerNorm(channels, 1e-6), nn.Linear(channels, 12), nn.Linear(12, channels)
        self.layer_scale = nn.Parameter(torch.ones(channels, 1, 1) * scale)

    def forward(self, x):
        y = self.norm(self.block(x).permute(0, 2, 3, 1))
        return x + self.layer_scale * self.fc2(F.gelu(self.fc1(y))).permute(0, 3, 1, 2)


@entry((2, 3, 16, 16), 17)
def conv_next():
    return nn.Sequential(nn.Conv2d(3, 6, 4, 4), ChannelsFirstNorm(6, 1e-6), ConvNextBlock(6, 1e-2), ChannelsFirstNorm(6, 1e-6),
                         nn.Conv2d(6, 8, 2, 2), ConvNextBlock(8, 1e-2), nn.AdaptiveAvgPool2d(1), nn.Flatten(1), nn.LayerNorm(8),
                         nn.Linear(8, 5))


@entry((2, 3, 16, 16), 16, fresh=True)
def conv_next_fresh():
    """As training starts: scales of 1e-6, biases of 0, normalisations of 1."""
    return conv_next()


@entry((2, 3, 12, 12), 11)
class UNet(nn.Module):
    """Transposed convolution, resizing by nearest neighbour and by lines, skip connections."""
    def __init__(self):
        super().__init__()
        self.down1, self.down2, self.down3 = conv_bn(3, 4), conv_bn(4, 6, 3, 2), conv_bn(6, 8, 3, 2)
        self.up = nn.ConvTranspose2d(8, 6, 3, stride=2, padding=1, output_padding=1)
        self.join1, self.join2 = nn.Conv2d(12, 4, 3, padding=1), nn.Conv2d(8, 6, 1)
        self.nearest = nn.Upsample(scale_factor=2, mode="nearest")
        self.head = head(9)
        self.side = nn.Conv2d(8, 3, 1)

    def forward(self, x):
        a = self.down1(x)
        b = self.down2(a)
        c = self.down3(b)
        d = F.relu(self.join1(torch.cat([self.up(c), b], 1)))
        e = F.relu(self.join2(torch.cat([self.nearest(d), a], 1)))
        s = F.interpolate(self.side(c), size=(12, 12), mode="bilinear", align_corners=False)
        return self.head(torch.cat([e, s], 1))


@entry((2, 3, 8, 8), 13, labels=(8, 8), classes=4)
class Segmentation(nn.Module):
    """A class for every pixel, as N x H x W x C logits."""
    def __init__(self):
        super().__init__()
        self.down, self.middle = conv_bn(3, 6, 3, 2), nn.Conv2d(6, 6, 3, padding=2, dilation=2)
        self.up, self.out = nn.ConvTranspose2d(6, 6, 2, 2), nn.Conv2d(6, 4, 1)

    def forward(self, x):
        x = F.relu(self.middle(self.down(x)))
        x = self.up(x) + F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
        return self.out(x).permute(0, 2, 3, 1)


@entry((3, 3, 16, 16), 15, export=dict(do_constant_folding=False))
def vgg():
    return nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(True), nn.MaxPool2d(2, 2),
                         nn.Conv2d(6, 8, 3, padding=1), nn.ReLU(True), nn.MaxPool2d(2, 2), nn.AdaptiveAvgPool2d((2, 2)), nn.Flatten(),
                         nn.Linear(32, 16), nn.ReLU(True), nn.Dropout(), nn.Linear(16, 5))


@entry((3, 3, 16, 16), 9)
def alex_net():
    return nn.Sequential(nn.Conv2d(3, 8, 5, 2, 2), nn.ReLU(), nn.LocalResponseNorm(5, 1e-1, 0.75, 2.0), nn.MaxPool2d(3, 2),
                         nn.Conv2d(8, 8, 3, padding=1, groups=2), nn.ReLU(), nn.LocalResponseNorm(4, 1e-1), nn.MaxPool2d(3, 2, 1),
                         nn.Flatten(), nn.Linear(32, 5))


@entry((2, 3, 15, 15), 13)
def inception():
    mixed = Concatenated([
        conv_bn(6, 4, 1), nn.Sequential(conv_bn(6, 3, 1), conv_bn(3, 4, 5)),
        nn.Sequential(conv_bn(6, 3, 1), nn.Conv2d(3, 3, (1, 7), padding=(0, 3)), nn.Conv2d(3, 4, (7, 1), padding=(3, 0)), nn.ReLU()),
        nn.Sequential(nn.AvgPool2d(3, 1, 1), conv_bn(6, 4, 1))])
    reduced = Concatenated([nn.Sequential(nn.AvgPool2d(3, 2, ceil_mode=True, count_include_pad=False), nn.Conv2d(16, 4, 1)),
                            nn.MaxPool2d(3, 2, ceil_mode=True)])
    return nn.Sequential(conv_bn(3, 6, 3, 2), mixed, reduced, head(20))


@entry((3, 3, 12, 12), 14, classes=4)
class SmoothActivations(nn.Module):
    """One layer for each activation that has a second derivative everywhere or nearly so."""
    def __init__(self):
        super().__init__()
        self.convs = nn.ModuleList([nn.Conv2d(3, 4, 3, 2, 1)] + [nn.Conv2d(4, 4, 1) for _ in range(8)])
        self.fc = nn.Linear(4, 4)

    def forward(self, x):
        for conv, act in zip(self.convs, [F.mish, F.softplus, F.silu, torch.tanh, F.gelu, F.celu, F.softsign, F.logsigmoid,
                                          lambda v: F.gelu(v, approximate="tanh")]):
            x = act(conv(x)) + 0.1
        return self.fc(x.flatten(2).mean(-1))


@entry((3, 3, 12, 12), 12, classes=4)
class BentActivations(nn.Module):
    def __init__(self):
        super().__init__()
        self.convs = nn.ModuleList([nn.Conv2d(3, 6, 3, 2, 1)] + [nn.Conv2d(6, 6, 1) for _ in range(6)])
        self.acts = nn.ModuleList([nn.PReLU(6), nn.ELU(0.7), nn.SELU(), nn.LeakyReLU(0.1), nn.PReLU(), nn.Hardtanh(-2, 2), nn.ReLU6()])
        self.fc = nn.Linear(6, 4)

    def forward(self, x):
        for conv, act in zip(self.convs, self.acts):
            x = act(conv(x)) + 0.2 * x.mean()
        return self.fc(x.amax((2, 3)))


@entry((2, 1, 64), 11)
def sound():
    """One-dimensional convolutions with strides, dilations and a weight norm."""
    return nn.Sequential(nn.Conv1d(1, 6, 9, 4, 4), nn.BatchNorm1d(6), nn.ReLU(), nn.MaxPool1d(2),
                         nn.utils.weight_norm(nn.Conv1d(6, 8, 3, padding=2, dilation=2)), nn.GLU(1), nn.AvgPool1d(2),
                         nn.ConvTranspose1d(4, 4, 4, 2, 1), nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(4, 5))


@entry((2, 1, 6, 8, 8), 13)
def volume():
    return nn.Sequential(nn.Conv3d(1, 4, 3, (1, 2, 2), 1), nn.BatchNorm3d(4), nn.ReLU(), nn.MaxPool3d(2, 2, (1, 0, 0)),
                         nn.Conv3d(4, 6, 2), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(6, 5))


@entry((2, 3, 12, 12), 13)
class PixelShuffle(nn.Module):
    """Sub-pixel upsampling, paddings by reflection and repetition, spatial attention by norms."""
    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(3, 8, 3, 2), nn.ReLU())
        self.up, self.gate, self.head = nn.Conv2d(8, 16, 1), nn.Conv2d(2, 1, 3), head(4)
        self.pad = nn.ReplicationPad2d(1)

    def forward(self, x):
        x = F.pixel_shuffle(self.up(self.down(x)), 2)
        stats = torch.cat([x.mean(1, keepdim=True), x.max(1, keepdim=True)[0]], 1)
        return self.head(F.normalize(x * torch.sigmoid(self.gate(self.pad(stats))), dim=1))


@entry((4, 3, 16, 16), 13)
class RegNet(nn.Module):
    """Group convolutions and a squeeze-and-excite; the input is normalised by the model itself."""
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))
        self.stem = conv_bn(3, 8, 3, 2)
        self.block = nn.Sequential(conv_bn(8, 8, 1), conv_bn(8, 8, 3, 2, 4), SqueezeExcite(8, 2, gate=nn.Sigmoid),
                                   conv_bn(8, 8, 1, activation=None))
        self.down, self.head = conv_bn(8, 8, 1, 2, activation=None), head(8)

    def forward(self, x):
        x = self.stem((x - self.mean) / self.std)
        return self.head(F.relu(self.down(x) + self.block(x)))


@entry((3, 20), 13, fresh=True)
class Mlp(nn.Module):
    """Normalised features, a learned temperature, cosine logits."""
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(20, 16), nn.LayerNorm(16), nn.Tanh(), nn.utils.weight_norm(nn.Linear(16, 12)), nn.GELU())
        self.weight, self.log_temperature = nn.Parameter(torch.randn(5, 12)), nn.Parameter(torch.tensor(1.5))

    def forward(self, x):
        return self.log_temperature.exp() * F.linear(F.normalize(self.body(x)), F.normalize(self.weight))


@entry((2, 3, 16, 16), 15)
class MlpMixer(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(3, 8, 4, 4)
        self.norm1, self.norm2, self.norm3 = nn.LayerNorm(8), nn.LayerNorm(8), nn.LayerNorm(8)
        self.tokens = nn.Sequential(nn.Linear(16, 12), nn.GELU(), nn.Linear(12, 16))
        self.channels = nn.Sequential(nn.Linear(8, 12), nn.GELU(), nn.Linear(12, 8))
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = x + self.tokens(self.norm1(x).transpose(1, 2)).transpose(1, 2)
        x = x + self.channels(self.norm2(x))
        return self.fc(self.norm3(x).mean(1))


@entry((2, 3, 16, 16), 14)
class Swin(nn.Module):
    """Windows that are shifted by rolling, with a table of relative positions and a mask, and merged patches."""
    def __init__(self):
        super().__init__()
        self.patch, self.norm1, self.norm2 = nn.Conv2d(3, 8, 2, 2), nn.LayerNorm(8), nn.LayerNorm(8)
        self.qkv, self.proj = nn.Linear(8, 24), nn.Linear(8, 8)
        self.table = nn.Parameter(torch.randn(49, 2) * 0.02)
        at = torch.stack(torch.meshgrid(torch.arange(4), torch.arange(4), indexing="ij")).flatten(1)
        difference = at[:, :, None] - at[:, None, :] + 3
        self.register_buffer("index", difference[0] * 7 + difference[1])
        self.register_buffer("mask", self.apart(8, 8, 2))
        self.mlp = nn.Sequential(nn.Linear(8, 8), nn.GELU(), nn.Linear(8, 8))
        self.merge_norm, self.merge = nn.LayerNorm(32), nn.Linear(32, 6, bias=False)
        self.norm3, self.fc = nn.LayerNorm(6), nn.Linear(6, 5)

    @staticmethod
    def apart(h, w, shift):
        """-100 between positions of one window that lay apart before the shift."""
        region = torch.zeros(h, w)
        for i, rows in enumerate((slice(0, -4), slice(-4, -shift), slice(-shift, None))):
            for j, columns in enumerate((slice(0, -4), slice(-4, -shift), slice(-shift, None))):
                region[rows, columns] = 3 * i + j
        region = region.view(h // 4, 4, w // 4, 4).permute(0, 2, 1, 3).reshape(-1, 16)
        return (region[:, None] != region[:, :, None]).float() * -100.0

    def attention(self, x, shift):
        n, h, w, c = x.shape
        x = torch.roll(x, (-shift, -shift), (1, 2)) if shift else x
        x = x.view(n, h // 4, 4, w // 4, 4, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, 16, c)
        q, k, v = self.qkv(x).reshape(x.shape[0], 16, 3, 2, c // 2).permute(2, 0, 3, 1, 4)
        scores = q * (c // 2) ** -0.5 @ k.transpose(-2, -1)
        scores = scores + self.table[self.index.view(-1)].view(16, 16, 2).permute(2, 0, 1).unsqueeze(0)
        if shift:
            scores = (scores.view(-1, 4, 2, 16, 16) + self.mask[None, :, None]).view(-1, 2, 16, 16)
        x = self.proj((scores.softmax(-1) @ v).transpose(1, 2).reshape(-1, 16, c))
        x = x.view(n, h // 4, w // 4, 4, 4, c).permute(0, 1, 3, 2, 4, 5).reshape(n, h, w, c)
        return torch.roll(x, (shift, shift), (1, 2)) if shift else x

    def forward(self, x):
        x = self.patch(x).permute(0, 2, 3, 1)
        for shift in (0, 2):
            x = x + self.attention(self.norm1(x), shift)
            x = x + self.mlp(self.norm2(x))
        x = torch.cat([x[:, 0::2, 0::2], x[:, 1::2, 0::2], x[:, 0::2, 1::2], x[:, 1::2, 1::2]], -1)
        return self.fc(self.norm3(self.merge(self.merge_norm(x))).mean((1, 2)))
