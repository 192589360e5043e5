using Deit.Cli.Commands;
using Deit.Train.Data.Inspection;

namespace Deit.Tests.Cli.Commands;

public static class CheckTextTests
{
    [Theory]
    [InlineData("56x51 60x52 70x90", "shorter side 51 to 70 pixels, median 52")] // each another: no size says anything
    [InlineData("56x51", "shorter side 51 pixels")]
    [InlineData("128x171 128x171", "shorter side 128 pixels; 2 of 2 pictures are 128 x 171")]
    [InlineData("8x9 8x9 1x2", "shorter side 1 to 8 pixels, median 8; 2 of 3 pictures are 8 x 9")]
    public static void The_commonest_size_is_said_where_it_is_common(string sizes, string expected) =>
        Assert.Equal(expected, CheckText.Sizes(SizeFacts.Of(sizes.Split(' ').Select(Picture))!));

    [Fact]
    public static void A_size_of_less_than_a_tenth_is_not_said()
    {
        string[] others = [.. Enumerable.Range(10, 20).Select(side => $"{side}x40")];
        Assert.EndsWith("median 20", CheckText.Sizes(Facts([.. others, "29x40"])), StringComparison.Ordinal);
        Assert.EndsWith(
            "; 2 of 20 pictures are 27 x 40",
            CheckText.Sizes(Facts([.. others[..18], "27x40", "30x40"])),
            StringComparison.Ordinal
        );

        static SizeFacts Facts(string[] sizes) => SizeFacts.Of(sizes.Select(Picture))!;
    }

    private static InspectedPicture Picture(string size) =>
        new(0, 0, 0) { Width = int.Parse(size.Split('x')[0]), Height = int.Parse(size.Split('x')[1]) };
}
