using System.CommandLine;
using Deit.Cli.Conversion;
using Deit.Cli.Help;
using Deit.Cli.Terminal;
using Deit.Model;
using Deit.Model.Files;
using Deit.Model.Hub;
using Deit.Model.Images;
using Deit.Train.Options;
using Deit.Train.Reporting;

namespace Deit.Cli.Commands;

/// <summary>The options of <c>deit convert</c>, besides its source and target.</summary>
internal sealed record ConvertOptions
{
    [Flag(
        "format to write: a model folder of ours under timm's names, one of transformers, ONNX, or one of ours in 16 bits; "
            + "onnx of an OUT.onnx, else timm",
        Choices = ["timm", "hf", "onnx", "fp16"],
        Value = "FORMAT"
    )]
    public string? To { get; set; }

    [Flag("the model that the weights are of, where no config.json and no shape says it", Value = "NAME")]
    public string? Model { get; set; }

    [Flag("text file with a class name a line, in place of the labels that the source has", Value = "FILE")]
    public string? Labels { get; set; }

    [Flag("input in pixels, a side or HEIGHTxWIDTH, where the source does not say it")]
    public ImageSize? InputSize { get; set; }

    [Flag("take the moving average of the weights, where IN holds both")]
    public bool Ema { get; set; }

    [Flag(
        "let the ONNX file prepare pictures itself: it takes the bytes of a decoded RGB picture, [height, width, 3], of any size"
    )]
    public bool WithPreprocessing { get; set; }

    [Flag("replace OUT where it is a model of an earlier conversion")]
    public bool Overwrite { get; set; }
}

/// <summary><c>deit convert</c>: reads and writes the files of PyTorch, timm, transformers and ONNX.</summary>
internal static class ConvertCommand
{
    public static Command Create()
    {
        Argument<string> source = new("IN")
        {
            Description =
                "model folder (ours, timm's or transformers'), .safetensors, PyTorch's .pth, .pt, .bin, or hf:OWNER/REPO",
        };
        Argument<string> target = new("OUT") { Description = "folder to write, or file.onnx" };
        ExplainedCommand command = new(
            "convert",
            "Convert models from and to the files of PyTorch, timm, transformers and ONNX.",
            new Example("deit convert runs/shoes-1/best shoes.onnx", "Writes a model for ONNX runtimes."),
            new Example(
                "deit convert runs/shoes-1/best shoes.onnx --with-preprocessing",
                "The same for programs that only decode: resize, crop and normalisation lie in the file."
            ),
            new Example("deit convert runs/shoes-1/best shoes-hf --to hf", "Writes a folder that transformers loads."),
            new Example(
                "deit convert deit_small_patch16_224-cd65a155.pth models/deit_small --labels imagenet.txt",
                "Reads a checkpoint of PyTorch."
            )
        );
        command.Add(source);
        command.Add(target);

        OptionBinder<ConvertOptions> binder = new(command);
        command.SetAction(result => Run(result.GetValue(source)!, result.GetValue(target)!, binder.Bind(result)));
        return command;
    }

    public static int Run(string from, string to, ConvertOptions options)
    {
        string format = options.To ?? (IsOnnx(to) ? "onnx" : "timm");
        CheckFormat(to, format, options);
        // Whatever can be said of OUT is said before a model is fetched.
        if (!HubName.IsOfHub(from))
            CheckSource(from, to);
        CheckTarget(to, options.Overwrite);
        CheckEnding(to);
        from = HubModels.Place(from);
        CheckSource(from, to);
        using ConvertSource source = ConvertSource.Open(
            from,
            new ConvertHints(options.Model, options.Labels, options.InputSize, options.Ema)
        );
        if (Path.GetDirectoryName(Path.GetFullPath(to)) is { } parent)
            Report.MakeFolder(parent, "OUT");
        switch (format)
        {
            case "onnx":
                OnnxExport.Write(source.Model, to, options.WithPreprocessing);
                break;
            case "hf":
                Write(folder => ModelWriter.WriteHuggingFace(source.Model, folder));
                break;
            default:
                Write(folder => ModelWriter.WriteTimm(source.Model, folder, half: format == "fp16"));
                break;
        }
        ModelDescription description = source.Model.Description;
        foreach (string notice in source.Notices)
            Output.Notice(notice);
        if (format == "hf" && description is { Config.Heads.Count: 2, HeadFusion: HeadFusion.SumSoftmax })
            Output.Notice(
                "transformers answers with the mean of both heads' logits, this model with the sum of their softmax"
            );
        Output.Line(
            $"{to}: {description.Name ?? description.Config.Family}, {description.Config.NumClasses} classes, "
                + $"{description.Config.InputSize} pixels"
        );
        return 0;

        void Write(Action<string> fill) =>
            AtomicFolder.Write(
                to,
                folder =>
                {
                    fill(folder);
                    // Writing takes a while: another conversion, or the user, may have put something there.
                    CheckTarget(to, options.Overwrite);
                }
            );
    }

    // Endings of files that hold models or archives. Any other, as in "v1.2", is part of a folder's name.
    private static readonly string[] OtherFiles =
    [
        .. (
            ".safetensors .pt .pth .ptl .ckpt .bin .pkl .pickle .joblib .torchscript .mar .gguf .ggml .h5 .hdf5 .keras .pb "
            + ".tflite .lite .msgpack .mlmodel .mlpackage .mlmodelc .engine .plan .trt .ort .xml .pdparams .pdmodel "
            + ".caffemodel .mnn .param .rknn .hef .dlc .uff .blob .npz .npy .json .txt .csv .zip .tar .gz .tgz .7z"
        ).Split(' '),
    ];

    private static bool IsOnnx(string path) =>
        Path.GetExtension(path).Equals(".onnx", StringComparison.OrdinalIgnoreCase);

    // Whoever names a file of another program expects that file, and no folder of that name.
    private static void CheckEnding(string to)
    {
        string ending = Path.GetExtension(to);
        if (OtherFiles.Contains(ending.ToLowerInvariant()) && !Directory.Exists(to))
            throw new DeitException(
                DeitErrorKind.Usage,
                $"'{to}' was given as OUT, and no file of the kind '{ending}' is written alone; "
                    + "give a folder, in which model.safetensors is written, or a file that ends with .onnx."
            );
    }

    private static void CheckFormat(string to, string format, ConvertOptions options)
    {
        if (IsOnnx(to) != (format == "onnx"))
        {
            string expected = format == "onnx" ? "a file that ends with .onnx" : "a folder";
            throw new DeitException(
                DeitErrorKind.Usage,
                $"'{to}' was given for --to {format}, expected {expected}; name it so."
            );
        }
        if (options.WithPreprocessing && format != "onnx")
            throw new DeitException(
                DeitErrorKind.Usage,
                $"--with-preprocessing was given for --to {format}, expected --to onnx; drop it: a folder names its preprocessing."
            );
    }

    private static void CheckSource(string from, string to)
    {
        if (RealPath.Inside(to, from) is { Length: > 0 })
            throw new DeitException(
                DeitErrorKind.Output,
                $"The source '{from}' lies in the target '{to}', which would be replaced; choose another OUT."
            );
        if (RealPath.Contains(to, from))
            throw new DeitException(DeitErrorKind.Output, $"'{to}' is both source and target; choose another OUT.");
    }

    // A target is replaced as a whole, so it must hold nothing but a model.
    private static void CheckTarget(string to, bool overwrite)
    {
        bool folder = Directory.Exists(to);
        if (!folder && !File.Exists(to))
            return;
        if (folder == IsOnnx(to))
            throw new DeitException(
                DeitErrorKind.Output,
                $"'{to}' is a {(folder ? "folder" : "file")} and was to be a {(folder ? "file" : "folder")}; "
                    + "choose another OUT."
            );
        if (
            folder
            && Directory
                .EnumerateFileSystemEntries(to)
                .Select(Path.GetFileName)
                .FirstOrDefault(name => !ModelWriter.Files.Contains(name))
                is { } other
        )
            throw new DeitException(
                DeitErrorKind.Output,
                $"'{to}' holds '{other}', which is no part of a converted model and would be lost; choose another OUT."
            );
        if (!overwrite && (!folder || Directory.EnumerateFileSystemEntries(to).Any()))
            throw new DeitException(
                DeitErrorKind.Output,
                $"'{to}' exists already; choose another OUT, or give --overwrite to replace it."
            );
    }
}
