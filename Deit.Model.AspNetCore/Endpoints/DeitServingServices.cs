using Deit.Model.AspNetCore;
using Microsoft.Extensions.DependencyInjection.Extensions;

// This is the namespace where programs look for such methods: no using directive is needed to find them.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds what <c>MapDeit</c> needs to a container.</summary>
public static class DeitServingServices
{
    /// <summary>Adds the options, limits and figures of serving models, which <c>AddDeitModel</c> adds.</summary>
    /// <param name="services">The container.</param>
    /// <param name="configure">Sets options; <c>services.Configure&lt;DeitServingOptions&gt;</c> does so too.</param>
    /// <returns>The container.</returns>
    public static IServiceCollection AddDeitServing(
        this IServiceCollection services,
        Action<DeitServingOptions>? configure = null
    )
    {
        ArgumentNullException.ThrowIfNull(services);
        if (configure is not null)
            services.Configure(configure);
        services.AddRouting().AddMetrics();
        services.TryAddSingleton<ServingState>();
        return services;
    }
}
