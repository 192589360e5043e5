using Deit.Tests.Train.Data.Formats;
using Deit.Train.Data.Splits;

namespace Deit.Tests.Train.Data.Splits;

public sealed class ClassLabelsTests
{
    private static ClassLabels Match(string[] data, string[] known, bool ofModel = true) =>
        ClassLabels.Match("d", data, data, known, ofModel, ("rename it", "rename them"));

    private static int[] Labels(string[] data, string[] known, bool ofModel = true)
    {
        ClassLabels labels = Match(data, known, ofModel);
        return [.. data.Select(labels.Of)];
    }

    [Fact]
    public void Names_decide_in_whichever_Unicode_form()
    {
        Assert.Equal([2, 0], Labels(["cafe\u0301", "bee"], ["bee", "cat", "caf\u00e9"]));
        Assert.Equal([1], Labels(["caf\u00e9"], ["bee", "cafe\u0301"], ofModel: false));
        // A model may know both; the one that is spelt alike is meant.
        Assert.Equal([1], Labels(["cafe\u0301"], ["caf\u00e9", "cafe\u0301"]));
    }

    [Fact]
    public void A_label_that_two_classes_have_names_none_of_them()
    {
        string[] known = ["crane", "dog", "crane"];
        Assert.Equal([1], Labels(["dog"], known));
        DatasetAssert.Sentence<DeitException>(
            "the model calls its classes 0 and 2 all 'crane', expected one class of that name; "
                + "call the class of the data by its number, '0' or '2'",
            () => Match(["crane", "dog"], known)
        );
        Assert.Equal([2, 1], Labels(["2", "dog"], known));
        Assert.Equal([0, 2], Labels(["0", "2"], known));
        // The number of a class whose name is its alone is no name.
        DatasetAssert.Sentence<DeitException>("does not have its class '1'; rename it", () => Match(["1"], known));
    }

    [Theory]
    [InlineData("")]
    [InlineData("LABEL_")]
    public void Classes_without_names_take_those_of_the_data_in_order(string prefix)
    {
        string[] known = [.. Enumerable.Range(0, 3).Select(i => $"{prefix}{i}")];
        ClassLabels labels = Match(["n1", "n2", "n3"], known);
        Assert.Equal([0, 1, 2], new[] { "n1", "n2", "n3" }.Select(labels.Of));
        Assert.Contains("'n1' for class 0", Assert.Single(labels.Notices));
        DatasetAssert.Sentence<DeitException>(
            "the 3 classes of the model have no names, and the data has 2 classes, such as 'n1'; "
                + "give the model's classes names with deit convert IN OUT --labels FILE",
            () => Match(["n1", "n2"], known)
        );
        // Data whose classes are numbers has them by number, however they are written.
        Assert.Equal([2, 0], Labels(["2", "0"], known));
        Assert.Equal([0, 1, 2], Labels(["000", "001", "002"], known));
        DatasetAssert.Sentence<DeitException>("its class '3' is a number", () => Match(["1", "2", "3"], known));
    }

    [Fact]
    public void Classes_of_training_are_never_guessed()
    {
        DatasetAssert.Sentence<DeitException>(
            "training does not have its class 'x'; rename it",
            () => Match(["x"], ["0"], ofModel: false)
        );
        Assert.Empty(Match(["0", "1"], ["0", "1"]).Notices);
    }

    [Fact]
    public void Names_that_are_numbers_go_by_name_where_the_model_has_others_too() =>
        DatasetAssert.Sentence<DeitException>("does not have its class '2'", () => Match(["0", "2"], ["0", "x"]));
}
