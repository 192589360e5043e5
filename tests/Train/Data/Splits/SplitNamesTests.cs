using Deit.Train.Data.Splits;

namespace Deit.Tests.Train.Data.Splits;

public sealed class SplitNamesTests
{
    public static TheoryData<string, string> Words =>
        new()
        {
            { "train", "train" },
            { "training", "train" },
            { "val", "val" },
            { "valid", "val" },
            { "validation", "val" },
            { "dev", "val" },
            { "test", "test" },
            { "testing", "test" },
        };

    [Theory]
    [MemberData(nameof(Words))]
    public void A_word_means_a_split_in_any_case(string word, string split)
    {
        foreach (string form in new[] { word, word.ToUpperInvariant(), char.ToUpperInvariant(word[0]) + word[1..] })
        {
            Assert.Equal(split, SplitNames.Of(form));
            Assert.Equal(split, SplitNames.Asked(form));
            Assert.Equal((split, form), SplitNames.InFile($"imagenet-{form}-000000.tar"));
            Assert.Equal((split, form), SplitNames.InFile($"{form}_00000-of-00005.parquet"));
        }
    }

    [Theory]
    [InlineData("trains")]
    [InlineData("train-old")]
    [InlineData("valley")]
    [InlineData("")]
    [InlineData("tra\u0131n")]
    public void Other_words_mean_none(string word)
    {
        Assert.Null(SplitNames.Of(word));
        Assert.Equal(word, SplitNames.Asked(word));
    }

    [Theory]
    [InlineData("All")]
    [InlineData("all")]
    public void All_is_a_split_to_ask_for_and_none_that_is_stored(string word)
    {
        Assert.Equal("all", SplitNames.Asked(word));
        Assert.Null(SplitNames.Of(word));
    }

    // As before there were other words: the usual spelling decides.
    [Theory]
    [InlineData("Test-set-train-0.tar", "train")]
    [InlineData("dev-train-0.tar", "train")]
    [InlineData("train-val-0.tar", "train")]
    public void The_usual_spelling_in_a_file_s_name_goes_first(string file, string split) =>
        Assert.Equal(split, SplitNames.InFile(file)?.Split);
}
