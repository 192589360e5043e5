using System.Text.RegularExpressions;

namespace Deit.Model.Text;

/// <summary>Takes users' names and passwords out of addresses before these are shown.</summary>
internal static partial class Credentials
{
    private const string SchemeEnd = "://";

    /// <summary>A value with <c>***</c> in the place of the user and the password of an address.</summary>
    /// <param name="value">The value.</param>
    /// <param name="isAddress">
    /// Whether it can only be an address, with a scheme or without; otherwise it is one where it has a scheme, or a user before its first
    /// slash.
    /// </param>
    public static string Hidden(string value, bool isAddress)
    {
        int scheme = value.IndexOf(SchemeEnd, StringComparison.Ordinal);
        bool hasScheme =
            scheme > 0
            && value[..scheme]
                .All(letter => char.IsAsciiLetterOrDigit(letter) || "+-.".Contains(letter, StringComparison.Ordinal));
        int start = hasScheme ? scheme + SchemeEnd.Length : 0,
            path = value.IndexOfAny(['/', '\\', '?', '#']);
        // A password may hold a slash that belongs there as %2F.
        bool all = isAddress || hasScheme || path < 0;
        int at = (all ? value : value[..path]).LastIndexOf('@');
        return at < start ? value : $"{value[..start]}***{value[at..]}";
    }

    /// <summary>A sentence with <c>***</c> in the place of users and passwords of addresses that are in it.</summary>
    public static string HiddenIn(string sentence) => User().Replace(sentence, "://***@");

    [GeneratedRegex(@"://[^\s/'""]*@", RegexOptions.CultureInvariant)]
    private static partial Regex User();
}
