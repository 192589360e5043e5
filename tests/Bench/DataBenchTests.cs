using System.Text.Json;
using Deit.Tests.Cli;
using Deit.Tests.Train.Training;

namespace Deit.Tests.Bench;

public sealed class DataBenchTests
{
    [Theory]
    [InlineData("none", 0.0, "decode", "crop and resize", "flip", "normalise and erase")]
    [InlineData(
        "rand-m9-mstd0.5-inc1",
        0.25,
        "decode",
        "crop and resize",
        "flip",
        "RandAugment",
        "normalise and erase"
    )]
    public async Task It_says_images_a_second_and_the_share_of_each_step(
        string augment,
        double erasing,
        params string[] steps
    )
    {
        using TemporaryFolder folder = new();
        string data = TinyRun.WritePictures(folder),
            chance = erasing.ToString(System.Globalization.CultureInfo.InvariantCulture);
        (int exitCode, string output, string error) = await DeitProcess.Run(
            "bench",
            "data",
            "--data",
            data,
            "--input-size",
            "40",
            "--aa",
            augment,
            "--reprob",
            chance,
            "--num-workers",
            "2",
            "--seconds",
            "0.2",
            "--json"
        );
        Assert.True(exitCode == 0, error);
        using JsonDocument report = JsonDocument.Parse(output);
        JsonElement root = report.RootElement,
            rate = root.GetProperty("images_per_second"),
            thread = root.GetProperty("one_thread");
        Assert.Equal(
            (24, 40, 2),
            (
                root.GetProperty("pictures").GetInt32(),
                root.GetProperty("input_size").GetInt32(),
                root.GetProperty("workers").GetInt32()
            )
        );
        Assert.Equal((augment, erasing), (root.GetProperty("aa").GetString(), root.GetProperty("reprob").GetDouble()));

        double[] rates =
        [
            .. rate.GetProperty("repetitions").EnumerateArray().Select(value => value.GetDouble()).Order(),
        ];
        double median = rate.GetProperty("median").GetDouble(),
            spread = rate.GetProperty("spread").GetDouble();
        Assert.Equal(rates[rates.Length / 2], median);
        Assert.True(rates[0] > 0);
        Assert.InRange(spread, 0, (rates[^1] - rates[0]) / median);
        Assert.Equal(spread <= 0.02, rate.GetProperty("steady").GetBoolean());

        JsonElement[] times = [.. thread.GetProperty("steps").EnumerateArray()];
        Assert.Equal(steps, times.Select(step => step.GetProperty("name").GetString()));
        Assert.All(times, step => Assert.True(step.GetProperty("milliseconds").GetDouble() > 0));
        Assert.Equal(1, times.Sum(step => step.GetProperty("share").GetDouble()), 1e-9);
        double milliseconds = thread.GetProperty("milliseconds").GetDouble();
        Assert.Equal(
            milliseconds,
            times.Sum(step => step.GetProperty("milliseconds").GetDouble()),
            1e-9 * milliseconds
        );
        Assert.Equal(1000 / milliseconds, thread.GetProperty("images_per_second").GetDouble(), 1e-6 / milliseconds);
    }

    [Fact]
    public async Task Without_json_it_prints_a_table()
    {
        using TemporaryFolder folder = new();
        (int exitCode, string output, string error) = await DeitProcess.Run(
            "bench",
            "data",
            "--data",
            TinyRun.WritePictures(folder),
            "--input-size",
            "40",
            "--seconds",
            "0.1"
        );
        Assert.True(exitCode == 0, error);
        Assert.Contains("images/s on one thread", output);
        Assert.Contains("| crop and resize", output);
    }

    [Theory]
    [InlineData("--seconds", "0")]
    [InlineData("--seconds", "NaN")]
    [InlineData("--input-size", "0")]
    [InlineData("--reprob", "1.5")]
    [InlineData("--num-workers", "-1")]
    [InlineData("--aa", "rand-x")]
    [InlineData("--data", "nothing-there")]
    public async Task What_cannot_be_measured_is_said_in_a_sentence(string flag, string value)
    {
        using TemporaryFolder folder = new();
        string[] arguments = flag == "--data" ? [flag, value] : ["--data", TinyRun.WritePictures(folder), flag, value];
        (int exitCode, _, string error) = await DeitProcess.Run(["bench", "data", .. arguments]);
        Assert.Equal(flag == "--data" ? 3 : 2, exitCode);
        Assert.StartsWith("deit: ", error);
        Assert.Contains(flag == "--data" ? value : flag, error);
        Assert.Single(error.TrimEnd().Split('\n'));
    }
}
