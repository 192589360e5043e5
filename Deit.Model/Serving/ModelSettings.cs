using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Deit.Model.Serving;

/// <summary>
/// Reads options of a model from a section of a configuration. It is written by hand, because the binder of
/// Microsoft.Extensions looks at types while it runs, which a program compiled ahead of time cannot, and because its
/// errors do not name what is expected.
/// </summary>
internal static class ModelSettings
{
    /// <summary>Sets the options that the section has.</summary>
    /// <param name="options">The options.</param>
    /// <param name="section">Keys are the names of options.</param>
    /// <exception cref="DeitException">A value is not of its form.</exception>
    public static void Read(DeitModelOptions options, IConfiguration section)
    {
        options.Path = section[nameof(options.Path)] ?? options.Path;
        options.Device = section[nameof(options.Device)] ?? options.Device;
        Set(nameof(options.CpuFallback), "true or false", bool.Parse, value => options.CpuFallback = value);
        Set(
            nameof(options.HeadFusion),
            string.Join(", ", Enum.GetNames<HeadFusion>()),
            Fusion,
            value => options.HeadFusion = value
        );
        Set(
            nameof(options.Precision),
            string.Join(", ", Precision.Names),
            Precision.Parse,
            value => options.Precision = value
        );
        Set(
            nameof(options.MaxBatchSize),
            $"{DeitModelOptions.LeastBatchSize} to {DeitModelOptions.MostBatchSize}",
            BatchSize,
            value => options.MaxBatchSize = value
        );
        Set(
            nameof(options.MaxDelay),
            "a time such as 00:00:00.050, at most 00:00:10",
            Delay,
            value => options.MaxDelay = value
        );
        Set(nameof(options.KernelBudget), "a time such as 00:00:03", Time, value => options.KernelBudget = value);

        void Set<T>(string key, string expected, Func<string, T> parse, Action<T> set)
        {
            if (section[key] is not { Length: > 0 } text)
                return;
            try
            {
                set(parse(text));
            }
            catch (Exception error)
                when (error
                        is FormatException
                            or OverflowException
                            or ArgumentException
                            or InvalidOperationException
                            or DeitException
                )
            {
                string name = section is IConfigurationSection { Path: var path } ? $"{path}:{key}" : key;
                throw new DeitException(
                    DeitErrorKind.Usage,
                    $"The setting '{name}' is '{text}', expected {expected}; correct it.",
                    error
                );
            }
        }
    }

    private static int BatchSize(string text) =>
        int.Parse(text, CultureInfo.InvariantCulture)
            is >= DeitModelOptions.LeastBatchSize
                and <= DeitModelOptions.MostBatchSize
                and int size
            ? size
            : throw new FormatException();

    private static HeadFusion Fusion(string text) =>
        Enum.GetValues<HeadFusion>()
            .First(one => one.ToString().Equals(text.Trim(), StringComparison.OrdinalIgnoreCase));

    private static TimeSpan Delay(string text) =>
        Time(text) is var time && time <= TimeSpan.FromSeconds(10) ? time : throw new FormatException();

    // A number alone would be days.
    private static TimeSpan Time(string text) =>
        text.Contains(':') && TimeSpan.Parse(text, CultureInfo.InvariantCulture) is var time && time >= TimeSpan.Zero
            ? time
            : throw new FormatException();
}
