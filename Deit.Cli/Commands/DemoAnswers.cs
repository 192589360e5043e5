using Deit.Cli.Analysis;
using Deit.Cli.Terminal;
using Deit.Model;
using Deit.Model.Images;
using Deit.Train.Analysis;

namespace Deit.Cli.Commands;

/// <summary>Shows what a model answers to one picture of each class: on the terminal, and as a picture with what it looked at.</summary>
internal static class DemoAnswers
{
    private const int Side = 112,
        Gap = 8,
        Line = 18,
        Columns = 2;
    private const float TextSize = 13;
    private static readonly Rgb Right = new(20, 120, 60),
        Wrong = new(180, 30, 30);

    /// <summary>Answers the first picture of each class of a folder.</summary>
    /// <param name="model">The model.</param>
    /// <param name="folder">A folder of pictures for each class, none of which the model was trained on.</param>
    /// <param name="sheet">The PNG file to write.</param>
    /// <exception cref="DeitException">A picture cannot be read, or the file cannot be written.</exception>
    public static void Show(DeitModel model, string folder, string sheet)
    {
        Answer[] answers =
        [
            .. Directory
                .EnumerateDirectories(folder)
                .Order(StringComparer.Ordinal)
                .Select(of =>
                    Ask(model, Path.GetFileName(of), Directory.EnumerateFiles(of).Min(StringComparer.Ordinal)!)
                ),
        ];
        Output.Line($"  {"truth", -14}{"answer", -14}");
        foreach (Answer answer in answers)
            Output.Line($"  {answer.Truth, -14}{answer.Top.Label, -14}{answer.Top.Probability, 8:p1}  {answer.Mark}");
        using Drawing drawing = Draw(answers);
        drawing.SavePng(sheet);
    }

    private static Answer Ask(DeitModel model, string truth, string path)
    {
        RgbImage picture = RgbImage.Decode(path);
        AttentionMap map = model.ComputeAttention(picture).Rollout;
        RgbImage square = Resampler.Resize(picture, Side, Side, ResampleFilter.Bicubic);
        return new Answer(
            truth,
            model.Classify(picture).Top,
            square,
            HeatMap.Overlay(square, [.. map.Values.Select(share => (double)share)], (map.Height, map.Width))
        );
    }

    private static Drawing Draw(Answer[] answers)
    {
        const int Width = (2 * Side) + Gap,
            Height = Side + (2 * Line) + (2 * Gap);
        int rows = (answers.Length + Columns - 1) / Columns;
        Drawing drawing = new((Columns * (Width + (2 * Gap))) + Gap, (rows * Height) + Gap);
        foreach ((int i, Answer answer) in answers.Index())
        {
            int x = Gap + (i % Columns * (Width + (2 * Gap))),
                y = Gap + (i / Columns * Height);
            drawing.Text($"truth: {answer.Truth}", x, y + (Line / 2), TextSize, Rgb.Black);
            drawing.Text(
                $"answer: {answer.Top.Label}, {answer.Top.Probability:p0}, {answer.Mark}",
                x,
                y + Line + (Line / 2),
                TextSize,
                answer.IsRight ? Right : Wrong
            );
            drawing.Image(answer.Picture, x, y + (2 * Line));
            drawing.Image(answer.Looked, x + Side + Gap, y + (2 * Line));
        }
        return drawing;
    }

    private sealed record Answer(string Truth, ClassScore Top, RgbImage Picture, RgbImage Looked)
    {
        public bool IsRight => Top.Label == Truth;

        public string Mark => IsRight ? "right" : "wrong";
    }
}
