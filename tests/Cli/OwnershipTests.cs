using Deit.Cli.Commands;
using Deit.Cli.Commands.Analyze;
using Deit.Cli.Demo;
using Deit.Tests.Train.Training;
using Deit.Train.Options;

namespace Deit.Tests.Cli;

/// <summary>A command replaces what this program wrote, and never what it reads or what the user put there.</summary>
public sealed class OwnershipTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _data,
        _model;

    public OwnershipTests()
    {
        _data = TinyRun.WritePictures(_folder);
        _model = _folder["model"];
        TinyRun.WriteModel(_model, TinyRun.Config, DemoDataset.Classes);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_conversion_leaves_folders_beside_its_target_alone()
    {
        foreach (string name in (string[])["out.old", "out.tmp-backup", "model.old"])
            File.WriteAllText(Path.Combine(Directory.CreateDirectory(_folder[name]).FullName, "mine"), "mine");
        ConvertCommand.Run(_model, _folder["out"], new ConvertOptions());
        ConvertCommand.Run(_model, _folder["out"], new ConvertOptions { Overwrite = true });
        Assert.Equal(["data", "model", "model.old", "out", "out.old", "out.tmp-backup"], _folder.Content);
        Assert.Equal("mine", File.ReadAllText(_folder["out.old/mine"]));
    }

    [Theory]
    [InlineData("model", "link")]
    [InlineData("link", "model")]
    [InlineData("model", "model/")]
    [InlineData("model/model.safetensors", "model")]
    [InlineData("model/model.safetensors", "link")]
    public void A_conversion_does_not_replace_its_source(string from, string to)
    {
        Directory.CreateSymbolicLink(_folder["link"], _model);
        byte[] before = File.ReadAllBytes(_folder["model/model.safetensors"]);
        Assert.Throws<DeitException>(() =>
            ConvertCommand.Run(_folder[from], _folder[to], new ConvertOptions { Overwrite = true })
        );
        Assert.Equal(before, File.ReadAllBytes(_folder["model/model.safetensors"]));
    }

    [Theory]
    [InlineData("eval.json", "{ \"mine\": 1 }")]
    [InlineData("eval.json", "notes")]
    [InlineData("per_class.csv", "mine")]
    [InlineData("confusion.png", "a photograph")]
    public void An_evaluation_does_not_replace_files_of_the_user(string name, string text)
    {
        string output = Directory.CreateDirectory(_folder["results"]).FullName;
        File.WriteAllText(Path.Combine(output, name), text);
        DeitException error = Assert.Throws<DeitException>(() => Evaluate(output, confusion: null));
        Assert.Contains($"holds '{name}'", error.Message);
        Assert.Equal(text, File.ReadAllText(Path.Combine(output, name)));
        Assert.Equal([name], Directory.EnumerateFileSystemEntries(output).Select(Path.GetFileName));
    }

    [Fact]
    public void Nothing_is_written_into_the_data()
    {
        string inside = Path.Combine(_data, "val", DemoDataset.Classes[0]);
        string[] before = Directory.GetFileSystemEntries(_folder.Path, "*", SearchOption.AllDirectories);
        Assert.Contains("lies in the data", Refused(() => Evaluate(inside, confusion: null)));
        Assert.Contains("lies in the data", Refused(() => Evaluate("none", Path.Combine(inside, "confusion.png"))));
        Assert.Contains("lies in the data", Refused(() => Disagree(Path.Combine(inside, "table.csv"))));
        Assert.Equal(before, Directory.GetFileSystemEntries(_folder.Path, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void A_table_does_not_replace_a_file_of_a_model_that_is_read()
    {
        string before = File.ReadAllText(_folder["model/config.json"]);
        Assert.Contains("is read here", Refused(() => Disagree(_folder["model/config.json"])));
        Assert.Equal(before, File.ReadAllText(_folder["model/config.json"]));
    }

    [Theory]
    [InlineData("input.png")]
    [InlineData("contact_sheet.png")]
    [InlineData("layer02_class_mean.png")]
    public void Attention_does_not_replace_its_picture(string name)
    {
        File.Copy(Directory.EnumerateFiles(_data, "*.png", SearchOption.AllDirectories).First(), _folder[name]);
        AttentionOptions options = new() { Model = _model, Output = _folder.Path };
        Assert.Contains("lies in --output", Refused(() => AttentionCommand.Run(_folder[name], options)));
    }

    [Theory]
    [InlineData("precious notes", false)]
    [InlineData("{ \"mine\": 1 }", false)]
    [InlineData("", true)]
    [InlineData("{ \"epochs\": 3 }", true)]
    public void A_recipe_replaces_recipes_alone(string text, bool replaced)
    {
        string file = _folder["recipe.json"];
        File.WriteAllText(file, text);
        Exception? error = Record.Exception(() => Recipe.Save(new TrainOptions(), file));
        Assert.Equal(replaced, error is null);
        Assert.Equal(replaced, File.ReadAllText(file) != text);
    }

    private static string Refused(Action action) => Assert.Throws<DeitException>(action).Message;

    private void Evaluate(string output, string? confusion) =>
        EvalCommand.Run(
            new EvalOptions
            {
                Model = _model,
                Data = _data,
                Output = output,
                Confusion = confusion,
            }
        );

    private void Disagree(string output) =>
        DisagreementCommand.Run(
            new DisagreementOptions
            {
                Models = [_model, _model],
                Names = ["a", "b"],
                Data = _data,
                Output = output,
            }
        );
}
