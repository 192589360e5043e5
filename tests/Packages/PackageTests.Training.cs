using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Deit.Tests.Cli;
using Deit.Tests.Samples;
using Deit.Tests.Train.Data.Formats;

namespace Deit.Tests.Packages;

public sealed partial class PackageTests
{
    private const int PicturesOfClass = 50;

    [Fact]
    public async Task A_program_of_the_packages_trains_to_the_bits_of_the_command_evaluates_embeds_and_searches()
    {
        string data = ColorData.Write(_folder["colors"], PicturesOfClass); // 200 pictures
        string text = await File.ReadAllTextAsync(
            Repository.File("tests", "Packages", "Program", "Program.cs"),
            TestContext.Current.CancellationToken
        );
        (string project, (string, string) packages) = await Project(text, "Deit.Train");
        string output = await Command.Succeed(
            "dotnet",
            ["run", "-c", "Release", "--", data, _folder["program"]],
            project,
            packages
        );

        (int code, _, string error) = await DeitProcess.Run([
            .. (string[])["train", "--data", data, "--output", _folder["command"], "--recipe", "plain"],
            .. "--input-size 32 --epochs 2 --batch-size 20 --lr 0.05 --embed-dim 32 --depth 2 --num-heads 2".Split(' '),
            .. "--patch-size 8 --warmup-epochs 0 --tune off".Split(' '),
        ]);
        Assert.True(code == 0, error);
        byte[] weights = await File.ReadAllBytesAsync(
            _folder[Path.Combine("command", "last", "model.safetensors")],
            TestContext.Current.CancellationToken
        );
        Assert.Contains($"weights {Convert.ToHexString(SHA256.HashData(weights))}", output);
        TestContext.Current.TestOutputHelper?.WriteLine(output);
        await CompiledAheadItDoesTheSame(project, packages, data, output);
        // Four colours are easy; a guess has a quarter of them.
        foreach (Match figures in Figures().Matches(output))
        {
            int right = int.Parse(figures.Groups["right"].Value, CultureInfo.InvariantCulture),
                all = int.Parse(figures.Groups["all"].Value, CultureInfo.InvariantCulture);
            Assert.Equal(ColorData.Colors.Length * PicturesOfClass / 5, all);
            Assert.InRange(right, 0.75 * all, all);
        }
        Assert.Equal(2, Figures().Count(output));
    }

    /// <summary>
    /// Publishes the program with all libraries, each kept whole, so that the compiler looks at everything in them, and runs it.
    /// </summary>
    private async Task CompiledAheadItDoesTheSame(string project, (string, string) packages, string data, string output)
    {
        string[] libraries = [.. Libraries.Select(library => library.Id)];
        await Add(project, packages, [.. libraries.Except(["Deit.Train"])]);
        string file = Path.Combine(project, "sample.csproj");
        XElement xml = XElement.Load(file);
        xml.Add(
            new XElement(
                "ItemGroup",
                libraries.Select(id => new XElement("TrimmerRootAssembly", new XAttribute("Include", id)))
            )
        );
        xml.Save(file);
        string log = await Command.Succeed(
            "dotnet",
            ["publish", "-c", "Release", "-o", "published", "--ucr", "-p:PublishAot=true"],
            project,
            packages
        );
        // Of all assemblies one is not made for it, which is not ours; and there is no warning of another kind.
        Assert.Equal(
            ["Parquet"],
            Unclean()
                .Matches(log)
                .Select(match => match.Groups["assembly"].Value)
                .Distinct()
                .Order(StringComparer.Ordinal)
        );
        Assert.DoesNotMatch("warning (?!IL2104|IL3053)[A-Z]+[0-9]+", log);
        string program = Path.Combine(project, "published", OperatingSystem.IsWindows() ? "sample.exe" : "sample");
        Assert.False(File.Exists(Path.Combine(project, "published", "Deit.Train.dll"))); // native indeed
        Assert.Equal(output, await Command.Succeed(program, [data, _folder["ahead"]], project));

        string shards = _folder["shards"];
        foreach ((string split, int count) in ((string, int)[])[("train", 40), ("validation", 20)])
            await ParquetFiles.Write(
                Path.Combine(shards, "data", $"{split}-00000-of-00001.parquet"),
                [.. Enumerable.Range(0, count).Select(i => ParquetFiles.Picture(i, i % 2))],
                names: ["one", "two"]
            );
        Assert.Equal(
            await Command.Succeed(
                "dotnet",
                [Path.Combine(project, "bin", "Release", "net10.0", "sample.dll"), shards, _folder["parquet"]]
            ),
            await Command.Succeed(program, [shards, _folder["parquet-ahead"]])
        );
    }

    [GeneratedRegex("warning IL(2104|3053): Assembly '(?<assembly>[^']+)'")]
    private static partial Regex Unclean();

    [GeneratedRegex("^(right|near) (?<right>\\d+) of (?<all>\\d+)$", RegexOptions.Multiline)]
    private static partial Regex Figures();
}
