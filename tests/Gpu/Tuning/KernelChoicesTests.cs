using Deit.Gpu;

namespace Deit.Tests.Gpu.Tuning;

public sealed class KernelChoicesTests : IDisposable
{
    private const string Key = "twice";
    private readonly string _folder = Directory.CreateTempSubdirectory("deit-choices-").FullName;

    // The computation of all candidates: 2 x of 16,000 numbers. The yardstick takes the long way, so that every
    // candidate with the right result is faster.
    private static readonly KernelTrial Trial = new(
        [
            [125, 128],
        ],
        DType.F32,
        "plain",
        Absolute: 1e-6,
        Relative: 1e-6
    );
    private static readonly KernelCandidate Plain = new(
        "plain",
        (r, x) =>
        {
            Tensor y = x[0];
            for (int i = 0; i < 40; i++)
                y = r.Scale(y, i % 2 == 0 ? 2 : 0.5f);
            return r.Scale(y, 2);
        }
    );

    private static readonly KernelCandidate Fast = new("fast", (r, x) => r.Scale(x[0], 2));

    public static TheoryData<string, string> Wrong =>
        new()
        {
            { "off by a thousandth", "plain" },
            { "not a number", "NaN" },
            { "leaves elements out", "NaN" },
            { "of another size", "elements" },
            { "fails", "no such kernel" },
        };

    [Fact]
    public void Takes_the_fastest_of_those_that_are_right()
    {
        KernelChoices choices = Choices();
        Assert.Equal("fast", choices.Choose(Key, [Plain, Fast], Trial));
        Assert.Empty(choices.Rejected);
        Assert.Equal("fast", Choices().All[Key]);
    }

    // A kernel that a driver runs at a twentieth of the speed costs three runs, once for all sizes.
    [Fact]
    public void A_candidate_that_is_far_slower_is_tried_for_one_size_alone()
    {
        int tries = 0;
        KernelCandidate slow = new(
            "slow",
            (r, x) =>
            {
                tries++;
                Tensor y = x[0];
                for (int i = 0; i < 1000; i++)
                    y = r.Scale(y, i % 2 == 0 ? 2 : 0.5f);
                return r.Scale(y, 2);
            }
        );
        KernelTrial trial = Trial with { Reference = "fast", Family = "twice f32" };
        KernelChoices choices = Choices();
        Assert.Equal("fast", choices.Choose("twice f32 nt 16", [Fast, slow], trial));
        int first = tries;
        Assert.True(first > 0);
        Assert.Equal("fast", choices.Choose("twice f32 nn 32", [Fast, slow], trial));
        Assert.Equal("fast", Choices().Choose("twice f32 nn 64", [Fast, slow], trial)); // another process
        Assert.Equal(first, tries);
        Assert.Empty(choices.Rejected);
        // A choice that was restored stays, however slow.
        KernelChoices resumed = Choices();
        resumed.Restore(new Dictionary<string, string> { ["twice f32 nt 512"] = "slow" });
        Assert.Equal("slow", resumed.Choose("twice f32 nt 512", [Fast, slow], trial));
        Assert.Equal("slow", resumed.Choose("twice f32 nt 512", [Fast, slow], trial));
        // It may be right for something else, and is always at hand as the yardstick.
        int second = tries;
        choices.Choose("twice f16 nt 16", [Fast, slow], trial with { Family = "twice f16" });
        Assert.True(tries > second);
        Assert.Equal("slow", choices.Choose("twice f32 nt 128", [slow], trial with { Reference = "slow" }));
    }

    [Theory]
    [MemberData(nameof(Wrong))]
    public void A_wrong_candidate_is_never_taken_and_the_fact_is_kept(string fault, string why)
    {
        KernelChoices choices = Choices();
        KernelCandidate wrong = new(
            fault,
            (r, x) =>
                fault switch
                {
                    "off by a thousandth" => r.Scale(x[0], 2.002f),
                    "not a number" => r.Full(x[0].Shape, float.NaN),
                    "leaves elements out" => Half(r, x[0]),
                    "of another size" => r.Full([1], 2),
                    _ => throw new GpuException(GpuErrorKind.Vulkan, "There is no such kernel; this is a test."),
                }
        );
        // Listed first, and the fastest: with nothing rejected yet it would be taken.
        Assert.Equal("plain", choices.Choose(Key, [wrong, Plain], Trial));
        Assert.Contains(why, choices.Rejected[$"{Key}: {fault}"]);
        // Nor is it taken by a process that reads the file, by a resumed run, or unmeasured for want of another key's
        // choice.
        KernelChoices later = Choices();
        Assert.Equal(choices.Rejected, later.Rejected);
        later.Restore(new Dictionary<string, string> { [Key] = fault });
        Assert.Equal("plain", later.Choose(Key, [wrong, Plain], Trial));
        Assert.Equal("fast", later.Choose(Key, [wrong, Plain, Fast], Trial));
    }

    [Fact]
    public void A_choice_of_another_device_stays_if_it_is_right_and_is_rejected_if_not()
    {
        KernelCandidate slow = new("slow", (r, x) => r.Scale(Plain.Record(r, x), 1)),
            wrong = new("wrong", (r, x) => r.Scale(x[0], 3));
        KernelChoices right = Choices();
        right.Restore(new Dictionary<string, string> { [Key] = "slow" });
        Assert.Equal("slow", right.Choose(Key, [Fast, Plain, slow], Trial));
        Assert.Empty(right.Rejected);

        const string Other = "twice elsewhere";
        right.Restore(new Dictionary<string, string> { [Other] = "wrong" });
        Assert.Equal("fast", right.Choose(Other, [wrong, Fast, Plain], Trial));
        Assert.Contains("plain", right.Rejected[$"{Other}: wrong"]);
    }

    [Fact]
    public void Misuse_that_validation_finds_is_no_reason_to_go_on()
    {
        KernelCandidate misuse = new(
            "misuse",
            (_, _) =>
                throw new GpuException(GpuErrorKind.Validation, "Vulkan validation reported a message; this is a test.")
        );
        Assert.Equal(
            GpuErrorKind.Validation,
            Assert.Throws<GpuException>(() => Choices().Choose(Key, [misuse, Plain], Trial)).Reason
        );
    }

    [Fact]
    public void A_file_of_another_form_is_measured_anew()
    {
        File.WriteAllText(Path.Combine(_folder, "kernels-4.json"), """{ "twice": "plain" }""");
        KernelChoices choices = Choices();
        Assert.Empty(choices.All);
        Assert.Equal("fast", choices.Choose(Key, [Plain, Fast], Trial));
    }

    // The tolerances of products let roundings pass and no more: bfloat16 factors do not pass for F32, nor one product for three.
    [Theory]
    [InlineData(ProductArithmetic.F32, DType.BF16, false)]
    [InlineData(ProductArithmetic.F32, DType.F16, false)]
    [InlineData(ProductArithmetic.F16x3, DType.F16, false)]
    [InlineData(ProductArithmetic.BF16x3, DType.BF16, false)]
    [InlineData(ProductArithmetic.F32, DType.F32, true)]
    public void Products_of_rounded_factors_do_not_pass_for_others(
        ProductArithmetic products,
        DType rounded,
        bool passes
    )
    {
        const int M = 64,
            N = 32,
            K = 512;
        KernelTrial trial = MatMulOp.Trial(
            [
                [M, K],
                [K, N],
            ],
            DType.F32,
            DType.F32,
            products,
            K,
            "plain"
        );
        KernelChoices choices = Choices();
        choices.Choose(
            Key,
            [new(trial.Reference, (r, x) => r.MatMul(x[0], x[1])), new("rounded", (r, x) => Product(r, x, rounded))],
            trial
        );
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join("; ", choices.Rejected.Values));
        Assert.Equal(passes, choices.Rejected.Count == 0);
    }

    private static Tensor Product(Recorder r, IReadOnlyList<Tensor> x, DType type)
    {
        Tensor c = r.Empty([x[0].Shape[0], x[1].Shape[1]]);
        r.MatMulInto(c, r.Cast(x[0], type), r.Cast(x[1], type), false, false);
        return c;
    }

    // The first half written, the second as memory was.
    private static Tensor Half(Recorder r, Tensor x)
    {
        Tensor y = r.Empty(x.Shape),
            half = r.Scale(x, 2);
        Shape part = [x.Shape[0] / 2, x.Shape[1]];
        r.Copy(half.Slice(0, part), y.Slice(0, part));
        return y;
    }

    private KernelChoices Choices() => new(TestDevice.Current.Vulkan, _folder);

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
