namespace Deit.Cli.Terminal;

/// <summary>The exit codes of the command. Help, manual pages and the book list them from here.</summary>
/// <param name="Code">The number.</param>
/// <param name="Name">A word for it.</param>
/// <param name="Meaning">What it tells, as the end of a sentence.</param>
internal sealed record ExitCode(int Code, string Name, string Meaning)
{
    /// <summary>Everything was done.</summary>
    public const int Done = 0;

    /// <summary>Only a part was done.</summary>
    public const int Partial = 6;

    /// <summary>The number of a signal is added to it where one ended the command.</summary>
    public const int Signal = 128;

    /// <summary>A fault of the program: EX_SOFTWARE of sysexits.h.</summary>
    public const int Fault = 70;

    /// <summary>What is read is missing, damaged or does not fit.</summary>
    public const int Data = 3;

    /// <summary>No device, or one that failed.</summary>
    public const int Device = 4;

    /// <summary>What is to be written cannot be.</summary>
    public const int Output = 7;

    private const int Other = 1,
        Usage = 2,
        NotFinite = 5,
        Network = 8;

    /// <summary>All of them, in their order.</summary>
    public static IReadOnlyList<ExitCode> All { get; } =
    [
        new(Done, "done", "everything was done"),
        new(Other, "error", "another error, which its sentence explains"),
        new(Usage, "usage", "the command line or a setting makes no sense"),
        new(Data, "data", "pictures, data, a model or a run that is read is missing, damaged or does not fit"),
        new(Device, "device", "there is no such device, it failed, or it or the machine has not enough memory"),
        new(NotFinite, "not finite", "a loss or an answer is NaN or infinite"),
        new(Partial, "partial", "a part was done: some pictures could not be read, and the others are answered"),
        new(Output, "output", "a file, a folder or the output cannot be written, is in use, or would be lost"),
        new(
            Network,
            "network",
            "a model could not be fetched (no connection, no such repository, no access), or another rank of a training failed"
        ),
        new(Fault, "fault", "the program has a fault; the sentence names a file that tells more"),
        new(Signal, "signal", "128 and the number of the signal that ended the command, as 130 of Ctrl-C"),
    ];

    /// <summary>The exit code of an error that the user can mend.</summary>
    /// <param name="error">The error.</param>
    /// <returns>Null of a fault of the program.</returns>
    public static int? Of(Exception error) =>
        error switch
        {
            OutOfMemoryException => Device,
            DeitException { Kind: var kind } => kind switch
            {
                DeitErrorKind.Usage => Usage,
                DeitErrorKind.Data => Data,
                DeitErrorKind.Output => Output,
                DeitErrorKind.Memory or DeitErrorKind.Device => Device,
                DeitErrorKind.NotFinite => NotFinite,
                DeitErrorKind.Network => Network,
                _ => Other,
            },
            _ => null,
        };
}
