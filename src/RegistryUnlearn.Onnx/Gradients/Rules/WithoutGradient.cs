namespace RegistryUnlearn.Onnx.Gradients.Rules;

/// <summary>Operators through which no gradient flows, said explicitly; and operators that would need one but are refused.</summary>
static class WithoutGradient
{
    public static IReadOnlyList<Rule> Rules { get; } =
    [
        .. new[]
        {
            "Shape", "Size", "Constant", "ConstantOfShape", "Range", "NonZero", "ArgMax", "ArgMin", "OneHot", "EyeLike", "Equal", "Greater",
            "GreaterOrEqual", "Less", "LessOrEqual", "Not", "And", "Or", "Xor", "IsNaN", "IsInf", "Sign", "Floor", "Ceil", "Round", "Mod",
            "Hardmax", "BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitwiseNot", "NonMaxSuppression", "Multinomial",
            "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Bernoulli",
        }.Select(op => new Rule("", op, 1, _ => []) { StopsGradient = true }),
        .. Refused("control flow is not differentiated; export the model with control flow unrolled or folded",
            "If", "Loop", "Scan", "SequenceMap"),
        .. Refused("quantized models are not differentiated; unlearn in the float32 model and quantize the result",
            "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger",
            "com.microsoft.QAttention", "com.microsoft.QLinearAdd", "com.microsoft.QLinearMul", "com.microsoft.QLinearSigmoid",
            "com.microsoft.QLinearLeakyRelu", "com.microsoft.QLinearSoftmax", "com.microsoft.QLinearAveragePool",
            "com.microsoft.QLinearGlobalAveragePool", "com.microsoft.QLinearConcat", "com.microsoft.QGemm", "com.microsoft.MatMulNBits",
            "com.microsoft.MatMulIntegerToFloat", "com.microsoft.DynamicQuantizeMatMul", "com.microsoft.DynamicQuantizeLSTM",
            "com.microsoft.QEmbedLayerNormalization", "com.microsoft.QuantizeLinear", "com.microsoft.DequantizeLinear"),
        .. Refused("sampling at computed positions is not differentiated; train only the layers behind it",
            "GridSample", "AffineGrid", "RoiAlign", "MaxRoiPool", "DeformConv", "CenterCropPad"),
        .. Refused("the size of the result depends on the data; train only the layers behind it", "Compress", "Unique"),
        .. Refused("sequences and optional values are not differentiated; export the model with plain tensors",
            "SequenceConstruct", "SequenceInsert", "SequenceErase", "SequenceAt", "SplitToSequence", "ConcatFromSequence", "Optional",
            "OptionalGetElement"),
        .. Refused("this form of attention is not differentiated; use the model as it was before ONNX Runtime optimized it",
            "com.microsoft.DecoderMaskedMultiHeadAttention", "com.microsoft.DecoderMaskedSelfAttention", "com.microsoft.PackedAttention",
            "com.microsoft.PackedMultiHeadAttention", "com.microsoft.LongformerAttention", "com.microsoft.SparseAttention",
            "com.microsoft.PagedAttention"),
        .. Refused(
            "layers in ONNX Runtime's blocked layout are not differentiated; use the model as it was before ONNX Runtime optimized it",
            "com.microsoft.nchwc.Conv", "com.microsoft.nchwc.MaxPool", "com.microsoft.nchwc.AveragePool",
            "com.microsoft.nchwc.GlobalAveragePool", "com.microsoft.nchwc.ReorderInput", "com.microsoft.nchwc.ReorderOutput"),
        .. Refused("it has no gradient rule yet; train only the layers behind it",
            "DFT", "STFT"),
    ];

    static IEnumerable<Rule> Refused(string reason, params string[] operators) => operators.Select(name =>
    {
        var dot = name.LastIndexOf('.');
        return new Rule(dot < 0 ? "" : name[..dot], name[(dot + 1)..], 1, _ => []) { Refusal = reason };
    });
}
