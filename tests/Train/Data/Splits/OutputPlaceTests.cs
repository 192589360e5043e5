using Deit.Train.Data.Splits;

namespace Deit.Tests.Train.Data.Splits;

public sealed class OutputPlaceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public OutputPlaceTests()
    {
        foreach (
            string folder in (string[])["flat/cats", "flat/dogs", "split/Train/cats", "split/valid/cats", "elsewhere"]
        )
            Directory.CreateDirectory(_folder[folder]);
        Directory.CreateSymbolicLink(_folder["link"], _folder["flat"]);
        Directory.CreateSymbolicLink(_folder["elsewhere/in"], "../flat/cats");
        Directory.CreateSymbolicLink(_folder["ring"], _folder["ring"]);
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("flat", "flat")]
    [InlineData("flat", "flat/")]
    [InlineData("flat/", "./flat/../flat/run")]
    [InlineData("flat", "flat/runs/one")]
    [InlineData("flat", "link")]
    [InlineData("flat", "link/run")]
    [InlineData("link", "flat/run")]
    [InlineData("flat", "elsewhere/in/run")]
    [InlineData("split", "split")]
    [InlineData("split", "split/Train/run")]
    [InlineData("split", "split/valid")]
    [InlineData("split", "split/test/x")]
    public void Inside_the_data_is_refused(string data, string output)
    {
        DeitException error = Assert.Throws<DeitException>(() =>
            OutputPlace.RequireOutside("--output", _folder[output], _folder[data])
        );
        Assert.StartsWith($"--output '{_folder[output]}' lies in the data '{_folder[data]}'", error.Message);
    }

    [Theory]
    [InlineData("flat", "flat2")]
    [InlineData("flat", "runs")]
    [InlineData("flat", ".")]
    [InlineData("flat", "elsewhere")]
    [InlineData("flat", "ring/run")]
    [InlineData("flat/cats", "flat/run")]
    [InlineData("split", "split/runs/one")]
    [InlineData("missing", "missing2/run")]
    public void Outside_it_or_beside_its_splits_is_fine(string data, string output) =>
        OutputPlace.RequireOutside("--output", _folder[output], _folder[data]);

    [Theory]
    [InlineData("flat", "flat", true)]
    [InlineData("flat/cats", "flat", true)]
    [InlineData("flat", ".", true)]
    [InlineData("flat/cats", "link", true)]
    [InlineData("flat", "flat/run", false)]
    [InlineData("flat", "flatter", false)]
    public void Around_the_data_is_refused(string data, string output, bool refused)
    {
        Exception? error = Record.Exception(() =>
            OutputPlace.RequireNotAround("--output", _folder[output], _folder[data])
        );
        Assert.Equal(refused, error is DeitException);
    }

    [Fact]
    public void A_file_that_is_read_is_not_written_over_and_a_new_one_beside_it_is_written()
    {
        File.WriteAllText(_folder["flat/config.json"], "{}");
        File.CreateSymbolicLink(_folder["other.json"], _folder["flat/config.json"]);
        foreach (string file in (string[])["flat/config.json", "link/config.json", "other.json"])
            Assert.Throws<DeitException>(() =>
                OutputPlace.RequireNoInput("--output", _folder[file], _folder["elsewhere"], _folder["flat"])
            );
        OutputPlace.RequireNoInput("--output", _folder["flat/new.json"], _folder["flat"]);
    }
}
