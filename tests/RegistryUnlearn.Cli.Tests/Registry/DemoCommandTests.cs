namespace RegistryUnlearn.Cli.Tests.Registry;

public sealed class DemoCommandTests
{
    [Fact]
    public async Task A_folder_of_others_is_left_alone()
    {
        using var folder = await TinyFolder.CreateAsync();
        var before = folder.Served();
        var result = await CommandResult.OfAsync("demo", "--out", folder.Path, "--output", "json");
        var expected = $"{folder.Path}: the folder is not empty and no earlier demo; choose another with --out\n";
        Assert.Equal((2, expected), (result.Code, result.Error));
        Assert.Equal(2, result.Json.GetProperty("error").GetProperty("exitCode").GetInt32());
        var file = Path.Combine(folder.Path, "datasets/train.npz");
        var onFile = await CommandResult.OfAsync("demo", "--out", file);
        Assert.Equal((2, $"{file}: is a file; choose a folder with --out\n"), (onFile.Code, onFile.Error));
        Assert.Equal(before, folder.Served());
    }

    [Fact]
    public async Task A_request_of_the_sample_is_carried_out_in_a_copy()
    {
        using var folder = await TinyFolder.CreateAsync();
        var copy = Path.Combine(folder.Path, "demo");
        // An earlier demo that broke off is replaced.
        folder.Write("demo/.registry-unlearn-demo", []);
        folder.Write("demo/digits/1/model.onnx", [1, 2, 3]);
        var result = await CommandResult.OfAsync("demo", "--out", copy, "--request", "forget-canaries", "--output", "json");
        Assert.True(result.Code == 0, result.Error);
        var answer = Assert.Single(result.Json.EnumerateObject());
        Assert.Equal(("forget-canaries", "digits@2"), (answer.Name, answer.Value.GetProperty("version").GetString()));
        Assert.True(Assert.Single(answer.Value.GetProperty("gates").EnumerateArray()).GetProperty("passed").GetBoolean());
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "onnx-artifacts/digits/1/model.onnx")),
            File.ReadAllBytes(Path.Combine(copy, "digits/1/model.onnx")));
        Assert.True(File.Exists(Path.Combine(copy, "digits/2/report.html")));
    }
}
