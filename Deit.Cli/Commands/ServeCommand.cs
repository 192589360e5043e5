using System.CommandLine;
using Deit.Cli.Help;
using Deit.Cli.Serving;
using Deit.Cli.Terminal;
using Deit.Gpu;
using Deit.Model;
using Deit.Model.AspNetCore;
using Deit.Model.Files;
using Deit.Train.Options;
using Deit.Train.Training;

namespace Deit.Cli.Commands;

/// <summary>The options of <c>deit serve</c>, besides the model.</summary>
internal sealed record ServeOptions
{
    [Flag("address of this machine to listen at; 0.0.0.0 is reached from elsewhere", Value = "ADDRESS")]
    public string Host { get; init; } = "127.0.0.1";

    [Flag("port to listen at; 0 takes one that is free")]
    public int Port { get; init; } = 8080;

    [Flag("file with a key on each line, one of which requests must bring", Value = "FILE")]
    public string? ApiKeys { get; init; }

    [Flag("pictures that are computed together at most")]
    public int BatchSize { get; init; } = 8;

    [FlagGroup("Limits")]
    public ServeLimits Limits { get; init; } = new();

    [PrecisionFlag(
        "fp32, fp16 or bf16: type of activations and of the factors of products; "
            + "fp16-residual or bf16-residual: of the residual stream too; "
            + "bf16x3 or fp16x3: fp32 with each product as three of 16 bits on matrix units"
    )]
    public Precision Precision { get; init; } = DType.F32;

    [FlagGroup("Device")]
    public DeviceOptions Device { get; init; } = new();

    [FlagGroup("Device")]
    public KernelOptions Kernels { get; init; } = new();
}

/// <summary>What requests may be.</summary>
internal sealed record ServeLimits
{
    [Flag("MiB of a request at most, else 413")]
    public int MaxMb { get; init; } = 32;

    [Flag("megapixels of a picture at most, else 413")]
    public double MaxMegapixels { get; init; } = 50;

    [Flag("pictures of a request at most, else 413")]
    public int MaxPictures { get; init; } = 32;

    [Flag("requests under way at most, else 429")]
    public int MaxRequests { get; init; } = 512;

    [Flag("MiB that bodies and decoded pictures may hold; pictures wait for it, and bodies are answered 429")]
    public int MemoryMb { get; init; } = 1024;

    [Flag("seconds until a request is answered 408 or 503")]
    public double Timeout { get; init; } = 30;

    /// <summary>Checks the values.</summary>
    /// <exception cref="DeitException">A value is out of its range.</exception>
    public void Validate()
    {
        OptionCheck.Require(MaxMb is >= 1 and <= 1023, "--max-mb", MaxMb, "from 1 to 1023");
        OptionCheck.Require(
            MaxMegapixels is >= 0.001 and <= 700,
            "--max-megapixels",
            MaxMegapixels,
            "from 0.001 to 700"
        );
        OptionCheck.Require(MaxPictures is >= 1 and <= 10_000, "--max-pictures", MaxPictures, "from 1 to 10000");
        OptionCheck.Require(MaxRequests is >= 1 and <= 1_000_000, "--max-requests", MaxRequests, "from 1 to 1000000");
        OptionCheck.Require(MemoryMb is >= 1 and <= 1 << 20, "--memory-mb", MemoryMb, "from 1 to 1048576");
        OptionCheck.Require(Timeout is > 0 and <= 86_400, "--timeout", Timeout, "more than 0, up to 86400");
    }
}

/// <summary><c>deit serve</c>: a model over HTTP.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        Argument<string> model = new("MODEL")
        {
            Description = "model folder, such as RUN/best, or hf:OWNER/REPO of the Hugging Face Hub",
        };
        ExplainedCommand command = new(
            "serve",
            "Serve a model over HTTP: classes, embeddings and attention of pictures, and a page; Ctrl-C ends it.",
            new Example("deit serve runs/shoes-1/best", "Answers on http://127.0.0.1:8080/, to this machine alone."),
            new Example(
                "deit serve runs/shoes-1/best --host 0.0.0.0 --api-keys keys.txt",
                "Answers other machines that bring a key of the file."
            )
        )
        {
            model,
        };
        OptionBinder<ServeOptions> binder = new(command);
        command.SetAction(result => Run(result.GetValue(model)!, binder.Bind(result)));
        return command;
    }

    /// <summary>Serves until a signal asks to stop; the requests under way are finished then.</summary>
    /// <param name="model">The model.</param>
    /// <param name="options">The options.</param>
    /// <returns>The exit code.</returns>
    /// <exception cref="DeitException">An option is wrong, the model cannot be loaded, or the port cannot be had.</exception>
    public static int Run(string model, ServeOptions options)
    {
        options.Limits.Validate();
        OptionCheck.Require(options.BatchSize is >= 1 and <= 256, "--batch-size", options.BatchSize, "from 1 to 256");
        ServingAddress address = ServingAddress.Parse(options.Host, options.Port);
        DeitServingOptions serving = Serving(options);
        if (!address.IsLocal && serving.ApiKeys.Count == 0)
            Output.Notice(
                $"Everybody who reaches {address.Address} may ask; --api-keys FILE or a proxy in front keeps others out."
            );
        using StopSignal stop = new();
        DeitModelOptions loading = new()
        {
            Path = model,
            Device = options.Device.Selector,
            Precision = options.Precision,
            MaxBatchSize = options.BatchSize,
            KernelBudget = options.Kernels.Budget(KernelChoices.InferenceBudget),
        };
        ModelServer.RunAsync(address, loading, serving, stop).GetAwaiter().GetResult();
        return ExitCode.Done;
    }

    private static DeitServingOptions Serving(ServeOptions options)
    {
        ServeLimits limits = options.Limits;
        DeitServingOptions serving = new()
        {
            MaxRequestBytes = (long)limits.MaxMb << 20,
            MaxPixels = (long)(limits.MaxMegapixels * 1e6),
            MaxPictures = limits.MaxPictures,
            MaxRequests = limits.MaxRequests,
            MemoryLimit = (long)limits.MemoryMb << 20,
            Timeout = TimeSpan.FromSeconds(limits.Timeout),
        };
        OptionCheck.Require(
            serving.MemoryLimit >= serving.LeastMemory,
            "--memory-mb",
            limits.MemoryMb,
            $"at least {(serving.LeastMemory + 0xFFFFF) >> 20} for a request of --max-mb {limits.MaxMb}"
        );
        if (options.ApiKeys is not { } path)
            return serving;
        foreach (string key in Keys(path))
            serving.ApiKeys.Add(key);
        return serving;
    }

    private static string[] Keys(string path)
    {
        try
        {
            string[] keys = [.. File.ReadAllLines(path).Select(line => line.Trim()).Where(line => line.Length > 0)];
            return keys.Length > 0
                ? keys
                : throw new DeitException(
                    DeitErrorKind.Data,
                    $"Reading keys from '{path}' failed: there is none; write one on each line."
                );
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new DeitException(
                DeitErrorKind.Data,
                $"Reading keys from '{path}' failed: {ReadFailure.Reason(path, error)}; check the path and its permissions.",
                error
            );
        }
    }
}
