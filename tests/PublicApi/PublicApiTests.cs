using System.Reflection;
using System.Runtime.CompilerServices;
using Deit.Model;

namespace Deit.Tests.PublicApi;

/// <summary>The public interface of the libraries stands in files beside this one, so that a change of it is seen and meant.</summary>
public class PublicApiTests
{
    private const string Rewrite = "DEIT_PUBLIC_API";

    public static TheoryData<string> Libraries =>
        [
            "Deit.Gpu",
            "Deit.Model",
            "Deit.Model.AspNetCore",
            "Deit.Model.Extensions.AI",
            "Deit.Model.ImageSharp",
            "Deit.Model.OnnxRuntime",
            "Deit.Train",
        ];

    [Theory]
    [MemberData(nameof(Libraries))]
    public void The_public_interface_is_what_is_written_down(string library)
    {
        Assembly assembly = Assembly.Load(library);
        string actual = ApiText.Of(assembly);
        if (Environment.GetEnvironmentVariable(Rewrite) == "write")
            File.WriteAllText(Path.Combine(Path.GetDirectoryName(ThisFile())!, $"{library}.txt"), actual);
        else
        {
            string expected = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "PublicApi", $"{library}.txt"))
                .ReplaceLineEndings("\n");
            string[] lines = actual.Split('\n'),
                known = expected.Split('\n');
            Assert.True(
                actual == expected,
                $"The public interface of {library} changed: if it is meant, run the tests with {Rewrite}=write and commit "
                    + $"tests/PublicApi/{library}.txt.\nNew: {string.Join("\n     ", lines.Except(known))}\n"
                    + $"Gone: {string.Join("\n      ", known.Except(lines))}"
            );
        }
    }

    // A text without members, nullability or defaults would show no change of them.
    [Fact]
    public void A_signature_says_what_callers_count_on()
    {
        string text = ApiText.Of(typeof(DeitModel).Assembly);
        Assert.Contains("public sealed class Deit.Model.DeitModel : IAsyncDisposable, IDeitModel, IDisposable", text);
        Assert.Contains("static DeitModel Load(string path, DeitModelOptions? options = null)", text);
        Assert.Contains(
            "Classification Classify("
                + "IDeitModel model, ReadOnlySpan<byte> pixels, int width, int height, int strideBytes, PixelFormat format)",
            text
        );
        Assert.Contains(
            "Task<IReadOnlyList<PictureResult>> ClassifyAsync("
                + "IDeitModel model, IReadOnlyList<string> paths, IProgress<int>? progress = null, "
                + "CancellationToken cancellationToken = default)",
            text
        );
        Assert.Contains("float[]? Distillation { get; init; }", text);
        Assert.Contains("Rgb24 = 0", text);
        Assert.DoesNotContain('\r', text);
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
