using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Deit.Cli.Commands;

/// <summary>
/// Numbers on the command line: digits, a point before the decimals, no separators of thousands, in every culture.
/// <c>0,001</c> is refused, since half of the world reads a thousandth and the other half 1.
/// </summary>
internal static class NumberOption
{
    /// <summary>Gives an option of a number, or of several whole numbers, this way of reading; another option stays as it is.</summary>
    /// <typeparam name="T">The type of its value.</typeparam>
    /// <param name="option">The option.</param>
    /// <returns>The same option.</returns>
    public static Option<T> Strict<T>(Option<T> option)
    {
        if (Reader(Bare(typeof(T))) is { } read)
            option.CustomParser = argument => Value(argument, read) is T number ? number : default;
        else if (option is Option<int[]> several)
            several.CustomParser = argument => Values(argument, Reader(typeof(int))!);
        return option;
    }

    /// <summary>What a text that is no such number was expected to be.</summary>
    /// <param name="type">The type of the option's value.</param>
    /// <param name="text">The text.</param>
    public static string Expected(Type type, string text) =>
        Type.GetTypeCode(Bare(type)) != TypeCode.Double ? "a whole number"
        : text.AsSpan().ContainsAny(",٫") ? "a number with a point before its decimals, as 0.001"
        : "a number";

    private static Type Bare(Type type) => Nullable.GetUnderlyingType(type) ?? type;

    // A text that cannot be read becomes the first error of the command line, as the parser's own errors.
    private static object? Value(ArgumentResult argument, Func<string, object?> read)
    {
        string text = argument.Tokens[^1].Value;
        object? value = read(text);
        if (value is null)
            argument.AddError($"Cannot parse '{text}'.");
        return value;
    }

    private static int[] Values(ArgumentResult argument, Func<string, object?> read)
    {
        int?[] values = [.. argument.Tokens.Select(token => (int?)read(token.Value))];
        if (Array.IndexOf(values, null) is >= 0 and int wrong)
            argument.AddError($"Cannot parse '{argument.Tokens[wrong].Value}'.");
        return [.. values.Select(value => value ?? 0)];
    }

    private static Func<string, object?>? Reader(Type type) =>
        Type.GetTypeCode(type) switch
        {
            TypeCode.Int32 => text =>
                int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value)
                    ? value
                    : null,
            TypeCode.Int64 => text =>
                long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value)
                    ? value
                    : null,
            TypeCode.Double => text =>
                double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
                    ? value
                    : null,
            _ => null,
        };
}
