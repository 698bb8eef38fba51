using System.CommandLine;
using System.Globalization;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Training.Devices;
using RegistryUnlearn.Worker.Models;

namespace RegistryUnlearn.Cli.Commands;

/// <summary>Options and arguments that several commands share.</summary>
static class CommonOptions
{
    public const string Json = "json";

    public static Option<string> Output { get; } = ForAllCommands(
        Choice("--output", "Format of the answer on standard output.", "text", Json));

    public static Option<bool> Verbose { get; } = ForAllCommands(
        new Option<bool>("--verbose") { Description = "Show where an error happened." });

    /// <summary>Of the commands that run models; taken before their bodies.</summary>
    public static Option<string> Device { get; } = Choice(
        "--device", "Where models run; cuda needs a build with -p:OnnxRuntimeFlavor=Gpu.",
        ExecutionDevice.Cpu.Name, ExecutionDevice.Cuda.Name);

    public static Argument<string> Model() => new("model.onnx") { Description = "The ONNX model, a classifier." };

    public static Option<string?> Logits() => new("--logits")
    {
        Description = "Name of the value that holds the logits. Default: the first output of floats with a batch and another axis.",
        HelpName = "name",
    };

    public static Option<int?> ClassAxis() => new("--class-axis")
    {
        Description = "Axis of the logits that holds the classes, counted from 0 for the batch, or from the back as -1, -2. "
            + "Default: the axis that the shape of the labels leaves.",
        HelpName = "axis",
    };

    public static LogitChoice LogitChoice(ParseResult parsed, Option<string?> logits, Option<int?> classAxis) =>
        new(parsed.GetValue(logits), parsed.GetValue(classAxis));

    /// <summary>Sizes of dimensions, as in <c>sequence=128</c>.</summary>
    public static Option<OpenSizes> Fix() => new("--fix")
    {
        Description = "Size of a dimension of the samples that the model leaves open: by its name, or by its place counted from 0 for the "
            + "batch. May be given several times.",
        HelpName = "dimension=size",
        Arity = ArgumentArity.OneOrMore,
        CustomParser = result =>
        {
            var sizes = new Dictionary<string, long>(StringComparer.Ordinal);
            foreach (var text in result.Tokens.Select(t => t.Value))
                if (text.LastIndexOf('=') is not (> 0 and var at)
                    || !long.TryParse(text.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var size) || size < 1)
                    result.AddError($"--fix {text}: give a dimension and its size, as in --fix sequence=128");
                else if (!sizes.TryAdd(text[..at], size))
                    result.AddError($"--fix {text}: the dimension has a size already");
            return new(sizes);
        },
        DefaultValueFactory = _ => OpenSizes.None,
    };

    public static Option<string[]> Include() => new("--include")
    {
        Description = "Train only parameters of this name; * and ? stand for any characters. May be given several times. "
            + "Default: all that are detected.",
        HelpName = "pattern",
        DefaultValueFactory = _ => [],
    };

    public static Option<string[]> Exclude() => new("--exclude")
    {
        Description = "Do not train parameters of this name; * and ? stand for any characters. May be given several times.",
        HelpName = "pattern",
        DefaultValueFactory = _ => [],
    };

    public static ParameterPatterns Patterns(ParseResult parsed, Option<string[]> include, Option<string[]> exclude) =>
        new(parsed.GetValue(include) ?? [], parsed.GetValue(exclude) ?? []);

    static Option<T> ForAllCommands<T>(Option<T> option)
    {
        option.Recursive = true;
        return option;
    }

    /// <summary>A path that must be given.</summary>
    public static Option<string> File(string name, string helpName, string description) =>
        new(name) { Description = description, HelpName = helpName, Required = true };

    /// <summary>One of a few words; the first is the default.</summary>
    public static Option<string> Choice(string name, string description, params string[] words)
    {
        var option = new Option<string>(name) { Description = description, DefaultValueFactory = _ => words[0] };
        option.AcceptOnlyFromAmong(words);
        return option;
    }
}
