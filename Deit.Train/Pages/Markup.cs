using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Deit.Model.Text;

namespace Deit.Train.Pages;

/// <summary>
/// A piece of a page: well-formed XHTML, which browsers also read as HTML. Text becomes markup only by
/// <see cref="Of(Template)"/>, which escapes every hole of an interpolated string, so that no name can be forgotten.
/// </summary>
/// <param name="source">The source; null is empty.</param>
internal readonly struct Markup(string? source)
{
    private readonly string? _source = source;

    /// <summary>Nothing.</summary>
    public static Markup Empty => default;

    /// <summary>The source.</summary>
    public override string ToString() => _source ?? "";

    /// <summary>Markup of an interpolated string. Holes are escaped, but for those that hold markup.</summary>
    /// <param name="template">The string; its literal parts are markup.</param>
    public static Markup Of(Template template) => new(template.Take());

    /// <summary>Pieces behind each other.</summary>
    public static Markup Join(IEnumerable<Markup> pieces)
    {
        StringBuilder all = new();
        foreach (Markup piece in pieces)
            all.Append(piece._source);
        return new Markup(all.ToString());
    }

    /// <summary>Two pieces behind each other.</summary>
    public static Markup operator +(Markup first, Markup second) => new(first._source + second._source);

    /// <summary>A name that others chose: its direction does not reach the text around it, and a long one may break.</summary>
    public static Markup Name(string name) => Of($"<bdi>{name}</bdi>");

    /// <summary>
    /// Text as markup shows it, between tags and inside of quotes. What a terminal would obey is shown by number, as
    /// everywhere; so is what XML does not allow.
    /// </summary>
    public static string Escape(string text)
    {
        StringBuilder escaped = new(text.Length + 16);
        foreach (char letter in Printable.Line(text))
            _ = letter switch
            {
                '&' => escaped.Append("&amp;"),
                '<' => escaped.Append("&lt;"),
                '>' => escaped.Append("&gt;"),
                '"' => escaped.Append("&quot;"),
                '\'' => escaped.Append("&#39;"),
                '\uFFFE' => escaped.Append("\\u{fffe}"),
                '\uFFFF' => escaped.Append("\\u{ffff}"),
                _ => escaped.Append(letter),
            };
        return escaped.ToString();
    }

    /// <summary>Collects an interpolated string.</summary>
    [InterpolatedStringHandler]
    public readonly ref struct Template
    {
        private readonly StringBuilder _text;

        /// <summary>Called by the compiler.</summary>
        public Template(int literals, int holes) => _text = new StringBuilder(literals + (holes * 16));

        /// <summary>A part of the literal string.</summary>
        public void AppendLiteral(string literal) => _text.Append(literal);

        /// <summary>Markup, as it is.</summary>
        public void AppendFormatted(Markup markup) => _text.Append(markup._source);

        /// <summary>Text, escaped.</summary>
        public void AppendFormatted(string? text) => _text.Append(text is null ? "" : Escape(text));

        /// <summary>A number or another value, as text.</summary>
        public void AppendFormatted<T>(T value, string? format = null)
            where T : IFormattable => AppendFormatted(value.ToString(format, CultureInfo.InvariantCulture));

        internal string Take() => _text.ToString();
    }
}
