using System.Text;
using System.Text.Json;
using Deit.Model;
using Deit.Model.Files;
using Deit.Tests.Golden;
using Deit.Train.Options;
using Deit.Train.Runs;

namespace Deit.Tests.Model.Files;

/// <summary>JSON that editors and shells of Windows saved.</summary>
public sealed class JsonFileTests : IDisposable
{
    private const string Text = """{"name": "Müller 木 🌲"}""";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Encodings => ["utf-8", "utf-8 marked", "utf-16", "utf-16BE", "utf-32", "utf-32BE"];

    [Theory, MemberData(nameof(Encodings))]
    public void A_mark_is_passed_over_and_its_encoding_is_read(string name)
    {
        Assert.Equal(Text, Encoding.UTF8.GetString(JsonFile.Utf8(Encoded(Text, name)).Span));
        Assert.Equal(Text, Encoding.UTF8.GetString(JsonFile.Read(new MemoryStream(Encoded(Text, name))).Span));
    }

    [Fact]
    public void Half_a_character_of_UTF_16_is_refused()
    {
        byte[] odd = [.. Encoded(Text, "utf-16"), 0x7B];
        JsonException error = Assert.ThrowsAny<JsonException>(() => JsonFile.Utf8(odd));
        Assert.Contains("save it as UTF-8", error.Message);
    }

    /// <summary>Every file of JSON that a user can correct by hand.</summary>
    [Theory, MemberData(nameof(Encodings))]
    public void All_readers_pass_over_a_mark(string name)
    {
        string model = Directory.CreateDirectory(_folder["model"]).FullName,
            last = Directory.CreateDirectory(_folder["last"]).FullName;
        foreach (string file in Directory.EnumerateFiles(GoldenData.Path("models/hf_deit_test_distilled")))
            File.Copy(file, Path.Combine(model, Path.GetFileName(file)));
        ModelDescription expected = ModelSource.Describe(model);
        Rewrite(Path.Combine(model, ModelFolder.ConfigFile), name);
        Rewrite(Path.Combine(model, HuggingFacePreprocess.FileName), name);
        Assert.Equal(expected.Preprocess, ModelSource.Describe(model).Preprocess);

        expected.Write(last);
        Rewrite(Path.Combine(last, ModelFolder.ConfigFile), name);
        Assert.Equal(expected.Config, ModelSource.Read(last).Config);

        File.WriteAllText(
            Path.Combine(last, "state.json"),
            """{ "epoch": 3, "step_in_epoch": 2, "step": 11, "loss_sum": 1.5, "pending_loss": 0.25, "seconds": 7 }"""
        );
        Rewrite(Path.Combine(last, "state.json"), name);
        Assert.Equal(3, new RunCheckpoint(_folder.Path).ReadState().Epoch);

        TrainOptions options = Recipe.Load("deit");
        Recipe.Save(options, _folder["recipe.json"]);
        Rewrite(_folder["recipe.json"], name);
        Assert.Equal(options, Recipe.Load(_folder["recipe.json"]));
    }

    private static void Rewrite(string path, string encoding) =>
        File.WriteAllBytes(path, Encoded(File.ReadAllText(path), encoding));

    private static byte[] Encoded(string text, string name)
    {
        if (name == "utf-8")
            return Encoding.UTF8.GetBytes(text);
        Encoding encoding = Encoding.GetEncoding(name.Split(' ')[0]);
        return [.. encoding.GetPreamble(), .. encoding.GetBytes(text)];
    }
}
