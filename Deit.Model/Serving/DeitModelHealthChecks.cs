using Deit.Model;
using Deit.Model.Serving;
using Microsoft.Extensions.Diagnostics.HealthChecks;

// This is the namespace where programs look for such methods: no using directive is needed to find them.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds checks of models to the health checks of a program.</summary>
public static class DeitModelHealthChecks
{
    /// <summary>
    /// Adds a check whether a model of the container answers: unhealthy while it is loaded, when loading failed, when it was
    /// disposed, and when the device was lost and cannot be opened anew; else healthy. After a loss the check itself asks for an answer,
    /// so that a program to which nothing is sent recovers too.
    /// </summary>
    /// <param name="builder">The health checks.</param>
    /// <param name="name">The name of the check.</param>
    /// <param name="serviceKey">The key of the model; null for the one without a key.</param>
    /// <param name="failureStatus">What stands for unhealthy; null for <see cref="HealthStatus.Unhealthy"/>.</param>
    /// <param name="tags">Tags by which checks are chosen.</param>
    /// <param name="timeout">How long opening a lost device anew may take; null for without a limit.</param>
    /// <returns>The health checks.</returns>
    public static IHealthChecksBuilder AddDeitModel(
        this IHealthChecksBuilder builder,
        string name = "deit",
        object? serviceKey = null,
        HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null,
        TimeSpan? timeout = null
    )
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Add(
            new HealthCheckRegistration(
                name,
                provider => new ModelHealthCheck(
                    serviceKey is null
                        ? provider.GetRequiredService<IDeitModel>()
                        : provider.GetRequiredKeyedService<IDeitModel>(serviceKey)
                ),
                failureStatus,
                tags,
                timeout
            )
        );
    }
}
