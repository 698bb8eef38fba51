using Microsoft.ML.OnnxRuntime;
using RegistryUnlearn.Auditing;
using RegistryUnlearn.Cli.Tests.Support;
using RegistryUnlearn.Lineage;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Runtime;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Training.Devices;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Methods;
using RegistryUnlearn.Worker;

namespace RegistryUnlearn.Cli.Tests;

public sealed class CommandLineTests
{
    public static TheoryData<Exception, int> Exceptions { get; } = new()
    {
        { new InputException("a", "b"), 2 },
        { new OnnxModelException("a"), 2 },
        { new DeviceException("a"), 2 },
        { new DataException("a", null, "b", "c"), 2 },
        { new DivergedException(1, "the loss"), 2 },
        { new AuditInputException("a"), 2 },
        { new RegistryException(RegistryErrorKind.Full, "a", "b"), 2 },
        { new LineageException("a", "b"), 2 },
        { new FormatException(), 2 },
        { new FileNotFoundException(), 2 },
        { new IOException("No space left on device"), 2 },
        { new UnauthorizedAccessException(), 2 },
        { new OperationCanceledException(), 130 },
        { new TaskCanceledException(), 130 },
        { new InvalidOperationException(), 1 },
        { new NullReferenceException(), 1 },
    };

    [Theory, MemberData(nameof(Exceptions))]
    public void Every_exception_has_its_exit_code(Exception exception, int code) => Assert.Equal(code, ExitCodes.Of(exception));

    [Fact]
    public async Task Says_its_version()
    {
        using var work = new Workspace();
        Assert.Equal(new Outcome(0, "0.1.0\n", ""), await work.RunAsync("--version"));
    }

    [Theory]
    [InlineData("--help", "registry-unlearn [command] [options]")]
    [InlineData("inspect --help", "gradients <model.onnx>")]
    [InlineData("inspect gradients --help", "--batch <in.npz>")]
    [InlineData("inspect ltu-step --help", "--mode <protect-remember|symmetric>")]
    [InlineData("artifacts build --help", "--out <folder>")]
    [InlineData("train --help", "--method-options <file>")]
    public async Task Explains_itself(string commandLine, string contains)
    {
        using var work = new Workspace();
        var outcome = await work.RunAsync(commandLine);
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        Assert.Contains(contains, outcome.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("run request.json --registry models")]
    [InlineData("train model.onnx --data train.npz --out trained.onnx")]
    [InlineData("inspect gradients model.onnx --batch in.npz --out out.npz")]
    [InlineData("inspect ltu-step model.onnx --config config.json --batch in.npz --out out.npz")]
    public async Task A_build_without_CUDA_names_the_package_that_has_it(string commandLine)
    {
        using var work = new Workspace();
        using var options = OrtRuntime.NewOptions();
        Assert.SkipWhen(OrtEnv.Instance().GetAvailableProviders().Contains("CUDAExecutionProvider"), "this build has CUDA");
        Assert.Equal(
            new Outcome(2, "", "the device cuda needs an ONNX Runtime with CUDA: build with 'dotnet build -p:OnnxRuntimeFlavor=Gpu' "
                + "(package Microsoft.ML.OnnxRuntime.Gpu) on a machine with an NVIDIA GPU, CUDA and cuDNN\n"),
            await work.RunAsync($"{commandLine} --device cuda"));
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 2)]
    public async Task A_defect_says_that_it_is_one(bool verbose, int atLeast)
    {
        using StringWriter output = new() { NewLine = "\n" }, error = new() { NewLine = "\n" };
        var host = new CommandHost(new(output, error), TimeProvider.System);
        var root = new System.CommandLine.RootCommand { Commands.CommonOptions.Output, Commands.CommonOptions.Verbose };
        root.Add(host.Run(new System.CommandLine.Command("break"), (_, _) => throw new InvalidOperationException("broken\u001b[2J")));
        var parsed = root.Parse(verbose ? "break --verbose" : "break");
        Assert.Equal(ExitCodes.Defect, await parsed.InvokeAsync(cancellationToken: TestContext.Current.CancellationToken));
        var lines = error.ToString().Split('\n');
        Assert.Equal("This is a defect of registry-unlearn, please report it: InvalidOperationException: broken?[2J", lines[0]);
        Assert.Equal(verbose, lines.Count(l => l.Contains("   at ", StringComparison.Ordinal)) >= atLeast);
        Assert.Equal("", output.ToString());
    }
}
