using Deit.Model.Images;
using Deit.Train.Options;

namespace Deit.Cli.Commands;

/// <summary>The options of <c>deit check</c>, besides the data.</summary>
internal sealed record CheckOptions
{
    [Flag("share of each class kept for validation when the data has no such split, as for training")]
    public double ValFraction { get; set; } = 0.1;

    [Flag(
        "pictures count as near copies when at most so many of the 256 bits of their hashes differ, 0 to 64, "
            + "and up to 4 more where one is cut out of the other; off looks for the same pixels alone",
        Value = "BITS"
    )]
    public string Near { get; set; } = "31";

    [Flag(
        "input of the model, as 224 or 224x160: small is a shorter side below a quarter of it (each pixel becomes 16), "
            + "large one above 8 times it (63 of 64 pixels are decoded in vain)"
    )]
    public ImageSize? InputSize { get; set; }

    [Flag("threads that decode images; 0 for one a core")]
    public int NumWorkers { get; set; }

    [Flag("write a page with pictures of what was found into this .html file; it needs no network", Value = "FILE")]
    public string? Html { get; set; }

    [Flag("folder for check.html and check.json", Value = "DIR")]
    public string? Output { get; set; }

    [Flag("exit with code 3 for warnings too: copies across splits, two labels, classes that a split lacks")]
    public bool Strict { get; set; }

    [Flag("print JSON, with every picture of every finding")]
    public bool Json { get; set; }
}
