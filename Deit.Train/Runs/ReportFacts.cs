using Deit.Train.Options;
using Deit.Train.Pages;
using Deit.Train.Training;

namespace Deit.Train.Runs;

/// <summary>Where a run stands, for its report.</summary>
internal enum RunStatus
{
    /// <summary>It is trained.</summary>
    Training,

    /// <summary>It was told to stop.</summary>
    Stopped,

    /// <summary>An error ended it.</summary>
    Failed,

    /// <summary>All epochs are done.</summary>
    Complete,
}

/// <summary>What a report shows. Parts that are not known are left out.</summary>
internal sealed record ReportFacts
{
    /// <summary>The run folder.</summary>
    public required string Folder { get; init; }

    /// <summary>The options of the run.</summary>
    public required TrainOptions Options { get; init; }

    /// <summary>The epochs so far.</summary>
    public required IReadOnlyList<LogRow> Rows { get; init; }

    /// <summary>Seconds that steps of an epoch took which is not done.</summary>
    public double SecondsOfPart { get; init; }

    /// <summary>The numbers of epochs that the run had, more than one where it was extended; empty where that is not
    /// known.</summary>
    public IReadOnlyList<RunLength> Lengths { get; init; } = [];

    /// <summary>Where the run stands.</summary>
    public RunStatus Status { get; init; }

    /// <summary>The error that ended the run.</summary>
    public string Error { get; init; } = "";

    /// <summary>The figures that stand first, by their names: model, device and so on.</summary>
    public IReadOnlyList<(string Name, string Value)> Headline { get; init; } = [];

    /// <summary>Device, driver, system and so on.</summary>
    public IReadOnlyList<(string Name, string Value)> Environment { get; init; } = [];

    /// <summary>The parts that tell of the answers.</summary>
    public IReadOnlyList<(string Id, string Title, Markup Content)> Answers { get; init; } = [];

    /// <summary>The parts that tell of the data.</summary>
    public IReadOnlyList<(string Id, string Title, Markup Content)> Data { get; init; } = [];

    /// <summary>The model that the answers are of, as "epoch 12, the best so far".</summary>
    public string Answered { get; init; } = "";

    /// <summary>A sentence for each picture that could not be read.</summary>
    public IReadOnlyList<string> Unreadable { get; init; } = [];
}
