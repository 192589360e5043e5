namespace Deit.Tests.Samples;

/// <summary>The console sample, compiled ahead of time as its users would publish it.</summary>
[Trait("Category", "Samples")]
public sealed class ConsoleSampleTests : IAsyncLifetime, IDisposable
{
    // The size that embedding promises, without the model.
    private const long SizeLimit = 25_000_000;
    private readonly TemporaryFolder _folder = new();
    private string _program = "";

    /// <summary>Warnings are errors here, those of the ahead-of-time compiler and of the trimmer included.</summary>
    public async ValueTask InitializeAsync()
    {
        string log = await Command.Succeed(
            "dotnet",
            ["publish", Repository.File("samples", "console"), "-c", "Release", "-o", _folder["published"], "--nologo"]
        );
        Assert.DoesNotContain("warning", log, StringComparison.OrdinalIgnoreCase);
        _program = _folder[Path.Combine("published", "deit-console")];
        ColorModel.Write(_folder["model"]);
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    public void Dispose() => _folder.Dispose();

    // There is one test, so that the sample is published once.
    [Fact]
    public async Task Published_it_is_small_and_names_the_class_or_says_what_is_wrong()
    {
        FileInfo[] files =
        [
            .. new DirectoryInfo(_folder["published"]).EnumerateFiles("*", SearchOption.AllDirectories),
        ];
        TestContext.Current.TestOutputHelper?.WriteLine(
            string.Join(", ", files.Select(file => $"{file.Name} {file.Length}"))
        );
        Assert.InRange(files.Sum(file => file.Length), 1, SizeLimit);
        Assert.DoesNotContain(files, file => file.Name.EndsWith("Deit.Model.dll", StringComparison.Ordinal)); // native indeed

        foreach (string label in ColorModel.Labels)
        {
            string[] lines = (
                await Command.Succeed(_program, [_folder["model"], ColorModel.WritePicture(_folder, label)])
            )
                .TrimEnd()
                .Split('\n');
            Assert.Equal(ColorModel.Labels.Length, lines.Length);
            Assert.EndsWith($"  {label}", lines[0]);
        }

        string picture = _folder["red.png"],
            broken = _folder["broken.png"];
        await File.WriteAllTextAsync(broken, "no picture", TestContext.Current.CancellationToken);
        await Refuses("does not exist", [_folder["nothing"], picture]);
        await Refuses("broken.png", [_folder["model"], broken]);
        await Refuses(
            "driver",
            [_folder["model"], picture],
            ("VK_DRIVER_FILES", _folder["none.json"]),
            ("VK_ICD_FILENAMES", _folder["none.json"])
        );
        Assert.Equal(2, (await Command.Run(_program, [])).ExitCode);
    }

    private async Task Refuses(string expected, string[] arguments, params (string Name, string Value)[] environment)
    {
        CommandResult result = await Command.Run(_program, arguments, folder: null, environment);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(expected, result.Error);
        Assert.Single(result.Error.TrimEnd().Split('\n'));
    }
}
