using Deit.Train.Analysis;
using Deit.Train.Training;
using SkiaSharp;

namespace Deit.Cli.Analysis;

/// <summary>The number of images of each class (row) that were answered with each class (column).</summary>
internal sealed class ConfusionMatrix
{
    /// <summary>The most classes that can be drawn. With that many, a class has one pixel.</summary>
    public const int MostClasses = 4096;

    private static readonly Rgb Ink = new(40, 40, 40),
        Pale = new(200, 200, 200);
    private readonly int[] _counts;
    private readonly IReadOnlyList<string> _labels;

    /// <summary>Counts the model's answers.</summary>
    /// <param name="predictions">The answers.</param>
    /// <param name="labels">The classes' names.</param>
    /// <exception cref="DeitException">There are too many classes.</exception>
    public ConfusionMatrix(IEnumerable<Prediction> predictions, IReadOnlyList<string> labels)
    {
        Check(labels.Count);
        _labels = labels;
        _counts = new int[labels.Count * labels.Count];
        foreach (Prediction prediction in predictions)
            _counts[(prediction.Label * labels.Count) + prediction.Answer]++;
    }

    /// <summary>Refuses more classes than can be drawn.</summary>
    /// <exception cref="DeitException">There are too many.</exception>
    public static void Check(int classes)
    {
        if (classes > MostClasses)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"Drawing the confusion of {classes} classes failed: expected at most {MostClasses}; "
                    + "leave out --confusion and take the figures of each class from --output or --json."
            );
    }

    /// <summary>The number of images of a class that were answered with a class, which may be the same.</summary>
    public int this[int label, int answer] => _counts[(label * _labels.Count) + answer];

    /// <summary>Draws the matrix: a cell's colour is its share of the row's images, its number the count where all counts fit.</summary>
    /// <param name="title">The heading.</param>
    public Drawing Draw(string title)
    {
        const float Size = 12,
            Heading = 15,
            LabelLimit = 180,
            Gap = 8;
        int classes = _labels.Count,
            cell = Math.Clamp(900 / classes, 1, 44),
            side = cell * classes;
        // Names take the room of the longest, up to a limit. Where cells are lower than letters, some rows get their number instead.
        bool named = cell >= 11;
        float labelSize = Math.Min(Size, cell - 1);
        string[] labels = named
            ? [.. _labels.Select(label => Drawing.Shortened(label, labelSize, LabelLimit))]
            : [.. _labels.Select((_, i) => $"{i}")];
        float margin = labels.Max(label => Drawing.TextWidth(label, named ? labelSize : Size)) + Gap;
        int left = (int)(margin + 34),
            top = (int)(margin + 70),
            barLeft = left + side + 24;
        int width = Math.Max(barLeft + 70, (int)Drawing.TextWidth(title, Heading) + 32);
        Drawing drawing = new(width, Math.Max(top + side, top + 120) + 20);
        drawing.Text(title, 16, 22, Heading, Rgb.Black);
        drawing.Text("predicted", left + (side / 2f), 48, 13, Ink, SKTextAlign.Center);
        drawing.Text("actual", 18, top + (side / 2f), 13, Ink, SKTextAlign.Center, upwards: true);

        int step = named ? 1 : Step(classes, cell);
        for (int i = 0; i < classes; i += step)
        {
            float middle = (i + 0.5f) * cell;
            float size = named ? labelSize : Size;
            drawing.Text(labels[i], left - Gap, top + middle, size, Ink, SKTextAlign.Right);
            drawing.Text(labels[i], left + middle, top - Gap, size, Ink, SKTextAlign.Left, upwards: true);
        }
        DrawCells(drawing, left, top, cell);
        DrawBar(drawing, barLeft, top, Math.Clamp(side, 120, 300));
        return drawing;
    }

    private void DrawCells(Drawing drawing, int left, int top, int cell)
    {
        int classes = _labels.Count;
        string largest = $"{_counts.Max()}";
        float size = Math.Min(13, (cell - 4) * 13 / Math.Max(Drawing.TextWidth(largest, 13), 1));
        bool numbered = size >= 8 && cell >= 14;
        // The colour of one error in a thousand must differ from that of none, the more the smaller cells are.
        double least = cell >= 14 ? 0.06 : 0.2;
        // A line between cells, where they are large enough for it.
        int line = cell >= 6 ? 1 : 0;
        for (int label = 0; label < classes; label++)
        {
            double support = Math.Max(1, _counts.AsSpan(label * classes, classes).ToArray().Sum());
            for (int answer = 0; answer < classes; answer++)
            {
                int count = this[label, answer];
                if (count == 0)
                    continue;
                Rgb color = ColorMap.Blues(least + ((1 - least) * count / support));
                drawing.Fill(left + (answer * cell), top + (label * cell), cell - line, cell - line, color);
                if (numbered)
                    drawing.Text(
                        $"{count}",
                        left + ((answer + 0.5f) * cell),
                        top + ((label + 0.5f) * cell),
                        size,
                        color.Luma < 0.55 ? Rgb.White : Ink,
                        SKTextAlign.Center
                    );
            }
        }
        drawing.Frame(left - 1, top - 1, (classes * cell) + 2 - line, (classes * cell) + 2 - line, Pale);
    }

    private static void DrawBar(Drawing drawing, int left, int top, int height)
    {
        for (int y = 0; y < height; y++)
            drawing.Fill(left, top + y, 14, 1, ColorMap.Blues(1 - (y / (height - 1.0))));
        drawing.Frame(left, top, 14, height, Pale);
        foreach (int percent in (ReadOnlySpan<int>)[0, 50, 100])
            drawing.Text($"{percent} %", left + 20, top + ((height - 1) * (1 - (percent / 100f))), 11, Ink);
    }

    // 1, 2 or 5 times a power of ten: numbers at least 24 pixels apart.
    private static int Step(int classes, int cell)
    {
        for (int power = 1; power < classes; power *= 10)
            foreach (int factor in (ReadOnlySpan<int>)[1, 2, 5])
                if (factor * power * cell >= 24)
                    return factor * power;
        return classes;
    }
}
