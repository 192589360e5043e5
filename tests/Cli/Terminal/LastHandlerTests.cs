using System.Reflection;
using Deit.Cli.Terminal;
using Deit.Gpu;
using Deit.Model;
using Deit.Model.Images;

namespace Deit.Tests.Cli.Terminal;

public sealed class LastHandlerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _said = [];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_command_that_ends_well_keeps_its_exit_code()
    {
        Assert.Equal(130, Handler().Run(() => 130));
        Assert.Empty(_said);
    }

    public static TheoryData<Exception, int> Mendable =>
        new()
        {
            { new DeitException(DeitErrorKind.Other, "The peer ended."), 1 },
            { new DeitException(DeitErrorKind.Usage, "No data was given; add --data DIR."), 2 },
            { new DeitException(DeitErrorKind.Data, "There is no such folder."), 3 },
            { new CheckpointException("It is damaged."), 3 },
            { new ImageException("It is cut off."), 3 },
            { new AggregateException(new ImageException("It is cut off.")), 3 },
            { new GpuException(GpuErrorKind.NoDevice, "No device."), 4 },
            { new DeitException(DeitErrorKind.Memory, "Not enough memory."), 4 },
            { new DeitException(DeitErrorKind.NotFinite, "The loss is NaN."), 5 },
            { new DeitException(DeitErrorKind.Output, "The disk is full."), 7 },
            { new HubException(HubErrorKind.Offline, "It is not in the cache."), 8 },
            { new HubException(HubErrorKind.Name, "It is no name."), 2 },
            { new OutputException(new IOException("No space left")), 7 },
        };

    [Theory]
    [MemberData(nameof(Mendable), DisableDiscoveryEnumeration = true)]
    public void An_error_of_the_user_is_its_sentence_and_a_code_of_its_kind(Exception error, int code)
    {
        Assert.Equal(code, Handler().Run(() => throw error));
        Assert.Equal([(error is AggregateException ? error.InnerException! : error).Message], _said);
        Assert.Empty(_folder.Content);
        Assert.Contains(ExitCode.All, known => known.Code == code);
    }

    [Fact]
    public void Exit_codes_differ() => Assert.Distinct(ExitCode.All.Select(known => known.Code));

    [Fact]
    public void Too_little_memory_is_no_fault_of_the_program()
    {
        Assert.Equal(4, Handler().Run(() => throw new InsufficientMemoryException()));
        Assert.Contains("lower --batch-size", Assert.Single(_said), StringComparison.Ordinal);
        Assert.Empty(_folder.Content);
    }

    public static TheoryData<Exception> Wrapped =>
        [
            new InvalidOperationException("It is odd."),
            new AggregateException(new AggregateException(new InvalidOperationException("It is odd."))),
            new TargetInvocationException(new InvalidOperationException("It is odd.")),
            new TypeInitializationException("Some.Type", new InvalidOperationException("It is odd.")),
        ];

    [Theory]
    [MemberData(nameof(Wrapped), DisableDiscoveryEnumeration = true)]
    public void A_fault_is_a_sentence_and_a_report_and_70(Exception fault)
    {
        Assert.Equal(70, Handler().Run(() => throw fault));
        string report = _folder[Assert.Single(_folder.Content)],
            sentence = Assert.Single(_said);
        Assert.Contains("InvalidOperationException, 'It is odd'", sentence, StringComparison.Ordinal);
        Assert.Contains(report, sentence, StringComparison.Ordinal);
        string text = File.ReadAllText(report);
        Assert.Contains("deit train --data 'my pictures'", text, StringComparison.Ordinal);
        Assert.Contains("InvalidOperationException: It is odd.", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_report_goes_to_the_next_folder_where_the_first_cannot_be_written()
    {
        Assert.Equal(70, Handler(_folder["missing"], _folder.Path).Run(() => throw new InvalidOperationException()));
        Assert.StartsWith("deit-fault-", Assert.Single(_folder.Content), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_any_folder_the_sentence_is_all_there_is()
    {
        Assert.Equal(70, Handler(_folder["missing"]).Run(() => throw new InvalidOperationException("It is odd")));
        Assert.Contains("please report", Assert.Single(_said), StringComparison.Ordinal);
    }

    private LastHandler Handler(params string[] folders) =>
        new(["train", "--data", "my pictures"], _said.Add, folders.Length == 0 ? [_folder.Path] : folders);
}
