using System.Reflection;
using System.Runtime.Loader;
using System.Text.RegularExpressions;
using Deit.Model.Images;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Emit;

namespace Deit.Tests.Model.Images;

/// <summary>The examples of docs/pictures.md are compiled, and run where their library runs.</summary>
[Trait("Category", "Checkout")]
public sealed partial class PicturesPageTests : IDisposable
{
    private const int Examples = 4;

    // What a project has by ImplicitUsings.
    private const string ImplicitUsings = "using System; using System.IO; using System.Linq;";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<int> Numbers => [.. Enumerable.Range(0, Examples)];

    private static string[] All =>
        [
            .. Example()
                .Matches(File.ReadAllText(Repository.File("docs", "pictures.md")))
                .Select(match => match.Groups["code"].Value),
        ];

    [Fact]
    public void Every_example_is_tested() => Assert.Equal(Examples, All.Length);

    [Theory, MemberData(nameof(Numbers))]
    public void An_example_compiles_and_gives_the_picture(int number)
    {
        string example = All[number];
        MethodInfo run = Compile(example);
        if (example.Contains("System.Drawing", StringComparison.Ordinal) && !OperatingSystem.IsWindows())
            return; // it exists on Windows alone
        RgbImage expected = TestImages.Noise(61, 47, seed: 1);
        string path = _folder["boot.png"];
        ImageEncoder.SavePng(expected, path);
        RgbImage picture = (RgbImage)run.Invoke(null, [path])!;
        if (example.Contains("boot.jpg", StringComparison.Ordinal))
        {
            Assert.Equal((61, 47), (picture.Width, picture.Height));
            Assert.Equal(expected.Pixels, picture.Pixels);
        }
        else
        {
            Assert.Equal((640, 480), (picture.Width, picture.Height));
            Assert.Equal((46, 139, 87), picture.At(639, 479)); // SeaGreen of CSS
        }
    }

    // An example that is wrong does not pass: what compiles it is a compiler.
    [Fact]
    public void An_example_that_does_not_compile_is_named() =>
        Assert.Throws<Xunit.Sdk.FailException>(() => Compile(All[0].Replace("ToRgbImage", "ToPicture")));

    // The usings stand before a class, the statements in a method whose argument takes the place of the file's name.
    private static MethodInfo Compile(string example)
    {
        string usings = string.Concat(Using().Matches(example).Select(match => match.Value)),
            statements = Using().Replace(example, "").Replace("\"boot.jpg\"", "path", StringComparison.Ordinal);
        string source = $$"""
            {{ImplicitUsings}}
            {{usings}}
            public static class Program
            {
                public static Deit.Model.Images.RgbImage Run(string path)
                {
                    {{statements}}
                    return picture;
                }
            }
            """;
        CSharpCompilation compilation = CSharpCompilation.Create(
            "Example",
            [CSharpSyntaxTree.ParseText(source)],
            ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
                .Split(Path.PathSeparator)
                .Select(path => MetadataReference.CreateFromFile(path)),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true)
        );
        using MemoryStream assembly = new();
        EmitResult result = compilation.Emit(assembly);
        if (!result.Success)
            Assert.Fail(
                string.Join('\n', result.Diagnostics.Where(one => one.Severity == DiagnosticSeverity.Error))
                    + $"\n{source}"
            );
        assembly.Position = 0;
        return new AssemblyLoadContext(null).LoadFromStream(assembly).GetType("Program")!.GetMethod("Run")!;
    }

    [GeneratedRegex("^```csharp\n(?<code>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Example();

    [GeneratedRegex("^using [\\w.]+;\n", RegexOptions.Multiline)]
    private static partial Regex Using();
}
