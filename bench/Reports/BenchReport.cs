using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Deit.Gpu;
using Deit.Train.Reporting;

namespace Deit.Bench.Reports;

/// <summary>Measurements of a device: the JSON file of <c>deit bench ops|products|infer|train</c>.</summary>
internal sealed record BenchReport
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectRequiredConstructorParameters = true,
        // "->" stays readable. The file is no part of a page, so nothing needs escaping for HTML.
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new BenchRowConverter() },
    };

    /// <summary>The driver's name for the device.</summary>
    public required string Device { get; init; }

    /// <summary>Name and version of the driver.</summary>
    public required string Driver { get; init; }

    /// <summary>discrete, integrated, cpu.</summary>
    public string? Type { get; init; }

    /// <summary>Bytes of the device's memory.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>Types and matrix shapes.</summary>
    public string? Features { get; init; }

    /// <summary>The processor of the machine. A CPU driver runs on it.</summary>
    public string? Host { get; init; }

    /// <summary>The version of the program that was measured, with its commit.</summary>
    public string? Version { get; init; }

    /// <summary>The kernels that the device chose.</summary>
    public IReadOnlyDictionary<string, string>? Kernels { get; init; }

    /// <summary>The kernels that the device must not run because their results were wrong, with the reason; null without any.</summary>
    public IReadOnlyDictionary<string, string>? Rejected { get; init; }

    /// <summary>The measurements.</summary>
    public required IReadOnlyList<IBenchRow> Rows { get; init; }

    /// <summary>What the driver's compiler made of kernels; null where they were not compiled for it.</summary>
    public IReadOnlyList<KernelRow>? Compiled { get; init; }

    [JsonIgnore]
    public IEnumerable<OpRow> Ops => Rows.OfType<OpRow>();

    [JsonIgnore]
    public IEnumerable<ModelRow> Models => Rows.OfType<ModelRow>();

    /// <summary>GFLOP/s of the fastest product; null where none was measured.</summary>
    [JsonIgnore]
    public double? BestProduct => Ops.Max(row => row.GigaFlopsPerSecond);

    /// <summary>GB/s of the largest copy, which no cache holds; null where none was measured.</summary>
    [JsonIgnore]
    public double? BestCopy =>
        Ops.Where(row => row.Op == OpRow.Copy)
            .OrderByDescending(row => row.Bytes)
            .ThenByDescending(row => row.GigaBytesPerSecond)
            .FirstOrDefault()
            ?.GigaBytesPerSecond;

    /// <summary>A report of rows just measured.</summary>
    public static BenchReport Of(GpuDevice device, IReadOnlyList<IBenchRow> rows) =>
        Of(device.Info, rows) with
        {
            Kernels = device.Choices.All,
            Rejected = device.Choices.Rejected is { Count: > 0 } rejected ? rejected : null,
        };

    /// <summary>A report of a device that chose no kernels.</summary>
    public static BenchReport Of(GpuInfo info, IReadOnlyList<IBenchRow> rows) =>
        new()
        {
            Device = info.Name,
            Driver = info.Driver,
            Type = info.Type.ToString().ToLowerInvariant(),
            MemoryBytes = info.MemoryBytes,
            Features = DeviceFeatures.Line(info),
            Host = DeviceFeatures.Processor(),
            Version = typeof(BenchReport)
                .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
                ?.InformationalVersion,
            Rows = rows,
        };

    /// <summary>This report with another's rows. Rows of the same measurement replace the older ones; the others come behind.</summary>
    /// <exception cref="DeitException">It is of another device, driver or version, whose rows must not be mixed.</exception>
    public BenchReport With(BenchReport newer)
    {
        if ((Device, Driver, Version) != (newer.Device, newer.Driver, newer.Version))
            throw new DeitException(
                DeitErrorKind.Data,
                $"The measurements there are of {Device}, {Driver}, version {Version ?? "unknown"}, "
                    + $"the new ones of {newer.Device}, {newer.Driver}, version {newer.Version ?? "unknown"}; "
                    + "remove the older file or name the new one by --name."
            );
        HashSet<RowKey> replaced = [.. newer.Rows.Select(row => row.Key)];
        Dictionary<string, string> kernels = new(Kernels ?? new Dictionary<string, string>());
        foreach ((string key, string kernel) in newer.Kernels ?? new Dictionary<string, string>())
            kernels[key] = kernel;
        return newer with
        {
            Rows = [.. Rows.Where(row => !replaced.Contains(row.Key)), .. newer.Rows],
            Kernels = kernels,
        };
    }

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>Every row with every property that any row has.</summary>
    public string ToCsv()
    {
        JsonObject[] rows =
        [
            .. Rows.Select(row => JsonSerializer.SerializeToNode(row, Json)!.AsObject()),
            .. (Compiled ?? []).Select(row => JsonSerializer.SerializeToNode(row, Json)!.AsObject()),
        ];
        string[] columns = [.. rows.SelectMany(row => row.Select(property => property.Key)).Distinct()];
        return Report.Csv([columns, .. rows.Select(row => columns.Select(column => row[column]?.ToString() ?? ""))]);
    }

    /// <summary>Reads a report, ours or that of a PyTorch run (<see cref="TorchReport"/>).</summary>
    /// <exception cref="DeitException">There is no such file, or it is no report.</exception>
    public static BenchReport Load(string path)
    {
        if (!File.Exists(path))
            throw new DeitException(
                DeitErrorKind.Data,
                $"There is no file '{path}'; give one that deit bench ops, products, infer, train or kernels wrote with --json."
            );
        try
        {
            return Parse(File.ReadAllText(path));
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new DeitException(
                DeitErrorKind.Data,
                $"'{path}' cannot be read as measurements ({error.Message.ReplaceLineEndings(" ").TrimEnd('.')}); "
                    + "give a file that deit bench ops, products, infer, train or kernels wrote with --json.",
                error
            );
        }
    }

    /// <summary>Reads the text of a report.</summary>
    /// <exception cref="JsonException">It is none.</exception>
    public static BenchReport Parse(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        if (
            document.RootElement.ValueKind == JsonValueKind.Object
            && document.RootElement.TryGetProperty("torch", out _)
        )
            return TorchReport.Convert(document.RootElement);
        return document.Deserialize<BenchReport>(Json) ?? throw new JsonException("it is empty");
    }
}
