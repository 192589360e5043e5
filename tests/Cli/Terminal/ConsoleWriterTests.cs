using Deit.Cli.Terminal;

namespace Deit.Tests.Cli.Terminal;

public sealed class ConsoleWriterTests
{
    public static TheoryData<Exception> Faults =>
        [
            new IOException("No space left on device"),
            new UnauthorizedAccessException("Access denied", new IOException("Bad file descriptor")),
            new ObjectDisposedException("stream"),
        ];

    [Theory]
    [MemberData(nameof(Faults), DisableDiscoveryEnumeration = true)]
    public void An_answer_that_cannot_be_written_is_an_error_of_one_type(Exception fault)
    {
        using BrokenWriter broken = new() { Fault = fault };
        using ConsoleWriter writer = new(broken, drop: false);
        string cause = (fault.InnerException ?? fault).Message.TrimEnd('.');
        foreach (Action write in Writes(writer))
            Assert.Contains(cause, Assert.Throws<OutputException>(write).Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Faults), DisableDiscoveryEnumeration = true)]
    public void What_goes_beside_the_answer_is_dropped_and_comes_again_when_there_is_space(Exception fault)
    {
        using BrokenWriter broken = new() { Fault = fault };
        using ConsoleWriter writer = new(broken, drop: true);
        foreach (Action write in Writes(writer))
            write();
        broken.Fault = null;
        writer.Write("later");
        Assert.Equal("later", broken.Written);
    }

    private static IEnumerable<Action> Writes(ConsoleWriter writer) =>
        [
            () => writer.Write('a'),
            () => writer.Write("ab"),
            () => writer.Write(['a', 'b'], 0, 2),
            () => writer.Write("ab".AsSpan()),
            () => writer.Write("{0}", 1),
            () => writer.WriteLine("ab"),
            () => writer.WriteLine(),
            () => writer.WriteLine(1.5),
        ];
}
