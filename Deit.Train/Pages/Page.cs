using System.Text;
using Deit.Model.Files;

namespace Deit.Train.Pages;

/// <summary>
/// A page that is one file and asks for nothing else: no script, no font, no picture from elsewhere. A policy in its
/// head makes browsers refuse even what a mistake would bring in. It is light or dark as the reader's system is.
/// </summary>
/// <param name="title">The title, plain text.</param>
internal sealed class Page(string title)
{
    private static readonly Lazy<string> Style = new(() =>
    {
        using Stream stream = typeof(Page).Assembly.GetManifestResourceStream("page.css")!;
        using StreamReader reader = new(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    });

    private readonly List<(string Id, string Title, Markup Content)> _sections = [];

    /// <summary>Seconds after which the browser reads the page anew; null for never.</summary>
    public int? RefreshSeconds { get; init; }

    /// <summary>What stands between the title and the sections.</summary>
    public Markup Head { get; set; }

    /// <summary>The style of all pages.</summary>
    public static string Css => Style.Value;

    /// <summary>Adds a section; sections with a title are listed at the top of the page.</summary>
    /// <param name="id">A word that names it in addresses, unlike the others of the page.</param>
    /// <param name="heading">Its title, plain text.</param>
    /// <param name="content">Its content.</param>
    public void Add(string id, string heading, Markup content) => _sections.Add((id, heading, content));

    /// <summary>The whole page.</summary>
    public string ToHtml()
    {
        Markup refresh = RefreshSeconds is { } seconds
            ? Markup.Of($"<meta http-equiv=\"refresh\" content=\"{seconds}\" />\n")
            : Markup.Empty;
        Markup links = Markup.Join(
            _sections.Select(section => Markup.Of($"<a href=\"#{section.Id}\">{section.Title}</a> "))
        );
        Markup sections = Markup.Join(
            _sections.Select(section =>
                Markup.Of($"<section id=\"{section.Id}\">\n<h2>{section.Title}</h2>\n{section.Content}\n</section>\n")
            )
        );
        return Markup
            .Of(
                $"""
                <!DOCTYPE html>
                <html xmlns="http://www.w3.org/1999/xhtml" lang="en">
                <head>
                <meta charset="utf-8" />
                <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <meta name="referrer" content="no-referrer" />
                {refresh}<title>{title}</title>
                <link rel="icon" href="data:," />
                <style>
                {new Markup(Css)}</style>
                </head>
                <body>
                <header>
                <h1>{title}</h1>
                {Head}
                </header>
                <nav aria-label="Sections">{links}</nav>
                <main>
                {sections}</main>
                </body>
                </html>

                """
            )
            .ToString();
    }

    /// <summary>Writes the page, as a whole or not at all.</summary>
    /// <exception cref="DeitException">It cannot be written; one that was there is intact.</exception>
    public void Write(string path) => AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(ToHtml())));
}
