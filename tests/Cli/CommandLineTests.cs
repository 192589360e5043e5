using Deit.Cli.Commands;

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
    [InlineData(
        "predict --model m a.jpg --tpo 3",
        "'--tpo' is no flag of deit predict, did you mean --top; see deit predict --help."
    )]
    [InlineData(
        "predict --model m --fromat=csv a.jpg",
        "'--fromat=csv' is no flag of deit predict, did you mean --format; see deit predict --help."
    )]
    [InlineData(
        "predict --model --tpo 3 a.jpg",
        "'--tpo' is no flag of deit predict, did you mean --top; see deit predict --help."
    )]
    [InlineData(
        "train --data x --imgsz 64",
        "'--imgsz' is no flag of deit train, did you mean --input-size; see deit train --help."
    )]
    [InlineData(
        "train --data x --img-size=64",
        "'--img-size=64' is no flag of deit train, did you mean --input-size; see deit train --help."
    )]
    [InlineData("train --data x -o y", "'-o' is no flag of deit train, did you mean --output; see deit train --help.")]
    [InlineData(
        "predict -m model a.jpg",
        "'-m' is no flag of deit predict, did you mean --model; see deit predict --help."
    )]
    [InlineData(
        "predict --model m --source a.jpg",
        "'--source' is no flag of deit predict, pictures are given without a flag; see deit predict --help."
    )]
    [InlineData(
        "predict hf:timm/vit a.jpg",
        "deit predict needs --model, and it was not given, did you mean --model hf:timm/vit; see deit predict --help."
    )]
    [InlineData("export a b", "'export' is no command or argument of deit, did you mean convert; see deit --help.")]
    [InlineData("fit", "'fit' is no command or argument of deit, did you mean train; see deit --help.")]
    [InlineData(
        "resume x",
        "'resume' is no command or argument of deit, did you mean train --resume; see deit --help."
    )]
    [InlineData("version", "'version' is no command or argument of deit, did you mean --version; see deit --help.")]
    [InlineData(
        "train shoes",
        "'shoes' is no command or argument of deit train, did you mean --data shoes; see deit train --help."
    )]
    [InlineData(
        "train data=clean",
        "'data=clean' is no command or argument of deit train, did you mean --data clean; see deit train --help."
    )]
    [InlineData(
        "train --data x imgsz=64",
        "'imgsz=64' is no command or argument of deit train, did you mean --input-size 64; see deit train --help."
    )]
    [InlineData("bogus --help", "'bogus' is no command or argument of deit; see deit --help.")]
    [InlineData("bench bogus --help", "'bogus' is no command or argument of deit bench; see deit bench --help.")]
    [InlineData("man --x", "'--x' is no flag of deit man; see deit man --help.")]
    [InlineData("man -x", "'-x' is no flag of deit man; see deit man --help.")]
    [InlineData("check --jsn shoes", "'--jsn' is no flag of deit check, did you mean --json; see deit check --help.")]
    [InlineData(
        "train --data --epocs 3",
        "'--epocs' is no flag of deit train, did you mean --epochs; see deit train --help."
    )]
    [InlineData(
        "analyze disagreement --models a b --outptu t.csv",
        "'--outptu' is no flag of deit analyze disagreement, did you mean --output; see deit analyze disagreement --help."
    )]
    [InlineData("completion tcsh", "SHELL is 'tcsh', expected bash, zsh, fish, pwsh; see deit completion --help.")]
    public async Task A_command_line_that_is_none(string line, string sentence)
    {
        (int exitCode, string output, string error) = await DeitProcess.Run(line.Split(' '));
        Assert.Equal((2, "", $"deit: {sentence}"), (exitCode, output, error.Trim()));
    }

    /// <summary>A shell gives an empty word for a variable in quotes that is not set; each "EMPTY" here is one.</summary>
    [Theory]
    [InlineData("predict --model m EMPTY", "IMAGE is '', expected a value")]
    [InlineData("predict --model EMPTY a.jpg", "--model is '', expected DIR")]
    [InlineData("predict --model m --list EMPTY", "--list is '', expected FILE")]
    [InlineData("check EMPTY", "DATA is '', expected a value")]
    [InlineData("check shoes --output EMPTY", "--output is '', expected DIR")]
    [InlineData("check shoes --html=EMPTY", "--html is '', expected FILE")]
    [InlineData("convert EMPTY EMPTY", "IN is '', expected a value")]
    [InlineData("convert a EMPTY", "OUT is '', expected a value")]
    [InlineData("man EMPTY", "DIR is '', expected a value")]
    [InlineData("watch EMPTY", "RUN is '', expected a value")]
    [InlineData("serve EMPTY", "MODEL is '', expected a value")]
    [InlineData("serve m --api-keys EMPTY", "--api-keys is '', expected FILE")]
    [InlineData("pull EMPTY", "NAME is '', expected a value")]
    [InlineData("train --data EMPTY", "--data is '', expected DIR")]
    [InlineData("train --resume EMPTY", "--resume is '', expected")]
    [InlineData("eval --model m --data EMPTY", "--data is '', expected DIR")]
    [InlineData("analyze disagreement --data x --models a EMPTY", "--models is '', expected DIR...")]
    [InlineData("bench compare EMPTY b", "A is '', expected a value")]
    [InlineData("bench ops --csv EMPTY", "--csv is '', expected")]
    public async Task An_empty_word_is_no_path(string line, string expected)
    {
        (int exitCode, string output, string error) = await DeitProcess.Run(
            line.Replace("EMPTY", "", StringComparison.Ordinal).Split(' ')
        );
        Assert.Equal((2, ""), (exitCode, output));
        Assert.StartsWith($"deit: {expected}", error, StringComparison.Ordinal);
        Assert.Contains("perhaps a variable of the shell is not set; see deit ", error, StringComparison.Ordinal);
    }

    // After "--" come arguments, a value may hang on its flag, and "-" stands for the standard input.
    [Theory]
    [InlineData("convert -- --x out", "'--x'")]
    [InlineData("predict --model=--x a.jpg", "'--x'")]
    [InlineData("predict --model nothing -", "'nothing'")]
    public async Task A_word_with_a_dash_that_is_no_flag(string line, string missing)
    {
        (int exitCode, string output, string error) = await DeitProcess.Run(line.Split(' '));
        Assert.Equal((3, ""), (exitCode, output));
        Assert.Contains(missing, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_way_to_name_a_file_that_begins_with_a_dash_is_told()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["-a.jpg"], "");
        using DeitProcess predict = DeitProcess.StartIn(folder.Path, "\"$@\"", ["predict", "--model", "m", "-a.jpg"]);
        (int exitCode, _, string error) = await predict.End();
        Assert.Equal(2, exitCode);
        Assert.Contains("and the file is ./-a.jpg", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_cannot_be_made_names_what_the_command_calls_it()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["f"], "");
        (int exitCode, _, string error) = await DeitProcess.Run("man", folder["f/x"]);
        Assert.Equal(7, exitCode);
        Assert.EndsWith("; choose another DIR.", error.TrimEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_command_that_the_demo_gives_can_be_copied() =>
        Assert.Equal(
            "deit predict --model 'my demo/run/best' 'my demo/data/val/ring'",
            DemoCommand.PredictLine("my demo/run/best", "my demo/data")
        );
}
