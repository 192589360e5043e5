namespace Deit.Train.Optimizers;

/// <summary>The names under which checkpoints keep the tensors of optimisers.</summary>
internal static class OptimizerStates
{
    /// <summary>The moving average of the gradients, or the momentum.</summary>
    public const string FirstMoment = "first_moment";

    /// <summary>The moving average of the squared gradients.</summary>
    public const string SecondMoment = "second_moment";
}
