using Deit.Cli.Commands;
using Deit.Cli.Conversion;
using Deit.Model;
using Deit.Model.Files;
using Deit.Tests.Golden;
using Deit.Tests.Model.Formats;

namespace Deit.Tests.Cli.Conversion;

/// <summary>Where checkpoints have their weights, and the moving average of them.</summary>
public sealed class CheckpointPlacesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // A dictionary whose members are state dictionaries of one tensor; that of member i holds i, i + 1.
    private static byte[] Checkpoint(params string[] places)
    {
        PickleBytes pickle = PickleBytes.Begin.Code("}(").Text("epoch").Number(3);
        for (int i = 0; i < places.Length; i++)
        {
            string[] path = places[i].Split('/');
            foreach (string place in path)
                pickle.Text(place).Code("}");
            pickle.Text("x").Tensor("FloatStorage", "0", 9, i, [2], [1]).Code("s");
            for (int depth = 1; depth < path.Length; depth++)
                pickle.Code("s");
        }
        return PickleBytes.Archive(pickle.Code("u").End(), PickleBytes.Floats(9));
    }

    private static TorchFile Open(byte[] bytes, bool average) =>
        TorchFile.Open("a.pth", new MemoryStream(bytes), average);

    public static TheoryData<string, string> Pairs
    {
        get
        {
            TheoryData<string, string> pairs = [];
            string[] weights = ["model", "state_dict", "model_state_dict", "net", "module", "model/module"];
            string[] averages =
            [
                "state_dict_ema",
                "model_ema",
                "ema",
                "ema_state_dict",
                "module_ema",
                "model_ema/module",
                "ema/state_dict",
            ];
            foreach (string place in weights)
            foreach (string average in averages)
                pairs.Add(place, average);
            return pairs;
        }
    }

    [Theory, MemberData(nameof(Pairs))]
    public void The_weights_or_their_average_are_taken_in_any_order(string place, string average)
    {
        foreach (
            string[] order in (string[][])
                [
                    [place, average],
                    [average, place],
                ]
        )
        {
            float first = Array.IndexOf(order, place);
            using TorchFile weights = Open(Checkpoint(order), average: false),
                averaged = Open(Checkpoint(order), average: true);
            Assert.Equal([first, first + 1], weights.Read("x"));
            Assert.Equal([1 - first, 2 - first], averaged.Read("x"));
            Assert.Equal((place.Split('/')[0], average.Split('/')[0]), (weights.State.Place, weights.State.Average));
            Assert.Null(averaged.State.Average);
        }
        using TorchFile alone = Open(Checkpoint(average), average: false);
        Assert.Equal([0, 1], alone.Read("x"));
        Refusal.Of(() => Open(Checkpoint(place), average: true), "leave --ema out");
    }

    [Fact]
    public void What_else_there_is_is_named()
    {
        Refusal.Of(() => Open(Checkpoint("student", "teacher"), average: false), "'epoch', 'student', 'teacher'");
        Refusal.Of(() => Open(Checkpoint("student", "teacher"), average: false), "[\'student\']");
        using TorchFile file = Open(Checkpoint("model", "discriminator"), average: false);
        Assert.Equal(["discriminator"], file.State.LeftOut);
    }

    [Fact]
    public void The_average_of_our_own_folder_is_taken_when_told()
    {
        string last = Directory.CreateDirectory(_folder["last"]).FullName,
            weights = GoldenData.Path("models/deit_test.safetensors");
        ModelSource.Describe(weights).Write(last);
        File.Copy(weights, Path.Combine(last, ModelFolder.WeightsFile));
        using (SafetensorsFile file = SafetensorsFile.Open(weights))
            SafetensorsWriter.Write(
                Path.Combine(last, ModelFolder.AverageFile),
                file.Entries.Select(entry =>
                    SafetensorsSource.FromFloats(
                        entry.Name,
                        entry.Shape,
                        Array.ConvertAll(file.Read(entry.Name), value => value / 2)
                    )
                )
            );
        float[] Converted(bool ema)
        {
            string to = _folder[$"out {ema}"];
            Assert.Equal(0, ConvertCommand.Run(last, to, new ConvertOptions { Ema = ema }));
            using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(to, ModelFolder.WeightsFile));
            return file.Read("cls_token");
        }
        float[] plain = Converted(false);
        Assert.Equal(Array.ConvertAll(plain, value => value / 2), Converted(true));
        using ConvertSource source = ConvertSource.Open(last, new ConvertHints(null, null, null));
        Assert.Contains("--ema takes it", Assert.Single(source.Notices));
    }

    [Fact]
    public void Where_there_is_no_average_the_option_is_refused()
    {
        foreach (
            string model in (string[])["deit_test.safetensors", "deit_test_distilled.pth", "hf_deit_test_distilled"]
        )
            Refusal.Of(
                () =>
                    ConvertCommand.Run(
                        GoldenData.Path($"models/{model}"),
                        _folder["out"],
                        new ConvertOptions { Ema = true }
                    ),
                "leave --ema out"
            );
        Assert.Empty(_folder.Content);
    }

    [Theory]
    [InlineData(".gguf"), InlineData(".pt"), InlineData(".pth"), InlineData(".safetensors"), InlineData(".bin")]
    [InlineData(".h5"), InlineData(".tflite"), InlineData(".engine"), InlineData(".mlmodel"), InlineData(".GGUF")]
    public void A_file_of_another_program_is_not_made_a_folder(string ending)
    {
        Refusal.Of(
            () =>
                ConvertCommand.Run(
                    GoldenData.Path("models/deit_test.safetensors"),
                    _folder[$"out{ending}"],
                    new ConvertOptions()
                ),
            $"'{ending}'"
        );
        Assert.Empty(_folder.Content);
    }

    [Theory, InlineData("v1.2"), InlineData("deit.tiny"), InlineData("model_2024.11.28"), InlineData(".hidden")]
    public void A_folder_may_have_a_dot(string name) =>
        Assert.Equal(
            0,
            ConvertCommand.Run(GoldenData.Path("models/deit_test.safetensors"), _folder[name], new ConvertOptions())
        );
}
