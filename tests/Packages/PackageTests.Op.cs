using System.Xml.Linq;
using Deit.Tests.Samples;

namespace Deit.Tests.Packages;

public sealed partial class PackageTests
{
    // The sources of the sample, against the package alone.
    [Fact]
    public async Task A_program_of_the_package_Deit_Gpu_adds_an_op_of_its_own()
    {
        string source = Repository.File("samples", "op");
        (string project, (string, string) packages) = await Project(
            await File.ReadAllTextAsync(Path.Combine(source, "Program.cs"), TestContext.Current.CancellationToken),
            "Deit.Gpu"
        );
        foreach (string file in (string[])["SwiGluOp.cs", "swiglu.spv", "swiglu.backward.spv"])
            File.Copy(Path.Combine(source, file), Path.Combine(project, file));
        string settings = Path.Combine(project, "sample.csproj");
        XDocument document = XDocument.Load(settings);
        document.Root!.Add(
            XDocument
                .Load(Path.Combine(source, "Op.csproj"))
                .Descendants("EmbeddedResource")
                .Select(element => new XElement("ItemGroup", element))
        );
        document.Save(settings);
        string output = await Command.Succeed("dotnet", ["run", "-c", "Release"], project, packages);
        Assert.Contains("by finite differences", output);
        Assert.Contains("after 300 steps", output);
    }
}
