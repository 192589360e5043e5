using System.IO.Compression;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Deit.Tests.Model.Images;
using Deit.Tests.Samples;
using SkiaSharp;

namespace Deit.Tests.Packages;

/// <summary>The contents of the packages. A program and a machine that know nothing else of this repository can use them.</summary>
[Trait("Category", "Samples")]
public sealed partial class PackageTests(PackedFeed feed) : IClassFixture<PackedFeed>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("Deit.Gpu", "lib/net10.0/Deit.Gpu.dll")]
    [InlineData("Deit.Model", "lib/net10.0/Deit.Model.dll")]
    [InlineData("Deit.Model.AspNetCore", "lib/net10.0/Deit.Model.AspNetCore.dll")]
    [InlineData("Deit.Model.Extensions.AI", "lib/net10.0/Deit.Model.Extensions.AI.dll")]
    [InlineData("Deit.Model.ImageSharp", "lib/net10.0/Deit.Model.ImageSharp.dll")]
    [InlineData("Deit.Train", "lib/net10.0/Deit.Train.dll")]
    [InlineData("Deit.Model.OnnxRuntime", "lib/net10.0/Deit.Model.OnnxRuntime.dll")]
    [InlineData("deit", "tools/net10.0/any/deit.dll")]
    public void A_package_says_what_it_is_and_carries_symbols_without_paths_of_the_builder(string id, string assembly)
    {
        using ZipArchive package = ZipFile.OpenRead(feed.Package(id));
        XElement metadata = XDocument.Load(package.GetEntry($"{id}.nuspec")!.Open()).Root!.Elements().Single();
        string Value(string name) => metadata.Elements().Single(element => element.Name.LocalName == name).Value;
        Assert.Equal(feed.Version, Value("version"));
        Assert.Equal("MIT", Value("license"));
        Assert.Contains("vision-transformer", Value("tags"));
        Assert.NotEqual("Package Description", Value("description")); // the text that stands where there is none
        Assert.StartsWith($"# {id}\n", Text(package, Value("readme")));
        SKImageInfo icon = SKBitmap.DecodeBounds(package.GetEntry(Value("icon"))!.Open());
        Assert.Equal((128, 128), (icon.Width, icon.Height));

        foreach (string path in SourcePaths(package.GetEntry(assembly)!))
            Assert.StartsWith("/_/", path);
    }

    [Fact]
    public void The_libraries_are_documented_and_together_under_10_MB()
    {
        string[] packages =
        [
            feed.Package("Deit.Gpu"),
            feed.Package("Deit.Model"),
            feed.Package("Deit.Model.AspNetCore"),
            feed.Package("Deit.Model.Extensions.AI"),
            feed.Package("Deit.Model.ImageSharp"),
            feed.Package("Deit.Train"),
            feed.Package("Deit.Model.OnnxRuntime"),
        ];
        long bytes = packages.Sum(path => new FileInfo(path).Length);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"libraries {bytes} bytes, tool {new FileInfo(feed.Package("deit")).Length}"
        );
        Assert.InRange(bytes, 1, 10_000_000);
        foreach (string path in packages)
        {
            using ZipArchive package = ZipFile.OpenRead(path);
            string documentation = Text(
                package,
                package
                    .Entries.Single(entry =>
                        entry.FullName.StartsWith("lib/net10.0/", StringComparison.Ordinal)
                        && entry.Name.EndsWith(".xml", StringComparison.Ordinal)
                    )
                    .FullName
            );
            Assert.Contains("<summary>", documentation);
        }
    }

    [Fact]
    public async Task The_tool_is_installed_from_its_package_and_classifies()
    {
        // Skia for five systems without its debug symbols; with all that SkiaSharp brings it would be 160 MB.
        Assert.InRange(new FileInfo(feed.Package("deit")).Length, 1, 40_000_000);
        // The package needs nothing else, and no other source may answer.
        await File.WriteAllTextAsync(
            _folder["NuGet.config"],
            "<configuration><packageSources><clear /></packageSources></configuration>",
            TestContext.Current.CancellationToken
        );
        await Command.Succeed(
            "dotnet",
            [
                "tool",
                "install",
                "deit",
                "--version",
                feed.Version,
                "--add-source",
                feed.Source,
                "--tool-path",
                _folder["tools"],
            ],
            _folder.Path
        );
        string deit = _folder[Path.Combine("tools", OperatingSystem.IsWindows() ? "deit.exe" : "deit")];
        JsonArray devices = JsonNode.Parse(await Command.Succeed(deit, ["devices", "--json"]))!.AsArray();
        Assert.NotEmpty(devices);
        ColorModel.Write(_folder["model"]);
        string answer = await Command.Succeed(
            deit,
            ["predict", "--json", "--model", _folder["model"], ColorModel.WritePicture(_folder, "green")]
        );
        Assert.Equal("green", JsonNode.Parse(answer)![0]!["classes"]![0]!["label"]!.GetValue<string>());
    }

    // Pasted as a reader would, into a folder that knows of this repository only its packages.
    [Fact]
    public async Task The_readmes_program_compiles_against_the_packages_and_names_the_class()
    {
        Sample sample = await Paste("README.md", "Deit.Model");
        foreach (string label in ColorModel.Labels)
        {
            File.Copy(ColorModel.WritePicture(_folder, label), sample.Picture, overwrite: true);
            string output = await Command.Succeed("dotnet", ["run", "-c", "Release"], sample.Folder, sample.Packages);
            Assert.StartsWith($"{label} ", output);
        }
        Assert.True(Directory.Exists(_folder[Path.Combine("packages", "deit.model", feed.Version)]));
    }

    // The picture has an EXIF profile, which ImageSharp reads by reflection: compiled ahead of time it can only do so with our help.
    [Fact]
    public async Task The_program_for_ImageSharp_compiles_ahead_of_time_and_names_the_class()
    {
        Sample sample = await Paste("Deit.Model.ImageSharp/README.md", "Deit.Model.ImageSharp");
        await Command.Succeed(
            "dotnet",
            ["publish", "-c", "Release", "-o", "published", "--ucr", "-p:PublishAot=true"],
            sample.Folder,
            sample.Packages
        );
        foreach (string label in ColorModel.Labels)
        {
            byte[] png = await File.ReadAllBytesAsync(
                ColorModel.WritePicture(_folder, label),
                TestContext.Current.CancellationToken
            );
            await File.WriteAllBytesAsync(
                sample.Picture,
                EncodedImages.PngWithChunk(png, "eXIf", EncodedImages.Tiff(orientation: 6)),
                TestContext.Current.CancellationToken
            );
            string program = Path.Combine(
                sample.Folder,
                "published",
                OperatingSystem.IsWindows() ? "sample.exe" : "sample"
            );
            Assert.StartsWith($"{label} ", await Command.Succeed(program, [], sample.Folder));
        }
        Assert.False(File.Exists(Path.Combine(sample.Folder, "published", "Deit.Model.ImageSharp.dll"))); // native indeed
    }

    // Version 3 wants a licence, and lacks methods that 2.1 has: no program gets it through our package.
    [Fact]
    public void The_package_for_ImageSharp_takes_no_version_3()
    {
        using ZipArchive package = ZipFile.OpenRead(feed.Package("Deit.Model.ImageSharp"));
        XElement dependency = XDocument
            .Load(package.GetEntry("Deit.Model.ImageSharp.nuspec")!.Open())
            .Descendants()
            .Single(element => element.Attribute("id")?.Value == "SixLabors.ImageSharp");
        Assert.Equal("[2.1.13, 3.0.0)", dependency.Attribute("version")?.Value);
    }

    /// <summary>Makes a project of the first program of a README, which takes its package, and the model that it loads.</summary>
    private async Task<Sample> Paste(string readme, string package)
    {
        string program = Program()
            .Match(await File.ReadAllTextAsync(Repository.File(readme), TestContext.Current.CancellationToken))
            .Groups["program"]
            .Value;
        Match paths = Paths().Match(program);
        Assert.True(paths.Success, $"The program of {readme} loads no model or no picture.");
        (string project, (string, string) packages) = await Project(program, package);
        ColorModel.Write(Path.Combine(project, paths.Groups["model"].Value));
        return new Sample(project, Path.Combine(project, paths.Groups["picture"].Value), packages);
    }

    /// <summary>Makes a project that knows of this repository some of its packages alone.</summary>
    /// <param name="program">Its Program.cs.</param>
    /// <param name="names">The packages.</param>
    /// <returns>Its folder, and a variable for whoever builds it.</returns>
    private async Task<(string Project, (string, string) Packages)> Project(
        string program,
        params IReadOnlyList<string> names
    )
    {
        string project = _folder["sample"];
        // No warning of the day about a package of others.
        new XElement("Project", new XElement("PropertyGroup", new XElement("NuGetAudit", "false"))).Save(
            _folder["Directory.Build.props"]
        );
        await Command.Succeed("dotnet", ["new", "console", "-o", project, "--no-restore"]);
        await File.WriteAllTextAsync(
            Path.Combine(project, "Program.cs"),
            program,
            TestContext.Current.CancellationToken
        );
        // Sources beside those of the machine. Deit's packages go to a folder of this test; all others come from the folder where
        // the build of this repository has put it.
        string shared = (
            await Command.Succeed("dotnet", ["nuget", "locals", "global-packages", "--list", "--force-english-output"])
        )
            .Split(": ", 2)[1]
            .Trim();
        new XDocument(
            new XElement(
                "configuration",
                new XElement(
                    "packageSources",
                    new XElement("add", new XAttribute("key", "packed"), new XAttribute("value", feed.Source))
                ),
                new XElement(
                    "fallbackPackageFolders",
                    new XElement("add", new XAttribute("key", "shared"), new XAttribute("value", shared))
                )
            )
        ).Save(_folder["NuGet.config"]);
        (string, string) packages = ("NUGET_PACKAGES", _folder["packages"]);
        await Add(project, packages, names);
        return (project, packages);
    }

    private async Task Add(string project, (string, string) packages, IReadOnlyList<string> names)
    {
        foreach (string name in names)
            await Command.Succeed(
                "dotnet",
                ["package", "add", name, "--version", feed.Version, "--project", project, "--no-restore"],
                _folder.Path,
                packages
            );
    }

    /// <summary>A project of its own.</summary>
    /// <param name="Folder">Where it lies, and runs.</param>
    /// <param name="Picture">The file that it classifies.</param>
    /// <param name="Packages">The variable that names the folder of its packages.</param>
    private sealed record Sample(string Folder, string Picture, (string, string) Packages);

    private static string Text(ZipArchive package, string path)
    {
        using StreamReader reader = new(package.GetEntry(path)!.Open());
        return reader.ReadToEnd();
    }

    /// <summary>The source files that an assembly's embedded symbols name, generated ones among them.</summary>
    private static string[] SourcePaths(ZipArchiveEntry assembly)
    {
        using MemoryStream copy = new();
        using (Stream stream = assembly.Open())
            stream.CopyTo(copy);
        copy.Position = 0;
        using PEReader image = new(copy);
        DebugDirectoryEntry symbols = image
            .ReadDebugDirectory()
            .Single(entry => entry.Type == DebugDirectoryEntryType.EmbeddedPortablePdb);
        using MetadataReaderProvider provider = image.ReadEmbeddedPortablePdbDebugDirectoryData(symbols);
        MetadataReader reader = provider.GetMetadataReader();
        string[] paths = [.. reader.Documents.Select(document => reader.GetString(reader.GetDocument(document).Name))];
        Assert.NotEmpty(paths);
        return paths;
    }

    [GeneratedRegex("^```csharp\n(?<program>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Program();

    [GeneratedRegex("Load\\(\"(?<model>[^\"]+)\".*(Classify|Load)\\(\"(?<picture>[^\"]+)\"", RegexOptions.Singleline)]
    private static partial Regex Paths();
}
