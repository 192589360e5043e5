using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Deit.Cli.Help;
using Deit.Cli.Terminal;
using Deit.Train.Data.Inspection;
using Deit.Train.Data.Splits;
using Deit.Train.Options;

namespace Deit.Cli.Commands;

/// <summary><c>deit check</c>: a look at data before a training.</summary>
internal static class CheckCommand
{
    // A check that ends before shows no progress.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public static Command Create()
    {
        Argument<string> data = new("DATA") { Description = "the pictures, as --data of train takes them" };
        ExplainedCommand command = new(
            "check",
            "Look at data before training: damaged files, copies across splits, two labels, classes, sizes. "
                + "Exit code 3: mend it first.",
            new Help.Example("deit check shoes", "Says what is wrong with a folder of pictures, and what is only odd."),
            new Help.Example(
                "deit check shoes --output shoes-check",
                "Writes a page with thumbnails of what was found, too."
            ),
            new Help.Example("deit check shoes --near off --json", "Looks for no near copies, and prints JSON.")
        )
        {
            data,
        };
        OptionBinder<CheckOptions> binder = new(command);
        command.SetAction(result => Run(result.GetValue(data)!, binder.Bind(result)));
        return command;
    }

    public static int Run(string data, CheckOptions options)
    {
        InspectionOptions inspecting = new()
        {
            Data = data,
            ValFraction = options.ValFraction,
            Threshold = Threshold(options.Near),
            InputSize = options.InputSize ?? 224,
            Workers = options.NumWorkers,
        };
        OptionCheck.Require(
            options.ValFraction is >= 0 and < 1,
            "--val-fraction",
            options.ValFraction,
            "from 0 to below 1"
        );
        OptionCheck.Require(
            options.NumWorkers is >= 0 and <= 1024,
            "--num-workers",
            options.NumWorkers,
            "from 0 to 1024"
        );
        CheckPlaces(data, options);
        Inspection inspection = Inspect(inspecting);
        if (options.Json)
            ConsoleReport.PrintJson(CheckJson.Of(inspection));
        else
            CheckText.Print(inspection);
        CheckFiles.Write(inspection, options);
        bool fails =
            inspection.IsSerious
            || (options.Strict && inspection.Findings.Any(finding => finding.Weight == Weight.Warning));
        return fails ? ExitCode.Data : ExitCode.Done;
    }

    private static Inspection Inspect(InspectionOptions options)
    {
        using ProgressLine progress = ProgressLine.OnErrorStream();
        long start = Stopwatch.GetTimestamp();
        return Inspection.Run(
            options,
            (done, count) =>
            {
                if (Stopwatch.GetElapsedTime(start) > Patience)
                    progress.Report(
                        done is { } pictures ? $"Read {pictures} of {count} pictures" : $"Comparing {count} pictures"
                    );
            }
        );
    }

    private static int? Threshold(string near) =>
        near.Equals("off", StringComparison.OrdinalIgnoreCase) ? null
        : int.TryParse(near, NumberStyles.None, CultureInfo.InvariantCulture, out int bits)
        && bits <= NearSearch.GreatestThreshold
            ? bits
        : throw new DeitException(
            DeitErrorKind.Usage,
            $"--near is '{near}', expected off or a number of bits from 0 to {NearSearch.GreatestThreshold}; "
                + $"{NearSearch.DefaultThreshold} finds copies and seldom anything else."
        );

    // Before anything is read: a check of large data takes long.
    private static void CheckPlaces(string data, CheckOptions options)
    {
        if (options.Html is { } file)
        {
            if (!Path.GetExtension(file).Equals(".html", StringComparison.OrdinalIgnoreCase))
                throw new DeitException(
                    DeitErrorKind.Usage,
                    $"--html '{file}' does not end with .html, the format that it writes; name it so."
                );
            OutputPlace.RequireOutside("--html", file, data);
            if (Path.GetDirectoryName(Path.GetFullPath(file)) is { } parent && !Directory.Exists(parent))
                throw new DeitException(
                    DeitErrorKind.Usage,
                    $"--html '{file}' lies in no folder, expected '{parent}'; make it or choose another file."
                );
            if (Directory.Exists(file))
                throw new DeitException(
                    DeitErrorKind.Usage,
                    $"--html '{file}' is a folder, expected a file to write; name one in it."
                );
            CheckFiles.RequireOwnPage("--html", file);
        }
        if (options.Output is { } folder)
        {
            OutputPlace.RequireOutside("--output", folder, data);
            CheckFiles.RequireOwnFolder("--output", folder);
            CheckFiles.RequireMakeable("--output", folder);
        }
    }
}
