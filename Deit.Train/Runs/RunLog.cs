using System.Globalization;
using System.Text;
using Deit.Model.Files;

namespace Deit.Train.Runs;

/// <summary>
/// The log of a run folder, a row an epoch: <c>log.csv</c> for spreadsheets and plots, <c>log.jsonl</c> for programs.
/// </summary>
/// <remarks>
/// Both files are rewritten as wholes, each by one rename. That costs a few kilobytes an epoch. In return a kill at any
/// moment leaves whole lines, and a column that first appears in epoch 12 still gets its place in the header.
/// The JSON file is read back on resume and is written first; the other follows from it. Append an epoch's row before
/// saving its checkpoint: then no epoch that a resume skips can lack its row.
/// </remarks>
internal sealed class RunLog
{
    private readonly string _csvPath;
    private readonly string _jsonPath;
    private readonly List<LogRow> _rows;

    private RunLog(string folder, List<LogRow> rows)
    {
        (_csvPath, _jsonPath, _rows) = (CsvPath(folder), JsonPath(folder), rows);
        Write();
    }

    /// <summary>The rows so far, by epoch.</summary>
    public IReadOnlyList<LogRow> Rows => _rows;

    /// <summary>Starts the log of a new run.</summary>
    /// <param name="folder">The run folder; it exists.</param>
    /// <exception cref="DeitException">The folder holds a log already, or cannot be written; nothing has changed.</exception>
    public static RunLog Create(string folder)
    {
        foreach (string path in (ReadOnlySpan<string>)[JsonPath(folder), CsvPath(folder)])
        {
            if (File.Exists(path))
                throw new DeitException(
                    DeitErrorKind.Output,
                    $"Starting a log failed: '{path}' exists already, expected a folder without a run; "
                        + "resume that run or name another folder."
                );
        }
        return new(folder, []);
    }

    /// <summary>Continues the log of a run; rows of the resumed epoch and later ones are dropped, for they will be run again.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="epoch">The first epoch that will be run.</param>
    /// <exception cref="DeitException">
    /// A line before the last is damaged, one file is missing, or they cannot be read or written; nothing has changed.
    /// </exception>
    public static RunLog Resume(string folder, int epoch)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        if (!File.Exists(JsonPath(folder)) && File.Exists(CsvPath(folder)))
            throw new DeitException(
                DeitErrorKind.Data,
                $"Resuming the log '{CsvPath(folder)}' failed: the log.jsonl it is made from is missing; "
                    + "restore that file, or move log.csv away to resume with an empty log."
            );
        return new(folder, Read(JsonPath(folder)).FindAll(row => row.Epoch < epoch));
    }

    /// <summary>The rows of a run that another process may train meanwhile. Nothing is written.</summary>
    /// <param name="folder">The run folder.</param>
    /// <exception cref="DeitException">A line before the last is damaged, or the file cannot be read.</exception>
    public static IReadOnlyList<LogRow> Watch(string folder) => Read(JsonPath(folder));

    /// <summary>Adds an epoch and writes both files.</summary>
    /// <exception cref="ArgumentException">
    /// The epoch does not come after the last row's, or a further column has no plain name of its own.
    /// </exception>
    /// <exception cref="DeitException">A file cannot be written; the old one is intact.</exception>
    public void Append(LogRow row)
    {
        if (_rows.Count > 0 && row.Epoch <= _rows[^1].Epoch)
            throw new ArgumentException(
                $"A row of epoch {row.Epoch} cannot follow one of epoch {_rows[^1].Epoch}.",
                nameof(row)
            );
        if (
            row.Further.Keys.FirstOrDefault(name =>
                LogRow.Columns.Contains(name)
                || !name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_')
            ) is
            { } wrong
        )
            throw new ArgumentException(
                $"'{wrong}' cannot name a further column; expected lower-case letters, digits and '_', "
                    + $"and none of {string.Join(", ", LogRow.Columns)}.",
                nameof(row)
            );
        _rows.Add(row);
        Write();
    }

    private static string CsvPath(string folder) => Path.Combine(folder, "log.csv");

    private static string JsonPath(string folder) => Path.Combine(folder, "log.jsonl");

    // A run folder copied while it grew, or a failing disk, may end in half a line: that epoch counts as not logged.
    private static List<LogRow> Read(string path)
    {
        List<LogRow> rows = [];
        string[] lines = ReadLines(path);
        for (int i = 0; i < lines.Length; i++)
        {
            try
            {
                rows.Add(LogRow.FromJson(lines[i]));
            }
            catch (FormatException error)
            {
                if (i < lines.Length - 1)
                    throw new DeitException(
                        DeitErrorKind.Data,
                        $"Reading the log '{path}' failed: line {i + 1} is not a whole row of JSON; "
                            + "mend or remove that line, or move both log files away to resume with an empty log.",
                        error
                    );
            }
        }
        return rows;
    }

    private static string[] ReadLines(string path)
    {
        try
        {
            return File.Exists(path) ? SharedFile.ReadAllLines(path) : [];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DeitException(
                DeitErrorKind.Data,
                $"Reading the log '{path}' failed: {error.Message.TrimEnd('.')}; make the file readable, "
                    + "or move both log files away to resume with an empty log.",
                error
            );
        }
    }

    private void Write()
    {
        WriteLines(_jsonPath, _rows.Select(row => row.ToJson()));
        string[] columns =
        [
            .. LogRow.Columns,
            // The columns of earlier versions keep their places.
            .. _rows.SelectMany(row => row.Further.Keys).Distinct().OrderBy(name => name == LogRow.DeviceBytes),
        ];
        WriteLines(
            _csvPath,
            _rows
                .Select(row => string.Join(',', columns.Select(column => Cell(row[column]))))
                .Prepend(string.Join(',', columns))
        );
    }

    private static string Cell(double? value) => value?.ToString(CultureInfo.InvariantCulture) ?? "";

    private static void WriteLines(string path, IEnumerable<string> lines) =>
        AtomicFile.Write(
            path,
            stream =>
            {
                foreach (string line in lines)
                    stream.Write(Encoding.UTF8.GetBytes(line + '\n'));
            }
        );
}
