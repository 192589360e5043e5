using System.IO.Compression;
using Deit.Tests.Samples;

namespace Deit.Tests.Packages;

public sealed partial class PackageTests
{
    // The sources lie in another folder, and the compiler is another process.
    [Fact]
    public async Task Packed_from_another_folder_the_package_has_the_same_bytes()
    {
        string copy = _folder["elsewhere/deeper"];
        foreach (
            string part in (ReadOnlySpan<string>)["Deit.Gpu", "Deit.Model", "Deit.Model.AspNetCore", "shaders/spirv"]
        )
            Copy(part, copy);
        File.Copy(
            Repository.File("docs", "icon.png"),
            Path.Combine(Directory.CreateDirectory(Path.Combine(copy, "docs")).FullName, "icon.png")
        );
        foreach (string file in Directory.EnumerateFiles(Repository.Root, "*.*"))
            if (
                Path.GetFileName(file) is "global.json" or ".editorconfig"
                || Path.GetFileName(file).StartsWith("Directory.", StringComparison.Ordinal)
            )
                File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        // The commit is in the assemblies.
        string git = (
            await Command.Succeed("git", ["-c", "safe.directory=*", "rev-parse", "--absolute-git-dir"], Repository.Root)
        ).Trim();
        await File.WriteAllTextAsync(
            Path.Combine(copy, ".git"),
            $"gitdir: {git}\n",
            TestContext.Current.CancellationToken
        );

        await Command.Succeed(
            "dotnet",
            [
                .. (string[])["pack", "Deit.Model.AspNetCore", "-c", "Release", "-o", _folder["again"]],
                .. (string[])["--artifacts-path", _folder["artifacts"], $"-p:VersionSuffix={feed.Suffix}"],
                .. (string[])["-p:ContinuousIntegrationBuild=true", "-p:RunAnalyzers=false"],
            ],
            copy
        );

        using ZipArchive first = ZipFile.OpenRead(feed.Package("Deit.Model.AspNetCore")),
            second = ZipFile.OpenRead(Path.Combine(_folder["again"], $"Deit.Model.AspNetCore.{feed.Version}.nupkg"));
        // ./release adds the list of what the package consists of, and its ending to that of file types.
        string[] names = [.. second.Entries.Select(entry => entry.FullName).Except(["[Content_Types].xml"])];
        Assert.Contains("lib/net10.0/Deit.Model.AspNetCore.dll", names);
        foreach (string name in names)
            Assert.True(Bytes(first, name).SequenceEqual(Bytes(second, name)), $"{name} differs");
        foreach (string library in (string[])["Deit.Gpu", "Deit.Model"])
        {
            using ZipArchive package = ZipFile.OpenRead(feed.Package(library));
            string built = Path.Combine(_folder["artifacts"], "bin", library, "release", $"{library}.dll");
            byte[] bytes = await File.ReadAllBytesAsync(built, TestContext.Current.CancellationToken);
            Assert.True(
                bytes.AsSpan().SequenceEqual(Bytes(package, $"lib/net10.0/{library}.dll")),
                $"{library}.dll differs"
            );
        }
    }

    private static byte[] Bytes(ZipArchive package, string name)
    {
        using MemoryStream bytes = new();
        using Stream entry = package.GetEntry(name)!.Open();
        entry.CopyTo(bytes);
        return bytes.ToArray();
    }

    private static void Copy(string part, string target)
    {
        string[] built = ["bin", "obj"];
        foreach (string file in Directory.EnumerateFiles(Repository.File(part), "*", SearchOption.AllDirectories))
        {
            string relative = Path.GetRelativePath(Repository.Root, file);
            if (relative.Split(Path.DirectorySeparatorChar).Intersect(built).Any())
                continue;
            string copy = Path.Combine(target, relative);
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }
}
