using System.IO.Compression;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Deit.Tests.Samples;

namespace Deit.Tests.Packages;

public sealed partial class PackageTests
{
    /// <summary>Each library, and a program that uses a type of it and says yes.</summary>
    private static readonly (string Id, string Program)[] Libraries =
    [
        ("Deit.Gpu", "Console.WriteLine(Deit.Gpu.GpuDevice.Enumerate().Count > 0 ? \"yes\" : \"no\");"),
        ("Deit.Model", "Console.WriteLine(new Deit.Model.DeitModelOptions().CpuFallback ? \"no\" : \"yes\");"),
        (
            "Deit.Model.AspNetCore",
            "var web = WebApplication.CreateBuilder(); web.Services.AddDeitModel(\"none\"); web.Services.AddDeitServing();"
                + " web.Build().MapDeit(); Console.WriteLine(\"yes\");"
        ),
        (
            "Deit.Model.Extensions.AI",
            "Deit.Model.IDeitModel? none = null; try { none!.AsIEmbeddingGenerator(); }"
                + " catch (ArgumentNullException) { Console.WriteLine(\"yes\"); }"
        ),
        (
            "Deit.Model.ImageSharp",
            "Console.WriteLine(new SixLabors.ImageSharp.Image<SixLabors.ImageSharp.PixelFormats.Rgb24>(3, 2).ToRgbImage().Width"
                + " == 3 ? \"yes\" : \"no\");"
        ),
        (
            "Deit.Model.OnnxRuntime",
            "try { Deit.Model.OnnxRuntime.OnnxDeitModel.Load(\"none\"); } catch (Deit.DeitException) { Console.WriteLine(\"yes\"); }"
        ),
        ("Deit.Train", "Console.WriteLine(Deit.Train.TrainingRun.Exists(\"none\") ? \"no\" : \"yes\");"),
    ];

    public static TheoryData<string> Ids => [.. Libraries.Select(library => library.Id), "deit"];

    // Alone, so that the package itself brings everything that it needs.
    [Theory]
    [InlineData("Deit.Model.AspNetCore")]
    [InlineData("Deit.Model.Extensions.AI")]
    [InlineData("Deit.Model.OnnxRuntime")]
    public async Task A_program_that_knows_a_library_alone_builds_and_runs(string id)
    {
        string text = Libraries.Single(library => library.Id == id).Program;
        if (id == "Deit.Model.AspNetCore")
            text = $"using Microsoft.AspNetCore.Builder; using Microsoft.Extensions.DependencyInjection; {text}";
        if (id == "Deit.Model.Extensions.AI")
            text = $"using Microsoft.Extensions.AI; {text}";
        (string project, (string, string) packages) = await Project(text, id);
        Assert.Equal("yes", (await Command.Succeed("dotnet", ["run", "-c", "Release"], project, packages)).Trim());
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void A_package_lists_what_it_consists_of_with_versions_and_licences(string id)
    {
        using ZipArchive package = ZipFile.OpenRead(feed.Package(id));
        JsonNode list = JsonNode.Parse(Text(package, "sbom.cdx.json"))!;
        Assert.Equal($"pkg:nuget/{id}@{feed.Version}", (string?)list["metadata"]!["component"]!["purl"]);
        Dictionary<string, JsonNode> components = list["components"]!
            .AsArray()
            .ToDictionary(component => $"{component!["name"]} {component["version"]}", component => component!);

        (string Name, string Version)[] needed = id == "deit" ? Carried(package) : Dependencies(package, id);
        Assert.NotEmpty(needed);
        foreach ((string name, string version) in needed)
            Assert.Contains($"{name} {version}", components.Keys);

        // Ours are MIT, as the package itself.
        Assert.Equal("MIT", (string?)list["metadata"]!["component"]!["licenses"]![0]!["license"]!["id"]);
        foreach ((string name, JsonNode component) in components)
            Assert.True(name.StartsWith("Deit.", StringComparison.Ordinal) || component["licenses"] is not null, name);
        // The same sources give the same list: no number by chance, and the time of the commit.
        Assert.Null(list["serialNumber"]);
        Assert.InRange(
            DateTimeOffset.Parse(
                (string)list["metadata"]!["timestamp"]!,
                System.Globalization.CultureInfo.InvariantCulture
            ),
            DateTimeOffset.UnixEpoch,
            feed.Begun
        );
    }

    /// <summary>The dependencies that a package names; of a range, its lower end.</summary>
    private static (string Name, string Version)[] Dependencies(ZipArchive package, string id) =>
        [
            .. XDocument
                .Load(package.GetEntry($"{id}.nuspec")!.Open())
                .Descendants()
                .Where(element => element.Name.LocalName == "dependency")
                .Select(element =>
                    (element.Attribute("id")!.Value, element.Attribute("version")!.Value.Trim('[').Split(',')[0])
                ),
        ];

    /// <summary>The packages whose files the tool carries, native ones included, by what the .NET host reads.</summary>
    private static (string Name, string Version)[] Carried(ZipArchive package) =>
        [
            .. JsonNode.Parse(Text(package, "tools/net10.0/any/deit.deps.json"))!["libraries"]!
                .AsObject()
                .Select(library => library.Key.Split('/'))
                .Where(parts => parts[0] is not ("deit" or "Deit.Bench"))
                .Select(parts => (parts[0], parts[1])),
        ];
}
