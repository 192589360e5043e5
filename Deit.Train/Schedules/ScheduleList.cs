using Deit.Train.Options;

namespace Deit.Train.Schedules;

/// <summary>The schedules there are. A new one is a file beside this one, a name in <see cref="ScheduleKind"/> and a line here.</summary>
internal static class ScheduleList
{
    private static readonly Dictionary<ScheduleKind, Func<ScheduleOptions, double, ISchedule>> All = new()
    {
        [ScheduleKind.Cosine] = (options, peak) => new CosineSchedule(options, peak),
        [ScheduleKind.Step] = (options, peak) => new StepSchedule(options, peak),
        [ScheduleKind.MultiStep] = (options, peak) => new MultiStepSchedule(options, peak),
        [ScheduleKind.Plateau] = (options, peak) => new PlateauSchedule(options, peak),
        [ScheduleKind.Polynomial] = (options, peak) => new PolynomialSchedule(options, peak),
        [ScheduleKind.Constant] = (options, peak) => new ConstantSchedule(options, peak),
    };

    /// <summary>The schedule that options describe.</summary>
    /// <param name="options">The flags of schedules.</param>
    /// <param name="updateImages">Images whose gradients make one update.</param>
    public static ISchedule Create(ScheduleOptions options, int updateImages) =>
        All[options.Kind](options, Peak(options, updateImages));

    /// <summary>
    /// The learning rate at the end of the warm-up: <c>--lr</c> times images an update / 512, the reference's linear scaling, or
    /// <c>--lr</c> itself with <c>--unscale-lr</c>.
    /// </summary>
    /// <param name="options">The flags of schedules.</param>
    /// <param name="updateImages">Images whose gradients make one update.</param>
    public static double Peak(ScheduleOptions options, int updateImages) =>
        options.UnscaleLr ? options.Lr : options.Lr * updateImages / 512.0;
}
