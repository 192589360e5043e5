using Deit.Model;
using Microsoft.Extensions.Logging;

// This is the namespace where programs look for such methods: no using directive is needed to find them.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>
/// Adds models to a container, which loads each when it is first asked for, logs to the container's loggers, and
/// disposes it.
/// </summary>
public static class DeitModelServices
{
    /// <summary>Adds a model as the <see cref="DeitModel"/> of the container.</summary>
    /// <param name="services">The container.</param>
    /// <param name="path">As of <see cref="DeitModel.Load(string, DeitModelOptions)"/>.</param>
    /// <param name="configure">Sets options.</param>
    /// <returns>The container.</returns>
    public static IServiceCollection AddDeitModel(
        this IServiceCollection services,
        string path,
        Action<DeitModelOptions>? configure = null
    )
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        return services.AddSingleton(provider => Load(provider, path, configure));
    }

    /// <summary>Adds one of several models, by a key: asked for with <c>[FromKeyedServices(key)] DeitModel</c>.</summary>
    /// <param name="services">The container.</param>
    /// <param name="serviceKey">The key.</param>
    /// <param name="path">As of <see cref="DeitModel.Load(string, DeitModelOptions)"/>.</param>
    /// <param name="configure">Sets options.</param>
    /// <returns>The container.</returns>
    public static IServiceCollection AddKeyedDeitModel(
        this IServiceCollection services,
        object serviceKey,
        string path,
        Action<DeitModelOptions>? configure = null
    )
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(serviceKey);
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        return services.AddKeyedSingleton(serviceKey, (provider, _) => Load(provider, path, configure));
    }

    private static DeitModel Load(IServiceProvider provider, string path, Action<DeitModelOptions>? configure)
    {
        DeitModelOptions options = new() { LoggerFactory = provider.GetService<ILoggerFactory>() };
        configure?.Invoke(options);
        return DeitModel.Load(path, options);
    }
}
