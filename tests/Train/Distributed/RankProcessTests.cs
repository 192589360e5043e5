using Deit.Tests.Samples;
using Deit.Tests.Train.Training;

namespace Deit.Tests.Train.Distributed;

/// <summary>Commands that a launcher has started several times, before they meet.</summary>
public sealed class RankProcessTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _data;

    public RankProcessTests() => _data = TinyRun.WritePictures(_folder);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_command_that_trains_several_times_is_refused_before_it_begins()
    {
        using Command command = Command.Start(
            "dotnet",
            [Path.Combine(AppContext.BaseDirectory, "deit.dll"), "bench", "distillation", "--data", _data],
            _folder.Path,
            ("PMI_SIZE", "2"),
            ("PMI_RANK", "1")
        );
        CommandResult result = await command.End();
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("was started 2 times by MPICH", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Rank_0_alone_saves_a_recipe(int rank)
    {
        using Command command = Command.Start(
            "dotnet",
            [Path.Combine(AppContext.BaseDirectory, "deit.dll"), "train", "--save-recipe", "recipe.json"],
            _folder.Path,
            ("PMI_SIZE", "2"),
            ("PMI_RANK", $"{rank}")
        );
        CommandResult result = await command.End();
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(rank == 0, File.Exists(_folder["recipe.json"]));
    }
}
