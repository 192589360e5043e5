using System.CommandLine;
using Deit.Cli.Analysis;
using Deit.Cli.Help;
using Deit.Cli.Terminal;
using Deit.Gpu;
using Deit.Model;
using Deit.Train.Analysis;
using Deit.Train.Options;
using Deit.Train.Reporting;
using Spectre.Console;

namespace Deit.Cli.Commands.Analyze;

/// <summary>The options of <c>deit analyze tokens</c>.</summary>
internal sealed record TokensOptions : SplitOptions
{
    [Flag("model folder, such as RUN/best, or hf:OWNER/REPO", Required = true, Value = "DIR")]
    public string Model { get; set; } = "";

    [Flag(
        "a second model, as --model, of the same architecture, whose class token is compared with the first one's",
        Value = "DIR"
    )]
    public string? Other { get; set; }

    [Flag("take only so many images, evenly spread over the split")]
    public int? Limit { get; set; }
}

/// <summary><c>deit analyze tokens</c>: how alike class and distillation token are, layer by layer.</summary>
internal static class TokensCommand
{
    public static Command Create()
    {
        ExplainedCommand command = new(
            "tokens",
            "How alike class and distillation token are, layer by layer: the mean cosine over images.",
            new Example(
                "deit analyze tokens --model runs/student/best --data shoes",
                "Compares class and distillation token of a distilled model."
            ),
            new Example(
                "deit analyze tokens --model runs/a/best --other runs/b/best --data shoes",
                "Compares the class tokens of two models."
            ),
            new Example(
                "deit analyze tokens --model runs/student/best --data shoes --limit 100 --json",
                "Takes a hundred pictures, and prints JSON."
            )
        );
        OptionBinder<TokensOptions> binder = new(command);
        command.SetAction(result => Run(binder.Bind(result)));
        return command;
    }

    public static int Run(TokensOptions options)
    {
        if (options.Limit < 1)
            throw new DeitException(DeitErrorKind.Usage, $"--limit is {options.Limit}, expected at least 1.");
        using ModelSource first = ModelSource.Open(options.Model);
        using ModelSource? second = options.Other is null ? null : ModelSource.Open(options.Other);
        TransformerConfig config = Transformer(first);
        if (second is null && config.PrefixTokens == 1)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"'{options.Model}' has no distillation token to compare its class token with; "
                    + "give a distilled model, or another model with --other."
            );
        if (second is not null)
            CheckOther(second, first);
        using ModelOnSplit source = ModelOnSplit.Open(first, options, options.Limit);

        foreach (string notice in source.Notices)
            Output.Notice(notice);

        using GpuDevice device = CommandDevice.OpenForInference(options.Device, options.Kernels);
        Output.Aside($"Running on {device.Info}");
        using INetwork network = first.Load(device);
        using INetwork? other = second?.Load(device);
        source.RequireMemory(device);
        (IReadOnlyList<PlaceCosines> places, int images) = TokenCosines.Measure(
            device,
            network,
            other,
            source.BatchSize,
            source.Loader.Epoch(0)
        );
        if (options.Json)
            ConsoleReport.PrintJson(
                new
                {
                    options.Model,
                    options.Other,
                    source.Split,
                    Images = images,
                    Places = places.Select(place => new
                    {
                        place.Place,
                        ClassDistillation = Finite(place.ClassDistillation),
                        ClassOther = Finite(place.ClassOther),
                    }),
                }
            );
        else
            Print(places, source.Which(images));
        return images == source.Asked ? ExitCode.Done : ExitCode.Partial;

        static double? Finite(double? value) => value is { } number ? Report.Finite(number) : null;
    }

    private static void Print(IReadOnlyList<PlaceCosines> places, string images)
    {
        Output.Line($"Mean cosine of tokens over {images}");
        bool distilled = places[0].ClassDistillation is not null,
            other = places[0].ClassOther is not null;
        Table table = ConsoleReport.Table([
            "after",
            .. distilled ? ["class, distillation"] : Array.Empty<string>(),
            .. other ? ["class, other's class"] : Array.Empty<string>(),
        ]);
        foreach (PlaceCosines place in places)
            table.Row([place.Place, .. Cell(place.ClassDistillation), .. Cell(place.ClassOther)]);
        ConsoleReport.Print(table);

        static string[] Cell(double? value) => value is { } number ? [Report.Number(number, "F4")] : [];
    }

    private static TransformerConfig Transformer(ModelSource source) =>
        source.Description.Config as TransformerConfig
        ?? throw new DeitException(
            DeitErrorKind.Usage,
            $"'{source.Path}' is a {source.Description.Config.Family}, which has no tokens; give a DeiT."
        );

    private static void CheckOther(ModelSource other, ModelSource first)
    {
        TransformerConfig config = Transformer(first),
            second = Transformer(other);
        if ((config.Depth, config.EmbedDim) != (second.Depth, second.EmbedDim))
            throw new DeitException(
                DeitErrorKind.Usage,
                $"'{other.Path}' has {second.Depth} blocks of width {second.EmbedDim}, "
                    + $"'{first.Path}' {config.Depth} of {config.EmbedDim}: "
                    + "their tokens cannot be compared; give models of one size."
            );
        if (other.Description.Preprocess != first.Description.Preprocess)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"'{other.Path}' prepares pictures otherwise than '{first.Path}': "
                    + "their tokens would be of different inputs; give models with the same preprocessing."
            );
    }
}
