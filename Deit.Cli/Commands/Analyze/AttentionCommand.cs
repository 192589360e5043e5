using System.CommandLine;
using System.Globalization;
using Deit.Cli.Analysis;
using Deit.Cli.Help;
using Deit.Cli.Terminal;
using Deit.Gpu;
using Deit.Model;
using Deit.Model.Files;
using Deit.Model.Images;
using Deit.Train.Analysis;
using Deit.Train.Options;
using Deit.Train.Reporting;

namespace Deit.Cli.Commands.Analyze;

/// <summary>The options of <c>deit analyze attention</c>, besides the picture.</summary>
internal sealed record AttentionOptions
{
    [Flag("model folder, such as RUN/best, or hf:OWNER/REPO", Required = true, Value = "DIR")]
    public string Model { get; set; } = "";

    [Flag("folder for the pictures", Value = "DIR")]
    public string Output { get; set; } = "attention";

    [Flag("the layer whose heads are shown, from 1 on, or all; the last without it", Value = "N")]
    public string? Layer { get; set; }

    [FlagGroup("Device")]
    public DeviceOptions Device { get; init; } = new();

    [FlagGroup("Device")]
    public KernelOptions Kernels { get; init; } = new();
}

/// <summary>
/// <c>deit analyze attention</c>: the attention of the class and distillation token, head by head, and the rollout
/// through all layers.
/// </summary>
internal static class AttentionCommand
{
    private static readonly string[] TokenNames = ["class", "distillation"];

    public static Command Create()
    {
        Argument<string> image = new("IMAGE") { Description = "picture file" };
        ExplainedCommand command = new(
            "attention",
            "Draw where the class and distillation token look: each head of a layer, and the rollout through all layers.",
            new Example(
                "deit analyze attention --model runs/shoes-1/best boot.jpg",
                "Draws the last layer and the rollout into the folder attention."
            ),
            new Example(
                "deit analyze attention --model runs/shoes-1/best boot.jpg --layer all --output boot",
                "Draws every layer."
            ),
            new Example("deit analyze attention --model runs/shoes-1/best boot.jpg --layer 1", "Draws the first layer.")
        )
        {
            image,
        };
        OptionBinder<AttentionOptions> binder = new(command);
        command.SetAction(result => Run(result.GetValue(image)!, binder.Bind(result)));
        return command;
    }

    public static int Run(string path, AttentionOptions options)
    {
        using ModelSource source = ModelSource.Open(options.Model);
        ModelDescription description = source.Description;
        if (description.Config is not TransformerConfig config)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"'{options.Model}' is a {description.Config.Family}, which has no attention; give a DeiT."
            );
        int[] layers = Layers(options.Layer, config.Depth);
        float[] input = new float[description.Preprocess.OutputLength];
        description.Preprocess.Apply(ImageDecoder.Decode(path), input);
        CheckFolder(options.Output, path);
        Report.MakeFolder(options.Output, "--output");

        using GpuDevice device = CommandDevice.OpenForInference(options.Device, options.Kernels);
        Output.Aside($"Running on {device.Info}");
        using INetwork network = source.Load(device);
        AttentionMaps maps = AttentionMaps.Of(device, network, input);

        RgbImage picture = HeatMap.Picture(input, description.Preprocess);
        int written = 0;
        List<(string Caption, RgbImage Image)> overview = [("input", Save(picture, "input"))];
        for (int token = 0; token < config.PrefixTokens; token++)
            overview.Add(
                ($"rollout, {TokenNames[token]}", Save(Overlay(maps.Rollout(token)), $"rollout_{TokenNames[token]}"))
            );
        List<(string Title, IReadOnlyList<(string Caption, RgbImage Image)> Cells)> rows = [("", overview)];
        foreach (int layer in layers)
            for (int token = 0; token < config.PrefixTokens; token++)
            {
                string name = $"layer{layer + 1:D2}_{TokenNames[token]}";
                List<(string Caption, RgbImage Image)> cells =
                [
                    ("mean", Save(Overlay(maps.Mean(layer, token)), $"{name}_mean")),
                ];
                for (int head = 0; head < config.NumHeads; head++)
                    cells.Add(
                        ($"head {head + 1}", Save(Overlay(maps.Row(layer, head, token)), $"{name}_head{head + 1:D2}"))
                    );
                rows.Add(($"layer {layer + 1}, {TokenNames[token]}", cells));
            }
        string sheetFile = Path.Combine(options.Output, "contact_sheet.png");
        using (Drawing sheet = ContactSheet.Draw(rows, Side(config.InputSize, layers.Length)))
            sheet.SavePng(sheetFile);
        Output.Line(
            $"{written} pictures of {config.InputSize} pixels in {options.Output}, all together in {sheetFile}"
        );
        return 0;

        // The attention of a token to itself and to the other special token belongs to no patch, and is left out.
        RgbImage Overlay(double[] row) => HeatMap.Overlay(picture, row.AsSpan(config.PrefixTokens), config.Grid);

        RgbImage Save(RgbImage image, string name)
        {
            ImageEncoder.SavePng(image, Path.Combine(options.Output, $"{name}.png"));
            written++;
            return image;
        }
    }

    // The pictures of an earlier call are replaced: its sheet and its input tell that they are. A picture of the user is not.
    private static void CheckFolder(string folder, string image)
    {
        string[] own = [Path.Combine(folder, "input.png"), Path.Combine(folder, "contact_sheet.png")];
        if (RealPath.Inside(folder, image) is [var name] && IsWritten(name))
            throw new DeitException(
                DeitErrorKind.Output,
                $"The picture '{image}' lies in --output '{folder}', where a picture of that name is written; choose "
                    + "another --output."
            );
        if (own.Count(File.Exists) == 1)
            throw new DeitException(
                DeitErrorKind.Output,
                $"'{own.First(File.Exists)}' is not of a whole set of pictures that this command wrote, and would be replaced; move "
                    + "it elsewhere, or choose another --output."
            );
    }

    private static bool IsWritten(string name) =>
        name is "input.png" or "contact_sheet.png"
        || (
            name.EndsWith(".png", StringComparison.Ordinal)
            && (
                name.StartsWith("rollout_", StringComparison.Ordinal)
                || name.StartsWith("layer", StringComparison.Ordinal)
            )
        );

    // Pixels of a picture's longer side on the sheet. One layer has room for larger pictures than several.
    private static int Side(ImageSize input, int layers) => layers == 1 ? Math.Clamp(input.Longer, 128, 224) : 128;

    private static int[] Layers(string? text, int depth) =>
        text switch
        {
            null => [depth - 1],
            "all" => [.. Enumerable.Range(0, depth)],
            _ when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int layer)
                    && layer >= 1
                    && layer <= depth => [layer - 1],
            _ => throw new DeitException(DeitErrorKind.Usage, $"--layer is '{text}', expected 1 to {depth} or all."),
        };
}
