using CsCheck;
using Deit.Cli.Watch;

namespace Deit.Tests.Cli.Watch;

public sealed class TextChartTests
{
    [Theory]
    [InlineData("0 1 2 3", 4, 4, "   *,  *, *,*")]
    [InlineData("3 0", 2, 3, "*, *, *")]
    [InlineData("5 5 5", 3, 3, ",***")]
    [InlineData("7", 2, 3, ",**")]
    [InlineData("0 NaN 2", 3, 3, "  *,,*")]
    [InlineData("NaN", 3, 2, "")]
    [InlineData("", 3, 2, "")]
    public void Lines_rise_with_their_values(string values, int width, int height, string expected)
    {
        double[] numbers = [.. values.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(double.Parse)];
        string[] lines = TextChart.Draw(numbers, width, height, unicode: false);
        Assert.Equal(height, lines.Length);
        Assert.Equal(expected, string.Join(',', lines).TrimEnd(','));
    }

    [Fact]
    public void Both_letters_fit_their_place_and_every_column_has_a_dot() =>
        Gen.Select(Gen.Double[-1e9, 1e9].Array[1, 300], Gen.Int[1, 60], Gen.Int[1, 8], Gen.Bool)
            .Sample(
                (values, width, height, unicode) =>
                {
                    string[] lines = TextChart.Draw(values, width, height, unicode);
                    Assert.Equal(height, lines.Length);
                    Assert.All(lines, line => Assert.InRange(line.Length, 0, width));
                    for (int x = 0; x < width; x++)
                        Assert.Contains(lines, line => x < line.Length && line[x] != ' ');
                    Assert.All(
                        lines.SelectMany(line => line),
                        letter =>
                            Assert.True(
                                letter == ' ' || (unicode ? letter is > '\u2800' and <= '\u28FF' : letter == '*')
                            )
                    );
                },
                iter: 1000
            );
}
