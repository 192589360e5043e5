using Deit.Model;
using Deit.Model.Images;
using Deit.Tests.Train.Data.Formats;
using Deit.Tests.Train.Training;
using Deit.Train.Analysis;
using Deit.Train.Distillation;

namespace Deit.Tests.Train.Analysis;

/// <summary>Which pictures are evaluated, and how models of other labels share classes.</summary>
public sealed class ModelOnSplitTests : IDisposable
{
    private static readonly string[] Names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    private readonly TemporaryFolder _folder = new();

    public ModelOnSplitTests()
    {
        foreach (string name in Names)
        {
            Directory.CreateDirectory(_folder[$"data/{name}"]);
            for (int i = 0; i < 10; i++)
                File.WriteAllBytes(_folder[$"data/{name}/{i}.png"], []);
        }
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_share_is_said_and_can_be_all()
    {
        using ModelOnSplit val = Open("named", Names),
            train = Open("named", Names, "Training"),
            all = Open("named", Names, "All"),
            whole = Open("named", Names, "val", share: 0);
        Assert.Equal("8 of 80 images, held out by --val-fraction 0.1; --split all takes every one", val.Which(8));
        Assert.EndsWith("; 3 could not be read", val.Which(5));
        Assert.Equal("72 of 80 images, without those held out by --val-fraction 0.1", train.Which(72));
        foreach (ModelOnSplit every in new[] { all, whole })
        {
            Assert.Equal("80 images of 'all'", every.Which(80));
            Assert.Equal("79 of 80 of 'all'; 1 could not be read", every.Which(79, noun: ""));
        }
        DatasetAssert.Sentence<DeitException>(
            "--split 'vall' is no split, expected",
            () => Open("named", Names, "vall")
        );
        DatasetAssert.Sentence<DeitException>("it has 'train'", () => Open("named", Names, "test"));
    }

    [Fact]
    public void Models_share_the_classes_of_pictures_by_whatever_names()
    {
        string[] numbers = [.. Enumerable.Range(0, 8).Select(i => $"LABEL_{i}")],
            backwards = [.. Names.Reverse()];
        Dictionary<string, int> shared = [];
        using ModelOnSplit first = Open("named", Names, "all"),
            second = Open("numbers", numbers, "all"),
            third = Open("backwards", backwards, "all");
        int[] order = first.SharedNumbers(shared);
        Assert.Equal(Enumerable.Range(0, 8), order);
        Assert.Equal(order, second.SharedNumbers(shared));
        Assert.Equal(order.Reverse(), third.SharedNumbers(shared));
        Assert.Contains("no names", Assert.Single(second.Notices));
    }

    [Fact]
    public void Two_classes_of_one_label_stay_apart()
    {
        Directory.Delete(_folder["data/a"], recursive: true);
        Directory.Delete(_folder["data/b"], recursive: true);
        using ModelOnSplit model = Open("twice", ["crane", "crane", .. Names[2..]], "all");
        Assert.Equal(8, model.SharedNumbers([]).Distinct().Count());
    }

    [Fact]
    public void A_teacher_without_names_is_taken_with_a_notice_and_names_compare_in_one_form()
    {
        string[] classes = ["caf\u00e9", .. Names[1..]];
        (string[] Labels, int Notices, string? Error)[] cases =
        [
            (["cafe\u0301", .. Names[1..]], 0, null),
            ([.. Enumerable.Range(0, 8).Select(i => $"{i}")], 1, null),
            (Names, 0, "does not know the class 'caf\u00e9'"),
            (["b", "caf\u00e9", .. Names[2..]], 0, "in another order"),
        ];
        foreach ((string[] labels, int notices, string? error) in cases)
        {
            string teacher = Model($"teacher-{labels[0]}", labels);
            if (error is not null)
            {
                DatasetAssert.Sentence<DeitException>(
                    error,
                    () => Teacher.Describe(teacher, null, Preprocess, classes)
                );
                continue;
            }
            (ModelSource source, _) = Teacher.Describe(teacher, null, Preprocess, classes);
            using (source)
                Assert.Equal(notices, Teacher.ClassNotices(source, classes).Count());
        }
    }

    private static Preprocess Preprocess => new() { InputSize = TinyRun.Config.InputSize };

    private string Model(string name, string[] labels)
    {
        if (!Directory.Exists(_folder[name]))
            TinyRun.WriteModel(_folder[name], TinyRun.Config, labels);
        return _folder[name];
    }

    private ModelOnSplit Open(string model, string[] labels, string split = "val", double share = 0.1) =>
        ModelOnSplit.Open(
            Model(model, labels),
            new SplitOptions
            {
                Data = _folder["data"],
                Split = split,
                ValFraction = share,
            }
        );
}
