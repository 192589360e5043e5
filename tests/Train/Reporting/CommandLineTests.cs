using System.CommandLine;
using System.Text;
using Deit.Cli.Commands;
using Deit.Train.Options;
using Deit.Train.Reporting;

namespace Deit.Tests.Train.Reporting;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("--data shoes")]
    [InlineData("--data shoes --model deit_small_patch16_224 --epochs 5 --lr 3e-4 --seed 9223372036854775807")]
    [InlineData("--data shoes --recipe plain --input-size 224x160 --no-model-ema --log tensorboard --no-report")]
    [InlineData(
        "--data shoes --no-repeated-aug --no-aug --unscale-lr --sched multistep --decay-milestones 3,5 --weight-decay 0"
    )]
    [InlineData("--data shoes --precision bf16-residual --head-fusion sum-softmax --device 0 --aa none --distilled")]
    public void The_command_gives_the_same_options(string flags)
    {
        TrainOptions options = Options.TrainOptionsTests.Parse(flags);
        if (options.Run.Recipe is { } recipe)
            options = Options.TrainOptionsTests.Parse(flags, Recipe.Load(recipe));
        string command = CommandLine.Of(options, "run");
        Assert.StartsWith("deit train ", command, StringComparison.Ordinal);
        TrainOptions again = Options.TrainOptionsTests.Parse(command["deit train ".Length..]);
        Assert.Equal(
            options with
            {
                Run = options.Run with { Output = "run", Recipe = null, SaveRecipe = null },
            },
            again
        );
    }

    /// <summary>With <c>--finetune</c> alone the network is that of the weights, which may be another than the default.</summary>
    [Theory]
    [InlineData("--data d --finetune w", true)]
    [InlineData("--data d --finetune w --patch-size 8", true)]
    [InlineData("--data d --finetune w --embed-dim 64 --depth 2 --num-heads 2", false)]
    [InlineData("--data d --finetune w --regnet 48,27.89,2.09,16,8", false)]
    [InlineData("--data d", false)]
    public void The_network_is_named_where_weights_would_say_another(string flags, bool named)
    {
        string command = CommandLine.Of(Options.TrainOptionsTests.Parse(flags), "run");
        Assert.Equal(named, command.Contains("--model deit_tiny_patch16_224", StringComparison.Ordinal));
    }

    /// <summary>A real shell takes the command apart again.</summary>
    [Fact]
    public async Task A_shell_reads_each_word_as_it_was()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no POSIX shell.");
        string[] words =
        [
            "plain",
            "",
            "two words",
            "it's",
            "\"q\"",
            "$HOME `id` $(id)",
            "a;b|c&d",
            "신발",
            "*",
            "~",
            "#x",
            "line\nbreak",
            "\\",
            "!x",
            "--a=b",
        ];
        string hex = await Samples.Command.Succeed(
            "sh",
            ["-c", $"printf '%s\\0' {string.Join(' ', words.Select(ShellWord.Quoted))} | od -An -v -tx1 | tr -d ' \\n'"]
        );
        string read = Encoding.UTF8.GetString(Convert.FromHexString(hex.Trim()));
        Assert.Equal(words, read.Split('\0')[..^1]);
    }

    [Fact]
    public void A_value_that_begins_with_a_dash_is_no_flag()
    {
        TrainOptions options = Options.TrainOptionsTests.Parse("--data=-x");
        string command = CommandLine.Of(options, "run");
        Assert.Equal("deit train --data=-x --output run", command);
        Command parser = new("train");
        OptionBinder<TrainOptions> binder = new(parser);
        Assert.Equal("-x", binder.Bind(parser.Parse(command["deit train ".Length..])).Data.Path);
    }
}
