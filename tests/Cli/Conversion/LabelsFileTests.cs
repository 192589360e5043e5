using System.Text;
using Deit.Cli.Conversion;
using Deit.Tests.Model.Formats;

namespace Deit.Tests.Cli.Conversion;

/// <summary>Files of class names as editors, shells and the lists of ImageNet's classes have them.</summary>
public sealed class LabelsFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Write(byte[] bytes)
    {
        File.WriteAllBytes(_folder["labels"], bytes);
        return _folder["labels"];
    }

    [Theory]
    [InlineData("Müller\nStühle\n木\n")]
    [InlineData("\uFEFFMüller\r\nStühle\r\n木")]
    [InlineData("\n Müller\t\n\n\nStühle\n木\n\n\n")]
    [InlineData("Müller\rStühle\r木")]
    [InlineData("""["Müller", "Stühle", "木"]""")]
    [InlineData("\uFEFF[\"Müller\",\r\n\"Stühle\", \"木\"]\r\n")]
    [InlineData("""{"2": "木", "0": "Müller", "1": "Stühle"}""")]
    [InlineData("""{"0": ["n1", "Müller"], "1": ["n2", "Stühle"], "2": ["n3", "木"]}""")]
    public void Names_are_lines_or_JSON(string text) =>
        Assert.Equal(["Müller", "Stühle", "木"], LabelsFile.Read(Write(Encoding.UTF8.GetBytes(text)), 3));

    // ImageNet has two cranes, and two maillots.
    [Fact]
    public void A_name_may_be_there_twice_and_look_like_JSON() =>
        Assert.Equal(["crane", "[crane", "crane"], LabelsFile.Read(Write("crane\n[crane\ncrane\n"u8.ToArray()), 3));

    [Fact]
    public void A_name_in_another_encoding_is_refused_with_its_line()
    {
        foreach (string end in (string[])["\n", "\r\n", "\r"])
        foreach (int line in (int[])[1, 2, 7])
        {
            string[] lines = ["a", "b", "c", "", "d", "e", "f"];
            lines[line - 1] = "Müller";
            byte[] latin = Encoding.Latin1.GetBytes(string.Join(end, lines));
            Refusal.Of(() => LabelsFile.Read(Write(latin), 7), $"is no UTF-8 in line {line};");
        }
        foreach (string name in (string[])["utf-16", "utf-16BE", "utf-32"])
        {
            Encoding encoding = Encoding.GetEncoding(name);
            byte[] text = encoding.GetBytes("a\nb\n");
            Refusal.Of(() => LabelsFile.Read(Write(text), 2), "line 1");
            Refusal.Of(() => LabelsFile.Read(Write([.. encoding.GetPreamble(), .. text]), 2), "line 1");
        }
    }

    [Theory]
    [InlineData("", "names 0 classes, the model has 2")]
    [InlineData("a\n", "names 1 classes, the model has 2")]
    [InlineData("a\nb\nc\n", "names 3 classes, the model has 2")]
    [InlineData("[\"a\"]", "names 1 classes, the model has 2")]
    [InlineData("[1, 2]", "an entry that is no name")]
    [InlineData("{\"a\": 0, \"b\": 1}", "none for the index 0")]
    [InlineData("{0: 'tench, Tinca tinca',\n 1: 'goldfish'}", "a dictionary of Python")]
    public void What_does_not_name_the_classes_is_refused(string text, string expected) =>
        Refusal.Of(() => LabelsFile.Read(Write(Encoding.UTF8.GetBytes(text)), 2), expected);
}
