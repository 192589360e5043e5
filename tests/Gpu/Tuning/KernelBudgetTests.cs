using Deit.Gpu;

namespace Deit.Tests.Gpu.Tuning;

public sealed class KernelBudgetTests : IDisposable
{
    private const string Family = "twice f32";
    private static readonly KernelTrial Trial = new(
        [
            [125, 128],
        ],
        DType.F32,
        "plain",
        Absolute: 1e-6,
        Relative: 1e-6
    )
    {
        Family = Family,
    };

    // All compute 2 x: by so many steps there and back.
    private static readonly KernelCandidate Plain = Steps("plain", 40),
        Fast = Steps("fast", 0);
    private readonly string _folder = Directory.CreateTempSubdirectory("deit-budget-").FullName;

    [Fact]
    public void Without_time_the_first_candidate_runs_until_the_process_ends_and_the_next_one_measures()
    {
        KernelChoices choices = Choices();
        choices.Budget = TimeSpan.Zero;
        Assert.Equal("plain", choices.Choose("a", [Plain, Fast], Trial));
        Assert.Equal("plain", choices.All["a"]); // a checkpoint keeps it
        choices.Budget = TimeSpan.MaxValue;
        Assert.Equal("plain", choices.Choose("a", [Plain, Fast], Trial));
        Assert.Equal("fast", Choices().Choose("a", [Plain, Fast], Trial));
    }

    [Fact]
    public void Without_time_the_kernel_of_similar_sizes_runs()
    {
        KernelChoices choices = Choices();
        Assert.Equal("fast", choices.Choose("a", [Plain, Fast], Trial));
        choices.Budget = TimeSpan.Zero;
        Assert.Equal("fast", choices.Choose("b", [Plain, Fast], Trial));
        Assert.Equal("plain", choices.Choose("c", [Plain, Fast], Trial with { Family = "another" }));
        Assert.Equal("plain", choices.Choose("d", [Plain], Trial)); // it is no candidate there
    }

    [Fact]
    public void A_kernel_far_ahead_of_others_is_compared_with_the_reference_alone_at_other_sizes()
    {
        int tries = 0;
        KernelCandidate third = Counted(Steps("third", 40), () => tries++);
        KernelChoices choices = Choices();
        Assert.Equal("fast", choices.Choose("a", [Plain, third, Fast], Trial));
        int first = tries;
        Assert.True(first > 0);
        Assert.Equal("fast", choices.Choose("b", [Plain, third, Fast], Trial));
        Assert.Equal(first, tries);
        // Where it is not offered, all others are measured.
        choices.Choose("c", [Plain, third], Trial);
        Assert.True(tries > first);
        // Where it is wrong, it is not taken, and the others are measured.
        int second = tries;
        KernelCandidate wrong = new("fast", (r, x) => r.Scale(x[0], 3));
        Assert.NotEqual("fast", choices.Choose("d", [Plain, third, wrong], Trial));
        Assert.True(tries > second);
        // A candidate that it was never compared with is measured.
        int news = 0;
        KernelCandidate fourth = Counted(Steps("fourth", 40), () => news++);
        Assert.Equal("fast", choices.Choose("e", [Plain, fourth, Fast], Trial));
        Assert.True(news > 0);
    }

    // The budget ends while the first candidate after the reference is measured: what was measured so far decides, and only
    // for this process.
    [Fact]
    public void A_budget_that_ends_amid_a_measurement_keeps_no_choice()
    {
        KernelChoices choices = Choices();
        choices.Budget = TimeSpan.FromTicks(1);
        Assert.Equal("plain", choices.Choose("a", [Plain, Fast], Trial));
        Assert.Equal("fast", Choices().Choose("a", [Plain, Fast], Trial));
    }

    [Fact]
    public void Without_time_a_kernel_that_was_wrong_at_another_size_does_not_run()
    {
        KernelCandidate wrong = new("wrong", (r, x) => r.Scale(x[0], 3));
        KernelTrial alone = Trial with { Family = null }; // as on a card
        KernelChoices choices = Choices();
        Assert.Equal("fast", choices.Choose("a", [wrong, Fast, Plain], alone));
        choices.Budget = TimeSpan.Zero;
        Assert.Equal("fast", choices.Choose("b", [wrong, Fast, Plain], alone));
        Assert.Equal("plain", choices.Choose("c", [wrong, Plain], alone));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private KernelChoices Choices() => new(TestDevice.Current.Vulkan, _folder);

    private static KernelCandidate Steps(string name, int steps) =>
        new(
            name,
            (r, x) =>
            {
                Tensor y = x[0];
                for (int i = 0; i < steps; i++)
                    y = r.Scale(y, i % 2 == 0 ? 2 : 0.5f);
                return r.Scale(y, 2);
            }
        );

    private static KernelCandidate Counted(KernelCandidate candidate, Action count) =>
        new(
            candidate.Name,
            (r, x) =>
            {
                count();
                return candidate.Record(r, x);
            }
        );
}
