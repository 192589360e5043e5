using Deit.Model.Images;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Deit.Model.Serving;

/// <summary>
/// Says whether a model of a container answers. A device that was lost is opened anew by the next call; where a balancer
/// sends none to a program that is unhealthy, this check makes that call.
/// </summary>
/// <param name="model">The model of the container. One that the program has put in its place is not looked at.</param>
internal sealed class ModelHealthCheck(IDeitModel model) : IHealthCheck
{
    /// <summary>Whether a model answers.</summary>
    /// <param name="model">The model.</param>
    /// <param name="failure">What stands for no. Not degraded, which web servers answer as if all were well.</param>
    /// <param name="cancellation">Ends the waiting for a lost device.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static async Task<HealthCheckResult> CheckAsync(
        IDeitModel model,
        HealthStatus failure,
        CancellationToken cancellation
    )
    {
        if (model is not HostedModel hosted)
            return HealthCheckResult.Healthy("The program has a model of its own.");
        if (!hosted.Loading.IsCompleted)
            return new HealthCheckResult(
                failure,
                string.Create(
                    System.Globalization.CultureInfo.InvariantCulture,
                    $"The model is being loaded, {100 * hosted.Progress.Fraction:0} % done."
                )
            );
        try
        {
            IDeitModel loaded = await hosted.Loading.ConfigureAwait(false);
            if (loaded is DeitModel { IsDisposed: true })
                return new HealthCheckResult(failure, "The model was disposed; the container disposes it at the end.");
            if (loaded is DeitModel { IsLost: true })
                await loaded.ClassifyAsync(new RgbImage(1, 1, [0, 0, 0]), cancellation).ConfigureAwait(false);
            return HealthCheckResult.Healthy($"The model answers: {loaded.Backend}.");
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            return new HealthCheckResult(failure, error.Message, error);
        }
    }

    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    ) => CheckAsync(model, context.Registration.FailureStatus, cancellationToken);
}
