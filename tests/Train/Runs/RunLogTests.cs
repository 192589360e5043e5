using System.Collections.Immutable;
using System.Text.Json;
using Deit.Train.Runs;

namespace Deit.Tests.Train.Runs;

public sealed class RunLogTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_row_has_the_columns_in_order_in_both_files()
    {
        RunLog log = RunLog.Create(_folder.Path);
        log.Append(Row(0) with { ValLoss = null, ValTop1 = null, ValTop5 = null });
        log.Append(Row(1));

        Assert.Equal(
            [
                "epoch,step,train_loss,val_loss,val_top1,val_top5,lr,images_per_second,data_wait,seconds",
                "0,100,6.5,,,,1E-06,123.25,0.0625,17.5",
                "1,200,5.5,4.25,31.5,62.75,2E-06,123.25,0.0625,17.5",
            ],
            File.ReadAllLines(_folder["log.csv"])
        );
        using JsonDocument json = JsonDocument.Parse(File.ReadAllLines(_folder["log.jsonl"])[1]);
        Assert.Equal(
            [
                "epoch",
                "step",
                "train_loss",
                "val_loss",
                "val_top1",
                "val_top5",
                "lr",
                "images_per_second",
                "data_wait",
                "seconds",
            ],
            json.RootElement.EnumerateObject().Select(cell => cell.Name)
        );
        Assert.Equal(62.75, json.RootElement.GetProperty("val_top5").GetDouble());
    }

    [Fact]
    public void Resume_drops_the_resumed_epoch_and_later_ones_from_both_files()
    {
        Fill(5);
        RunLog log = RunLog.Resume(_folder.Path, 3);
        AssertRows([Row(0), Row(1), Row(2)], log.Rows);
        Assert.Equal(["epoch", "0", "1", "2"], CsvEpochs());
        Assert.Equal(3, File.ReadAllLines(_folder["log.jsonl"]).Length);

        log.Append(Row(3) with { TrainLoss = 0.5 });
        Assert.Equal(["epoch", "0", "1", "2", "3"], CsvEpochs());
        Assert.Equal(0.5, RunLog.Resume(_folder.Path, 4).Rows[^1].TrainLoss);
    }

    [Fact]
    public void A_torn_last_line_counts_as_not_logged_wherever_it_is_torn()
    {
        Fill(3);
        string path = _folder["log.jsonl"];
        byte[] whole = File.ReadAllBytes(path);
        int lastLine = Array.LastIndexOf(whole, (byte)'\n', whole.Length - 2) + 1;
        for (int length = lastLine + 1; length < whole.Length - 1; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            RunLog log = RunLog.Resume(_folder.Path, 3);
            AssertRows([Row(0), Row(1)], log.Rows);
            Assert.Equal(["epoch", "0", "1"], CsvEpochs());
            Assert.Equal(whole[..lastLine], File.ReadAllBytes(path));
        }
    }

    [Fact]
    public void A_kill_between_the_two_files_is_mended_on_resume()
    {
        Fill(2);
        byte[] csv = File.ReadAllBytes(_folder["log.csv"]);
        RunLog.Resume(_folder.Path, 2).Append(Row(2));
        File.WriteAllBytes(_folder["log.csv"], csv);

        Assert.Equal(3, RunLog.Resume(_folder.Path, 3).Rows.Count);
        Assert.Equal(["epoch", "0", "1", "2"], CsvEpochs());
    }

    [Fact]
    public void A_damaged_line_in_the_middle_is_an_error_and_loses_nothing()
    {
        Fill(3);
        string path = _folder["log.jsonl"];
        string[] lines = File.ReadAllLines(path);
        lines[1] = lines[1][..20];
        File.WriteAllLines(path, lines);
        byte[] before = File.ReadAllBytes(path);

        DeitException error = Assert.Throws<DeitException>(() => RunLog.Resume(_folder.Path, 3));
        Assert.Contains("line 2", error.Message);
        Assert.Equal(before, File.ReadAllBytes(path));
    }

    [Fact]
    public void A_table_without_its_source_is_not_overwritten()
    {
        Fill(2);
        File.Delete(_folder["log.jsonl"]);
        Assert.Throws<DeitException>(() => RunLog.Resume(_folder.Path, 2));
        Assert.Equal(["epoch", "0", "1"], CsvEpochs());
    }

    [Fact]
    public void A_run_without_any_log_resumes_with_an_empty_one() => Assert.Empty(RunLog.Resume(_folder.Path, 2).Rows);

    [Fact]
    public void A_new_run_does_not_overwrite_a_log()
    {
        Fill(2);
        Assert.Throws<DeitException>(() => RunLog.Create(_folder.Path));
        Assert.Equal(["epoch", "0", "1"], CsvEpochs());
    }

    [Fact]
    public void A_column_that_appears_late_is_empty_in_earlier_rows_and_survives_a_resume()
    {
        Fill(2);
        RunLog.Resume(_folder.Path, 2).Append(Row(2) with { Further = Further("teacher_top1", 79.5) });
        RunLog.Resume(_folder.Path, 3).Append(Row(3) with { Further = Further("ema_top1", 12.5) });

        string[] lines = File.ReadAllLines(_folder["log.csv"]);
        Assert.EndsWith(",seconds,teacher_top1,ema_top1", lines[0]);
        Assert.EndsWith(",17.5,,", lines[1]);
        Assert.EndsWith(",17.5,79.5,", lines[3]);
        Assert.EndsWith(",17.5,,12.5", lines[4]);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    [InlineData(0.1)]
    [InlineData(double.Epsilon)]
    public void Every_number_survives_a_resume_bit_for_bit(double loss)
    {
        RunLog.Create(_folder.Path).Append(Row(0) with { TrainLoss = loss, ValLoss = loss });
        LogRow read = RunLog.Resume(_folder.Path, 1).Rows[0];
        Assert.Equal(loss, read.TrainLoss);
        Assert.Equal(loss, read.ValLoss);
    }

    [Fact]
    public void Epochs_only_grow()
    {
        RunLog log = RunLog.Create(_folder.Path);
        log.Append(Row(4));
        Assert.Throws<ArgumentException>(() => log.Append(Row(4)));
    }

    [Theory]
    [InlineData("lr")]
    [InlineData("a,b")]
    [InlineData("Top")]
    public void A_further_column_needs_a_plain_name_of_its_own(string name)
    {
        RunLog log = RunLog.Create(_folder.Path);
        Assert.Throws<ArgumentException>(() => log.Append(Row(0) with { Further = Further(name, 1) }));
        Assert.Empty(log.Rows);
    }

    [Fact]
    public void A_folder_that_is_not_there_is_an_error_in_one_sentence() =>
        Assert.Contains("log.jsonl", Assert.Throws<DeitException>(() => RunLog.Create(_folder["missing"])).Message);

    private static LogRow Row(int epoch) =>
        new()
        {
            Epoch = epoch,
            Step = 100 * (epoch + 1),
            TrainLoss = 6.5 - epoch,
            ValLoss = 4.25,
            ValTop1 = 31.5,
            ValTop5 = 62.75,
            Lr = 1e-6 * (epoch + 1),
            ImagesPerSecond = 123.25,
            DataWait = 0.0625,
            Seconds = 17.5,
        };

    private static ImmutableSortedDictionary<string, double> Further(string name, double value) =>
        ImmutableSortedDictionary.CreateRange(StringComparer.Ordinal, [KeyValuePair.Create(name, value)]);

    private void Fill(int epochs)
    {
        RunLog log = RunLog.Create(_folder.Path);
        for (int epoch = 0; epoch < epochs; epoch++)
            log.Append(Row(epoch));
    }

    // Records compare their dictionaries by reference, so cells are compared.
    private static void AssertRows(LogRow[] expected, IReadOnlyList<LogRow> actual) =>
        Assert.Equal(
            expected.Select(row => LogRow.Columns.Select(column => row[column])),
            actual.Select(row => LogRow.Columns.Select(column => row[column]))
        );

    private string[] CsvEpochs() => [.. File.ReadAllLines(_folder["log.csv"]).Select(line => line.Split(',')[0])];
}
