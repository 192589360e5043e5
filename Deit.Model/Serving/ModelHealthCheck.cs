using Deit.Model.Images;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Deit.Model.Serving;

/// <summary>
/// Says whether a model of a container answers. A device that was lost is opened anew by the next call; where a balancer
/// sends none to a program that is unhealthy, this check makes that call.
/// </summary>
internal sealed class ModelHealthCheck(HostedModel hosted) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    )
    {
        if (!hosted.Loading.IsCompleted)
            return HealthCheckResult.Degraded(
                string.Create(
                    System.Globalization.CultureInfo.InvariantCulture,
                    $"The model is being loaded, {100 * hosted.Progress.Fraction:0} % done."
                )
            );
        try
        {
            DeitModel model = await hosted.Loading.ConfigureAwait(false);
            if (model.IsLost)
                await model.ClassifyAsync(new RgbImage(1, 1, [0, 0, 0]), cancellationToken).ConfigureAwait(false);
            return HealthCheckResult.Healthy($"The model answers: {model.Backend}.");
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, error.Message, error);
        }
    }
}
