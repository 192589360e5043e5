namespace Deit.Tests.Cli;

/// <summary>Command lines that are none: one sentence with the mistake, what was meant, and the help to read.</summary>
public sealed class CommandLineTests
{
    [Theory]
    [InlineData("train --data x --epochs ten", "--epochs is 'ten', expected a whole number; see deit train --help.")]
    [InlineData("bench infer --seconds soon", "--seconds is 'soon', expected a number; see deit bench infer --help.")]
    [InlineData(
        "bench infer --batch-sizes 1 two",
        "--batch-sizes is 'two', expected a whole number; see deit bench infer --help."
    )]
    [InlineData(
        "bench profile --task sleep",
        "--task is 'sleep', expected infer, train; see deit bench profile --help."
    )]
    [InlineData("train --dataa x", "'--dataa' is no flag of deit train, did you mean --data; see deit train --help.")]
    [InlineData("bench everything", "'everything' is no command or argument of deit bench; see deit bench --help.")]
    [InlineData("trian", "'trian' is no command or argument of deit, did you mean train; see deit --help.")]
    [InlineData(
        "train --bach-size=8",
        "'--bach-size=8' is no flag of deit train, did you mean --batch-size; see deit train --help."
    )]
    [InlineData("eval", "deit eval needs --model and --data, and they were not given; see deit eval --help.")]
    [InlineData("eval --data x", "deit eval needs --model, and it was not given; see deit eval --help.")]
    [InlineData("convert", "deit convert needs IN and OUT, and they were not given; see deit convert --help.")]
    [InlineData("convert a", "deit convert needs OUT, and it was not given; see deit convert --help.")]
    public async Task A_command_line_that_is_none(string line, string sentence)
    {
        (int exitCode, string output, string error) = await DeitProcess.Run(line.Split(' '));
        Assert.Equal((2, "", $"deit: {sentence}"), (exitCode, output, error.Trim()));
    }
}
