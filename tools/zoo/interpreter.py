"""Evaluates an ONNX graph with PyTorch in a chosen precision, so that autograd gives derivatives by the graph's own initializers.

Exporters fold, transpose, concatenate and rename parameters. Derivatives by what the file really stores are therefore taken of the file's
graph; that this graph is the exported module is checked by comparing its outputs with the module's.
"""
import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper

INT64_MAX = np.iinfo(np.int64).max
OPERATORS = {}


def operator(*names):
    def register(function):
        OPERATORS.update({name: function for name in names})
        return function
    return register


class Node:
    """One node with its attributes as Python values, in the form of operator set 13 and newer where these moved to inputs."""

    def __init__(self, proto, opset):
        self.op, self.opset, self.inputs, self.outputs = proto.op_type, opset, list(proto.input), list(proto.output)
        self.attributes = {a.name: onnx.helper.get_attribute_value(a) for a in proto.attribute}

    def get(self, name, otherwise=None):
        value = self.attributes.get(name, otherwise)
        return value.decode() if isinstance(value, bytes) else value

    def ints(self, name, args, slot):
        """Integers that older operator sets hold as an attribute and newer ones as an input; None where neither is there."""
        if name in self.attributes:
            return list(self.attributes[name])
        return [int(v) for v in args[slot].reshape(-1)] if slot < len(args) and args[slot] is not None else None


class Interpreter:
    def __init__(self, model, dtype=torch.float64):
        self.model, self.dtype = model, dtype
        self.opset = next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
        self.initializers = {t.name: self.tensor(t) for t in model.graph.initializer}
        self.nodes = [Node(n, self.opset) for n in model.graph.node]
        self.input = next(i.name for i in model.graph.input if i.name not in self.initializers)
        self.output = model.graph.output[0].name

    def tensor(self, proto):
        value = torch.from_numpy(numpy_helper.to_array(proto).copy())
        return value.to(self.dtype) if value.is_floating_point() else value

    def __call__(self, sample, parameters=None):
        values = dict(self.initializers, **(parameters or {}))
        values[self.input] = sample.to(self.dtype) if sample.is_floating_point() else sample
        values[""] = None
        for node in self.nodes:
            if node.op not in OPERATORS:
                raise NotImplementedError(node.op)
            result = OPERATORS[node.op](self, node, *[values[name] for name in node.inputs])
            results = result if isinstance(result, (tuple, list)) else [result]
            values.update(zip(node.outputs, results))
        return values[self.output]


def elementwise(name, function):
    OPERATORS[name] = lambda run, node, *args: function(*args)


def _div(a, b):
    return a / b if a.is_floating_point() else torch.div(a, b, rounding_mode="trunc")


for _name, _function in {
    "Add": torch.add, "Sub": torch.sub, "Mul": torch.mul, "Div": _div, "Pow": lambda a, b: torch.pow(a, b.to(a.dtype)),
    "Neg": torch.neg, "Abs": torch.abs, "Sqrt": torch.sqrt, "Exp": torch.exp, "Log": torch.log, "Reciprocal": torch.reciprocal,
    "Erf": torch.erf, "Tanh": torch.tanh, "Sigmoid": torch.sigmoid, "Softplus": F.softplus, "Relu": torch.relu, "Sin": torch.sin,
    "Cos": torch.cos, "Floor": torch.floor, "Ceil": torch.ceil, "HardSwish": F.hardswish, "Identity": lambda x: x, "Sign": torch.sign,
    "Softsign": F.softsign, "Mish": F.mish, "Not": torch.logical_not, "And": torch.logical_and, "Or": torch.logical_or,
    "Equal": torch.eq, "Less": torch.lt, "Greater": torch.gt, "LessOrEqual": torch.le, "GreaterOrEqual": torch.ge,
    "Where": torch.where, "Mod": torch.remainder, "Dropout": lambda x, *_: x, "Size": lambda x: torch.tensor(x.numel()),
    "Range": lambda a, b, s: torch.arange(a.item(), b.item(), s.item(), dtype=a.dtype),
}.items():
    elementwise(_name, _function)


@operator("Max", "Min", "Sum", "Mean")
def _variadic(run, node, *args):
    fold = {"Max": torch.maximum, "Min": torch.minimum}.get(node.op, torch.add)
    total = args[0]
    for arg in args[1:]:
        total = fold(total, arg)
    return total / len(args) if node.op == "Mean" else total


@operator("LeakyRelu", "Elu", "Celu", "Selu", "HardSigmoid", "PRelu", "ThresholdedRelu")
def _activation(run, node, x, slope=None):
    if node.op == "LeakyRelu":
        return F.leaky_relu(x, node.get("alpha", 0.01))
    if node.op == "Elu":
        return F.elu(x, node.get("alpha", 1.0))
    if node.op == "Celu":
        return F.celu(x, node.get("alpha", 1.0))
    if node.op == "Selu":
        return F.selu(x)
    if node.op == "PRelu":
        return torch.where(x < 0, slope * x, x)
    if node.op == "ThresholdedRelu":
        return torch.where(x > node.get("alpha", 1.0), x, torch.zeros_like(x))
    return torch.clamp(node.get("alpha", 0.2) * x + node.get("beta", 0.5), 0, 1)


@operator("Clip")
def _clip(run, node, x, low=None, high=None):
    low = node.get("min") if low is None else low.item()
    high = node.get("max") if high is None else high.item()
    return torch.clamp(x, low, high)


@operator("Softmax", "LogSoftmax")
def _softmax(run, node, x):
    function = F.softmax if node.op == "Softmax" else F.log_softmax
    if node.opset >= 13:
        return function(x, node.get("axis", -1))
    axis = node.get("axis", 1) % x.dim()
    return function(x.flatten(axis), axis).reshape(x.shape)


@operator("Constant")
def _constant(run, node):
    if "value" in node.attributes:
        return run.tensor(node.attributes["value"])
    (name, value), = node.attributes.items()
    return torch.tensor(value, dtype=run.dtype if "float" in name else torch.int64)


@operator("ConstantOfShape")
def _constant_of_shape(run, node, shape):
    value = run.tensor(node.attributes["value"]) if "value" in node.attributes else torch.zeros(1, dtype=run.dtype)
    return torch.full([int(d) for d in shape], value.item(), dtype=value.dtype)


@operator("Cast")
def _cast(run, node, x):
    kinds = {onnx.TensorProto.INT64: torch.int64, onnx.TensorProto.INT32: torch.int32, onnx.TensorProto.BOOL: torch.bool,
             onnx.TensorProto.UINT8: torch.uint8}
    return x.to(kinds.get(node.get("to"), run.dtype))


@operator("Shape")
def _shape(run, node, x):
    return torch.tensor(x.shape, dtype=torch.int64)


@operator("Reshape")
def _reshape(run, node, x, shape):
    sizes = [int(d) for d in shape]
    return x.reshape([x.shape[i] if d == 0 and not node.get("allowzero", 0) else d for i, d in enumerate(sizes)])


@operator("Flatten")
def _flatten(run, node, x):
    axis = node.get("axis", 1) % (x.dim() + 1)
    return x.reshape(int(np.prod(x.shape[:axis])), -1)


@operator("Transpose")
def _transpose(run, node, x):
    return x.permute(node.get("perm", list(range(x.dim()))[::-1]))


@operator("Squeeze", "Unsqueeze")
def _squeeze(run, node, *args):
    x, axes = args[0], node.ints("axes", args, 1)
    if node.op == "Squeeze":
        axes = [i for i, d in enumerate(x.shape) if d == 1] if axes is None else axes
        for axis in sorted((a % x.dim() for a in axes), reverse=True):
            x = x.squeeze(axis)
        return x
    for axis in sorted(a % (x.dim() + len(axes)) for a in axes):
        x = x.unsqueeze(axis)
    return x


@operator("Concat")
def _concat(run, node, *args):
    return torch.cat(args, node.get("axis"))


@operator("Split")
def _split(run, node, *args):
    x, axis, parts = args[0], node.get("axis", 0), node.ints("split", args, 1)
    return torch.split(x, parts or x.shape[axis] // len(node.outputs), axis)


@operator("Slice")
def _slice(run, node, *args):
    x = args[0]
    starts, ends = node.ints("starts", args, 1), node.ints("ends", args, 2)
    axes, steps = node.ints("axes", args, 3) or list(range(len(starts))), node.ints("steps", args, 4) or [1] * len(starts)
    for start, end, axis, step in zip(starts, ends, axes, steps):
        low = None if step < 0 and end <= -INT64_MAX else end
        x = x.index_select(axis, torch.from_numpy(np.arange(x.shape[axis])[slice(start, low, step)].copy()))
    return x


@operator("Gather")
def _gather(run, node, x, indices):
    axis = node.get("axis", 0) % x.dim()
    indices = torch.where(indices < 0, indices + x.shape[axis], indices)
    picked = x.index_select(axis, indices.reshape(-1).long())
    return picked.reshape(x.shape[:axis] + indices.shape + x.shape[axis + 1:])


@operator("GatherElements")
def _gather_elements(run, node, x, indices):
    axis = node.get("axis", 0)
    return torch.gather(x, axis, torch.where(indices < 0, indices + x.shape[axis], indices))


@operator("GatherND")
def _gather_nd(run, node, x, indices):
    return x[tuple(indices.unbind(-1))]


@operator("ScatterND")
def _scatter_nd(run, node, x, indices, updates):
    return x.index_put(tuple(indices.unbind(-1)), updates)


@operator("Expand")
def _expand(run, node, x, shape):
    return x.expand(torch.broadcast_shapes(x.shape, tuple(int(d) for d in shape)))


@operator("Tile")
def _tile(run, node, x, repeats):
    return x.repeat([int(r) for r in repeats])


@operator("Trilu")
def _trilu(run, node, x, k=None):
    return (torch.triu if node.get("upper", 1) else torch.tril)(x, 0 if k is None else int(k))


@operator("Pad")
def _pad(run, node, *args):
    x, pads, mode = args[0], node.ints("pads", args, 1), node.get("mode", "constant")
    value = args[2].item() if len(args) > 2 and args[2] is not None else node.get("value", 0.0)
    rank = x.dim()
    pairs = [(pads[i], pads[i + rank]) for i in range(rank)]
    if mode == "constant":
        return F.pad(x, [p for pair in pairs[::-1] for p in pair], value=value)
    skip = next((i for i, p in enumerate(pairs) if p != (0, 0)), 0)
    return F.pad(x, [p for pair in pairs[max(skip, 2):][::-1] for p in pair], mode={"reflect": "reflect", "edge": "replicate"}[mode])


@operator("MatMul")
def _matmul(run, node, a, b):
    return torch.matmul(a, b)


@operator("Gemm")
def _gemm(run, node, a, b, c=None):
    a, b = (a.t() if node.get("transA", 0) else a), (b.t() if node.get("transB", 0) else b)
    product = node.get("alpha", 1.0) * (a @ b)
    return product if c is None else product + node.get("beta", 1.0) * c


@operator("Einsum")
def _einsum(run, node, *args):
    return torch.einsum(node.get("equation"), *args)


@operator("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL2", "ReduceProd", "ReduceSumSquare", "ReduceL1", "ReduceLogSumExp")
def _reduce(run, node, *args):
    x, axes, keep = args[0], node.ints("axes", args, 1), bool(node.get("keepdims", 1))
    axes = tuple(range(x.dim())) if axes is None else tuple(axes)
    if node.op == "ReduceProd":
        return x.prod(axes[0], keep)
    return {"ReduceMean": torch.mean, "ReduceSum": torch.sum, "ReduceMax": torch.amax, "ReduceMin": torch.amin,
            "ReduceL2": lambda v, d, k: v.square().sum(d, k).sqrt(), "ReduceSumSquare": lambda v, d, k: v.square().sum(d, k),
            "ReduceL1": lambda v, d, k: v.abs().sum(d, k), "ReduceLogSumExp": torch.logsumexp}[node.op](x, axes, keep)


@operator("ArgMax")
def _argmax(run, node, x):
    return torch.argmax(x, node.get("axis", 0), bool(node.get("keepdims", 1)))


@operator("TopK")
def _topk(run, node, x, k):
    return torch.topk(x, int(k), node.get("axis", -1), bool(node.get("largest", 1)), bool(node.get("sorted", 1)))


@operator("CumSum")
def _cumsum(run, node, x, axis):
    return torch.cumsum(x, int(axis))


def _same(node, x, kernel, strides, dilations):
    """Amounts of padding at both ends of every axis; the second may exceed the first for SAME_UPPER."""
    mode, rank = node.get("auto_pad", "NOTSET"), len(kernel)
    if not mode.startswith("SAME"):
        pads = node.get("pads", [0] * 2 * rank)
        return list(zip(pads[:rank], pads[rank:]))
    needs = [max((-(-d // s) - 1) * s + (k - 1) * g + 1 - d, 0) for d, k, s, g in zip(x.shape[2:], kernel, strides, dilations)]
    return [(n // 2, n - n // 2) if mode == "SAME_UPPER" else (n - n // 2, n // 2) for n in needs]


def _window(node, x, kernel):
    ones = [1] * len(kernel)
    strides, dilations = node.get("strides", ones), node.get("dilations", ones)
    return strides, dilations, _same(node, x, kernel, strides, dilations)


def _padded(x, pads, value=0.0):
    return F.pad(x, [p for pair in pads[::-1] for p in pair], value=value)


@operator("Conv")
def _conv(run, node, x, w, b=None):
    strides, dilations, pads = _window(node, x, w.shape[2:])
    function = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[w.dim() - 2]
    return function(_padded(x, pads), w, b, strides, 0, dilations, node.get("group", 1))


@operator("ConvTranspose")
def _conv_transpose(run, node, x, w, b=None):
    strides, dilations, pads = _window(node, x, w.shape[2:])
    function = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}[w.dim() - 2]
    extra = node.get("output_padding", [0] * (w.dim() - 2))
    return function(x, w, b, strides, [p[0] for p in pads], extra, node.get("group", 1), dilations)


@operator("MaxPool")
def _max_pool(run, node, x):
    kernel = node.get("kernel_shape")
    strides, dilations, pads = _window(node, x, kernel)
    function = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}[len(kernel)]
    pooled = function(_padded(x, pads, -np.inf), kernel, strides, 0, dilations, bool(node.get("ceil_mode", 0)))
    for axis, (size, (front, _), stride) in enumerate(zip(x.shape[2:], pads, strides), start=2):
        # No window starts in the padding at the end.
        pooled = pooled.narrow(axis, 0, min(pooled.shape[axis], -(-(size + front) // stride)))
    return pooled


@operator("AveragePool")
def _average_pool(run, node, x):
    kernel = node.get("kernel_shape")
    strides, _, pads = _window(node, x, kernel)
    function = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}[len(kernel)]
    ceil, counted = bool(node.get("ceil_mode", 0)), bool(node.get("count_include_pad", 0))
    if all(a == b for a, b in pads):
        return function(x, kernel, strides, [p[0] for p in pads], ceil, counted)
    mean = function(_padded(x, pads), kernel, strides, 0, ceil)
    return mean if counted else mean / function(_padded(torch.ones_like(x), pads), kernel, strides, 0, ceil)


@operator("GlobalAveragePool", "GlobalMaxPool")
def _global_pool(run, node, x):
    return (torch.mean if "Average" in node.op else torch.amax)(x, tuple(range(2, x.dim())), keepdim=True)


@operator("BatchNormalization")
def _batch_norm(run, node, x, scale, bias, mean, variance):
    return F.batch_norm(x, mean, variance, scale, bias, False, 0.0, node.get("epsilon", 1e-5))


@operator("InstanceNormalization")
def _instance_norm(run, node, x, scale, bias):
    return F.instance_norm(x, None, None, scale, bias, True, 0.0, node.get("epsilon", 1e-5))


@operator("LayerNormalization")
def _layer_norm(run, node, x, scale, bias=None):
    axis = node.get("axis", -1) % x.dim()
    return F.layer_norm(x, x.shape[axis:], scale, bias, node.get("epsilon", 1e-5))


@operator("LRN")
def _lrn(run, node, x):
    return F.local_response_norm(x, node.get("size"), node.get("alpha", 1e-4), node.get("beta", 0.75), node.get("bias", 1.0))


@operator("DepthToSpace")
def _depth_to_space(run, node, x):
    if node.get("mode", "DCR") == "CRD":
        return F.pixel_shuffle(x, node.get("blocksize"))
    b, (n, c, h, w) = node.get("blocksize"), x.shape
    return x.reshape(n, b, b, c // b // b, h, w).permute(0, 3, 4, 1, 5, 2).reshape(n, c // b // b, h * b, w * b)


@operator("SpaceToDepth")
def _space_to_depth(run, node, x):
    b, (n, c, h, w) = node.get("blocksize"), x.shape
    return x.reshape(n, c, h // b, b, w // b, b).permute(0, 3, 5, 1, 2, 4).reshape(n, c * b * b, h // b, w // b)


@operator("Resize", "Upsample")
def _resize(run, node, *args):
    x = args[0]
    scales = args[1] if node.op == "Upsample" or node.opset == 10 else args[2] if len(args) > 2 else None
    if len(args) > 3 and args[3] is not None:
        size = [int(s) for s in args[3]][2:]
        factors = [s / d for s, d in zip(size, x.shape[2:])]
    else:
        factors = [float(s) for s in scales[2:]]
        size = [int(np.floor(d * s)) for d, s in zip(x.shape[2:], factors)]
    coordinates = node.get("coordinate_transformation_mode", "asymmetric" if node.op == "Upsample" or node.opset == 10 else "half_pixel")
    for axis, (count, factor) in enumerate(zip(size, factors), start=2):
        x = _resize_axis(x, axis, count, factor, node.get("mode", "nearest"), coordinates, node.get("nearest_mode", "round_prefer_floor"))
    return x


def _resize_axis(x, axis, count, factor, mode, coordinates, rounding):
    length, at = x.shape[axis], torch.arange(count, dtype=torch.float64)
    if coordinates == "align_corners":
        source = at * ((length - 1) / (count - 1) if count > 1 else 0)
    elif coordinates == "asymmetric":
        source = at / factor
    else:
        source = (at + 0.5) / factor - 0.5
        if coordinates == "pytorch_half_pixel" and count == 1:
            source = source * 0
    if mode == "nearest":
        rounded = torch.floor(source) if rounding == "floor" else torch.ceil(source - 0.5)
        return x.index_select(axis, rounded.long().clamp(0, length - 1))
    low = torch.floor(source)
    weight = (source - low).to(x.dtype).reshape([-1 if i == axis else 1 for i in range(x.dim())])
    pick = lambda index: x.index_select(axis, index.long().clamp(0, length - 1))
    return pick(low) * (1 - weight) + pick(low + 1) * weight


@operator("LSTM", "GRU", "RNN")
def _recurrent(run, node, x, w, r, b=None, lengths=None, h0=None, c0=None, p=None):
    hidden, directions = node.get("hidden_size"), w.shape[0]
    gates = w.shape[1] // hidden
    steps, batch = x.shape[:2]
    sides, last_h, last_c = [], [], []
    for side in range(directions):
        wx, wr = (b[side, :gates * hidden], b[side, gates * hidden:]) if b is not None else (0, 0)
        h = h0[side] if h0 is not None else torch.zeros(batch, hidden, dtype=run.dtype)
        c = c0[side] if c0 is not None else torch.zeros(batch, hidden, dtype=run.dtype)
        backward = side == 1 or node.get("direction", "forward") == "reverse"
        seen = [None] * steps
        for t in (reversed(range(steps)) if backward else range(steps)):
            given, kept = x[t] @ w[side].t() + wx, h @ r[side].t() + wr
            if node.op == "RNN":
                activation = [a.decode() for a in node.attributes.get("activations", [b"Tanh"] * directions)][side]
                h = (torch.relu if activation == "Relu" else torch.tanh)(given + kept)
            elif node.op == "GRU":
                assert node.get("linear_before_reset", 0) == 1
                (gz, gr, gn), (kz, kr, kn) = given.chunk(3, 1), kept.chunk(3, 1)
                z, reset = torch.sigmoid(gz + kz), torch.sigmoid(gr + kr)
                h = (1 - z) * torch.tanh(gn + reset * kn) + z * h
            else:
                i, o, f, g = (given + kept).chunk(4, 1)
                c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
                h = torch.sigmoid(o) * torch.tanh(c)
            seen[t] = h
        sides.append(torch.stack(seen))
        last_h.append(h)
        last_c.append(c)
    return torch.stack(sides, 1), torch.stack(last_h), torch.stack(last_c)
