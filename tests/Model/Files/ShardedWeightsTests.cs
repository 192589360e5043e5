using System.Text.Json;
using Deit.Model;
using Deit.Model.Files;
using Deit.Tests.Golden;
using Deit.Tests.Model.Formats;
using Deit.Train.Distillation;

namespace Deit.Tests.Model.Files;

/// <summary>Folders of transformers whose weights are in several files.</summary>
public sealed class ShardedWeightsTests : IDisposable
{
    private const string Whole = "models/hf_deit_test_distilled";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Index => _folder[WeightsInFolder.IndexFile];

    private static string Part(int number, int parts) => $"model-{number + 1:d5}-of-{parts:d5}.safetensors";

    // The tensors of the small model, dealt out to files.
    private Dictionary<string, string> Write(int parts)
    {
        foreach (string file in (string[])["config.json", "preprocessor_config.json"])
            File.Copy(GoldenData.Path($"{Whole}/{file}"), _folder[file]);
        using SafetensorsFile whole = SafetensorsFile.Open(GoldenData.Path($"{Whole}/model.safetensors"));
        Dictionary<string, string> map = [];
        for (int part = 0; part < parts; part++)
        {
            SafetensorsEntry[] own = [.. whole.Entries.Where((_, i) => i % parts == part)];
            foreach (SafetensorsEntry entry in own)
                map.Add(entry.Name, Part(part, parts));
            SafetensorsWriter.Write(
                _folder[Part(part, parts)],
                own.Select(entry => SafetensorsSource.FromFloats(entry.Name, entry.Shape, whole.Read(entry.Name)))
            );
        }
        WriteIndex(map);
        return map;
    }

    private void WriteIndex(Dictionary<string, string> map) =>
        File.WriteAllText(Index, JsonSerializer.Serialize(new { metadata = new { }, weight_map = map }));

    [Theory, InlineData(1), InlineData(2), InlineData(5)]
    public void All_parts_are_one_model(int parts)
    {
        Write(parts);
        using ModelSource sharded = ModelSource.Open(_folder.Path),
            whole = ModelSource.Open(GoldenData.Path(Whole));
        sharded.Check();
        Assert.Equal(whole.Weights.Shapes.Keys.Order(), sharded.Weights.Shapes.Keys.Order());
        Assert.All(
            whole.Weights.Shapes.Keys,
            name => Assert.Equal(whole.Weights.Read(name), sharded.Weights.Read(name))
        );
        // A teacher's cached answers are known by all of its weights.
        string before = Teacher.Hash(sharded);
        byte[] last = File.ReadAllBytes(_folder[Part(parts - 1, parts)]);
        last[^1] ^= 1;
        File.WriteAllBytes(_folder[Part(parts - 1, parts)], last);
        Assert.NotEqual(before, Teacher.Hash(sharded));
    }

    [Theory]
    [InlineData("a part is missing", "model-00002-of-00002.safetensors")]
    [InlineData("the index is missing", "no model.safetensors.index.json")]
    [InlineData("a tensor is missing", "lacks 'extra'")]
    [InlineData("a tensor is there twice", "which another part of")]
    [InlineData("no map", "cannot be read as an index")]
    [InlineData("an empty map", "names no tensors")]
    [InlineData("a number for a file", "cannot be read as an index")]
    [InlineData("a pointer", "git lfs pull")]
    public void What_does_not_fit_is_named(string fault, string expected)
    {
        Dictionary<string, string> map = Write(2);
        switch (fault)
        {
            case "a part is missing":
                File.Delete(_folder[Part(1, 2)]);
                break;
            case "the index is missing":
                File.Delete(Index);
                break;
            case "a tensor is missing":
                map["extra"] = Part(0, 2);
                WriteIndex(map);
                break;
            case "a tensor is there twice":
                File.Copy(_folder[Part(0, 2)], _folder[Part(1, 2)], overwrite: true);
                break;
            case "no map":
                File.WriteAllText(Index, "{}");
                break;
            case "an empty map":
                WriteIndex([]);
                break;
            case "a number for a file":
                File.WriteAllText(Index, "{\"weight_map\": {\"a\": 3}}");
                break;
            default:
                File.WriteAllText(Index, "version https://git-lfs.github.com/spec/v1\n");
                break;
        }
        Refusal.Of(
            () =>
            {
                using ModelSource source = ModelSource.Open(_folder.Path);
                source.Check();
            },
            expected
        );
    }

    [Theory]
    [InlineData("../elsewhere.safetensors")]
    [InlineData("/etc/elsewhere.safetensors")]
    [InlineData("below/part.safetensors")]
    [InlineData("below\\part.safetensors")]
    [InlineData("C:part.safetensors")]
    [InlineData("..")]
    [InlineData("part.pth")]
    [InlineData("")]
    public void An_index_leads_to_no_other_place(string file)
    {
        Dictionary<string, string> map = Write(2);
        map["extra"] = file;
        WriteIndex(map);
        Refusal.Of(
            () =>
            {
                using ModelSource source = ModelSource.Open(_folder.Path);
                source.Check();
            },
            "expected the name of a .safetensors file beside it"
        );
    }
}
