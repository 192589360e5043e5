using Deit.Model.Text;
using Deit.Train.Data.Formats;
using Deit.Train.Pages;

namespace Deit.Train.Runs;

/// <summary>How many pictures each class has in each split.</summary>
internal static class ClassCounts
{
    // Bars with names fill a screen; of more classes only the shape can be seen.
    private const int MostBars = 40;

    /// <summary>The part of a page.</summary>
    /// <param name="training">The pictures to learn from.</param>
    /// <param name="validation">The pictures to evaluate with.</param>
    public static Markup ToMarkup(IImageSplit training, IImageSplit validation)
    {
        int[] learned = Of(training),
            evaluated = Of(validation);
        int least = learned.Min(),
            most = learned.Max();
        string each =
            least == most ? Plural.Of(most, "training picture") : $"{least} to {Plural.Of(most, "training picture")}";
        Markup sentence = Markup.Of(
            $"""
            <p>{training.Count} training and {Plural.Of(validation.Count, "validation picture")} in {Plural.Of(
                learned.Length,
                "class"
            )}.
            {(least == most ? "Each" : "A")} class has {each}.</p>

            """
        );
        if (learned.Length > MostBars)
            return sentence + Markup.Of($"<div class=\"charts\">\n{Curve(learned, evaluated).ToMarkup()}</div>\n");
        PageTable table = new("class", "#training", "#validation", "") { Description = "Pictures of each class" };
        double longest = Math.Max(1, Math.Max(most, evaluated.Max()));
        for (int i = 0; i < learned.Length; i++)
            table.Add(
                Markup.Name(training.ClassNames[i]),
                Markup.Of($"{learned[i]}"),
                Markup.Of($"{evaluated[i]}"),
                Bar(1, learned[i] / longest) + Bar(2, evaluated[i] / longest)
            );
        return sentence + table.ToMarkup();
    }

    private static Markup Bar(int style, double share) =>
        Markup.Of($"<span class=\"bar fill-{style}\" style=\"width:{share * 100:0.#}%\"></span>");

    private static LineChart Curve(int[] learned, int[] evaluated)
    {
        int[] order = [.. Enumerable.Range(0, learned.Length).OrderByDescending(i => learned[i]).ThenBy(i => i)];
        return new LineChart(
            "Pictures of a class, the largest class first",
            "class",
            new ChartSeries("training", [.. order.Select((i, place) => (place + 1.0, (double)learned[i]))]),
            new ChartSeries("validation", [.. order.Select((i, place) => (place + 1.0, (double)evaluated[i]))])
        )
        {
            Including = [0],
            LastFormat = null,
        };
    }

    private static int[] Of(IImageSplit images)
    {
        int[] counts = new int[images.ClassNames.Count];
        for (int i = 0; i < images.Count; i++)
            counts[images.Label(i)]++;
        return counts;
    }
}
