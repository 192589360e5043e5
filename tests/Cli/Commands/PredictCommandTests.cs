using System.Globalization;
using System.Text.Json;
using Deit.Model.Files;
using Deit.Tests.Train.Data.Formats;
using Deit.Tests.Train.Training;

namespace Deit.Tests.Cli.Commands;

public sealed class PredictCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public PredictCommandTests() => TinyRun.WriteModel(_folder["model"], TinyRun.Config);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_folder_stands_for_its_pictures_and_an_empty_one_does_not_lose_the_others()
    {
        Directory.CreateDirectory(_folder["empty"]);
        Directory.CreateDirectory(_folder["some/deeper"]);
        foreach (string name in (string[])["b.png", "a.png", ".hidden.png", "deeper/c.png", "notes.txt", "@d.png"])
            File.WriteAllBytes(_folder[$"some/{name}"], DatasetAssert.Png(1));
        (int code, string output, string error) = await DeitProcess.Run(
            "predict",
            "--model",
            _folder["model"],
            "--json",
            _folder["empty"],
            _folder["some"]
        );
        Assert.Equal(6, code);
        Assert.Contains($"'{_folder["empty"]}' is a folder without pictures in it", error, StringComparison.Ordinal);
        Assert.Equal(
            ["@d.png", "a.png", "b.png"],
            JsonDocument
                .Parse(output)
                .RootElement.EnumerateArray()
                .Select(answer => Path.GetFileName(answer.GetProperty("image").GetString()))
        );
    }

    [Fact]
    public async Task A_line_of_JSON_for_each_picture_holds_the_answer_or_the_error()
    {
        (int code, string output, _) = await Predict("--format", "jsonl", "--top", "2");
        Assert.Equal(6, code);
        JsonElement[] lines =
        [
            .. output
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => JsonDocument.Parse(line).RootElement),
        ];
        Assert.Equal(["a, \"b\".png", "broken.png", "고양이.png"], lines.Select(Name));
        // Letters are as they are.
        Assert.Contains("/고양이.png\"", output, StringComparison.Ordinal);
        Assert.Contains("failed: it is text", output, StringComparison.Ordinal);
        Assert.Contains("/broken.png' failed", output, StringComparison.Ordinal);
        Assert.Equal(2, lines[0].GetProperty("classes").GetArrayLength());
        Assert.Contains("failed", lines[1].GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.False(lines[1].TryGetProperty("classes", out _));
    }

    [Fact]
    public async Task An_array_of_JSON_has_the_errors_too_and_what_a_terminal_would_obey_by_number()
    {
        File.WriteAllText(_folder["\u202e.png"], "no picture");
        (int code, string output, _) = await Predict("--json", "--top", "1", _folder["\u202e.png"]);
        Assert.Equal(6, code);
        Assert.Contains("/\\u202e.png\"", output, StringComparison.Ordinal);
        JsonElement[] answers = [.. JsonDocument.Parse(output).RootElement.EnumerateArray()];
        Assert.Equal(["\u202e.png", "a, \"b\".png", "broken.png", "고양이.png"], answers.Select(Name));
        Assert.Contains("/broken.png' failed", answers[2].GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.False(answers[2].TryGetProperty("classes", out _));
        Assert.Equal(1, answers[3].GetProperty("classes").GetArrayLength());
    }

    [Fact]
    public async Task A_table_has_a_row_for_each_class()
    {
        (int code, string output, _) = await Predict("--format", "csv", "--top", "2");
        Assert.Equal(6, code);
        string[] rows = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("image,rank,index,label,probability", rows[0]);
        Assert.Equal(5, rows.Length);
        Assert.StartsWith($"\"{_folder["some"]}/a, \"\"b\"\".png\",1,", rows[1], StringComparison.Ordinal);
        Assert.StartsWith($"{_folder["some"]}/고양이.png,2,", rows[4], StringComparison.Ordinal);
        Assert.InRange(double.Parse(rows[1].Split(',')[^1], CultureInfo.InvariantCulture), 0, 1);
    }

    [Fact]
    public async Task A_table_has_names_as_they_are()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has fewer characters in names.");
        string name = _folder["new\nline\u200e\u001b[1m, \"é\".png"];
        File.WriteAllBytes(name, DatasetAssert.Png(1));
        (int code, string output, _) = await DeitProcess.Run(
            "predict",
            "--model",
            _folder["model"],
            "--format",
            "csv",
            "--top",
            "1",
            name
        );
        Assert.Equal(0, code);
        Assert.StartsWith(
            $"image,rank,index,label,probability\n\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\",1,",
            output,
            StringComparison.Ordinal
        );
    }

    // The terminal is that of the program "script", which prints what it is shown.
    [Fact]
    public async Task A_table_on_a_terminal_shows_names_without_being_obeyed()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/script"), "There is no program script.");
        File.WriteAllBytes(_folder["new\nline\u001b[1m.png"], DatasetAssert.Png(1));
        using DeitProcess predict = DeitProcess.StartIn(
            _folder.Path,
            // bash's printf quotes what bash alone reads; script starts the shell that SHELL names.
            "SHELL=$BASH script -qec \"$(printf '%q ' \"$@\")\" /dev/null",
            ["predict", "--model", "model", "--format", "csv", "--top", "1", "new\nline\u001b[1m.png"]
        );
        (int code, string output, _) = await predict.End();
        Assert.Equal(0, code);
        Assert.Contains("\nnew\\x0aline\\x1b[1m.png,1,", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_picture_that_can_be_read_the_code_is_that_of_data()
    {
        File.WriteAllText(_folder["broken.png"], "no picture");
        (int code, _, _) = await DeitProcess.Run("predict", "--model", _folder["model"], _folder["broken.png"]);
        Assert.Equal(3, code);
    }

    [Fact]
    public async Task A_list_may_come_from_a_pipe()
    {
        File.WriteAllBytes(_folder["1.png"], DatasetAssert.Png(1));
        File.WriteAllBytes(_folder["2.png"], DatasetAssert.Png(2));
        using DeitProcess predict = DeitProcess.StartIn(
            _folder.Path,
            "printf '2.png\\n1.png\\n' | \"$@\"",
            ["predict", "--model", "model", "--format", "jsonl", "--list", "-"]
        );
        (int code, string output, _) = await predict.End();
        Assert.Equal(0, code);
        Assert.Equal(
            ["2.png", "1.png"],
            output
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => Name(JsonDocument.Parse(line).RootElement))
        );
    }

    // The producer gives its second line when it sees the first answer.
    [Fact]
    public async Task A_list_is_answered_while_it_is_written()
    {
        File.WriteAllBytes(_folder["1.png"], DatasetAssert.Png(1));
        File.WriteAllBytes(_folder["2.png"], DatasetAssert.Png(2));
        const string Producer =
            "mkfifo list; { exec 3>list; echo 1.png >&3; for i in $(seq 600); do grep -q 1.png answers 2>/dev/null && break; "
            + "sleep 0.1; done; if [ $i -lt 600 ]; then echo 2.png >&3; fi; } & \"$@\" > answers; code=$?; cat answers; exit $code";
        using DeitProcess predict = DeitProcess.StartIn(
            _folder.Path,
            Producer,
            ["predict", "--model", "model", "--format", "jsonl", "--list", "list"]
        );
        (int code, string output, string error) = await predict.End();
        Assert.True(code == 0, error);
        Assert.Equal(
            ["1.png", "2.png"],
            output
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => Name(JsonDocument.Parse(line).RootElement))
        );
    }

    [Theory]
    [InlineData("csv", 2)]
    [InlineData("jsonl", 2)]
    [InlineData("text", 2)]
    [InlineData("json", 0)]
    public async Task Two_formats_at_once_are_refused(string format, int expected)
    {
        File.WriteAllBytes(_folder["1.png"], DatasetAssert.Png(1));
        (int code, _, string error) = await DeitProcess.Run(
            "predict",
            "--model",
            _folder["model"],
            "--json",
            "--format",
            format,
            _folder["1.png"]
        );
        Assert.Equal(expected, code);
        Assert.Equal(
            expected == 2,
            error.Contains($"--json was given with --format {format}", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Without_a_picture_the_ways_to_name_some_are_told()
    {
        (int code, _, string error) = await DeitProcess.Run("predict", "--model", _folder["model"]);
        Assert.Equal(2, code);
        Assert.Contains("--list FILE", error, StringComparison.Ordinal);
    }

    private Task<(int ExitCode, string Output, string Error)> Predict(params string[] flags)
    {
        Directory.CreateDirectory(_folder["some"]);
        File.WriteAllBytes(_folder["some/a, \"b\".png"], DatasetAssert.Png(1));
        File.WriteAllBytes(_folder["some/고양이.png"], DatasetAssert.Png(2));
        File.WriteAllText(_folder["some/broken.png"], "no picture");
        return DeitProcess.Run(["predict", "--model", _folder["model"], .. flags, _folder["some"]]);
    }

    private static string? Name(JsonElement answer) => Path.GetFileName(answer.GetProperty("image").GetString());

    [Fact]
    public async Task A_file_that_is_called_with_an_at_sign_is_no_list_of_arguments()
    {
        File.WriteAllBytes(_folder["@1.png"], DatasetAssert.Png(1));
        using DeitProcess predict = DeitProcess.StartIn(
            _folder.Path,
            "\"$@\"",
            ["predict", "--model", "model", "@1.png"]
        );
        (int code, string output, _) = await predict.End();
        Assert.Equal(0, code);
        Assert.StartsWith("@1.png\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_reason_of_a_failed_read_is_the_real_one()
    {
        UnauthorizedAccessException denied = new("Access to the path is denied.");
        Assert.Equal("it is a folder, expected a file", ReadFailure.Reason(_folder["model"], denied));
        Assert.Equal("its name is no UTF-8, rename it", ReadFailure.Reason("\uFFFD.png", new IOException("not found")));
        Assert.Equal("Access to the path is denied", ReadFailure.Reason(_folder["none"], denied));
    }
}
