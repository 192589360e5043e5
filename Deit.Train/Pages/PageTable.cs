namespace Deit.Train.Pages;

/// <summary>A table inside of a page. It scrolls in itself where the window is narrower.</summary>
/// <param name="columns">The heads, plain text. One that begins with <c>#</c> is of a column of numbers, without that sign.</param>
internal sealed class PageTable(params IReadOnlyList<string> columns)
{
    private readonly List<Markup> _rows = [];

    /// <summary>True for many rows: the table then has a limited height under a head that stays.</summary>
    public bool Tall { get; init; }

    /// <summary>What the table is, for those who cannot see the heading above it; plain text.</summary>
    public string Description { get; init; } = "";

    /// <summary>Adds a row.</summary>
    /// <param name="cells">A cell for each column.</param>
    public void Add(params IEnumerable<Markup> cells) =>
        _rows.Add(
            Markup.Of($"<tr>{Markup.Join(cells.Select((cell, i) => Markup.Of($"<td{Class(i)}>{cell}</td>")))}</tr>\n")
        );

    /// <summary>Adds a row of plain text. In a column that holds no numbers it is a name that others chose.</summary>
    public void Add(params IEnumerable<string> cells) =>
        Add(cells.Select((cell, i) => IsNumber(i) ? Markup.Of($"{cell}") : Markup.Name(cell)));

    /// <summary>The table.</summary>
    public Markup ToMarkup() =>
        Markup.Of(
            $"""
            <div class="wide{(Tall ? " tall" : "")}" tabindex="0" role="region" aria-label="{Description}"><table>
            <thead><tr>{Markup.Join(
                columns.Select(
                    (head, i) => Markup.Of($"<th scope=\"col\"{Class(i)}>{head.TrimStart('#')}</th>")
                )
            )}</tr></thead>
            <tbody>
            {Markup.Join(_rows)}</tbody>
            </table></div>

            """
        );

    private bool IsNumber(int column) => column < columns.Count && columns[column].StartsWith('#');

    private Markup Class(int column) => IsNumber(column) ? new Markup(" class=\"number\"") : Markup.Empty;
}
