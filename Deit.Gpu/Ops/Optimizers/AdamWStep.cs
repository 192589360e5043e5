namespace Deit.Gpu;

/// <summary>The numbers of a step of AdamW.</summary>
public static class AdamWStep
{
    extension(StepState)
    {
        /// <summary>
        /// The state of a step of AdamW: see
        /// <see cref="StepState.At(long, double, double, double, ulong, double, double, long?)"/>.
        /// </summary>
        /// <param name="step">The number of the step from 0.</param>
        /// <param name="learningRate">The learning rate of the step.</param>
        /// <param name="optimizer">The decays of the moments.</param>
        /// <param name="seed">The seed of all random numbers.</param>
        /// <param name="emaDecay">The decay of the moving average.</param>
        /// <param name="lossScale">The factor of the loss.</param>
        /// <param name="update">The number of the update from 0; null where every step is one.</param>
        public static StepState At(
            long step,
            double learningRate,
            AdamWOptions optimizer,
            ulong seed = 0,
            double emaDecay = 0,
            double lossScale = 1,
            long? update = null
        ) => StepState.At(step, learningRate, optimizer.Beta1, optimizer.Beta2, seed, emaDecay, lossScale, update);
    }
}
