using Deit;
using Deit.Model;
using Deit.Model.Serving;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

// This is the namespace where programs look for such methods: no using directive is needed to find them.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>
/// Adds models to a container, which loads them in the background when the program starts, logs to the container's
/// loggers, and disposes them.
/// </summary>
/// <remarks>
/// <see cref="IDeitModel"/> is there at once. Its asynchronous calls wait for the model without blocking a thread; its
/// other calls and its properties block until it is loaded. Asking for <see cref="DeitModel"/> itself blocks too. All of
/// them throw what loading threw. A load that failed is not tried again. Without a host that starts services, loading
/// begins when the model is first asked for something.
/// </remarks>
public static class DeitModelServices
{
    /// <summary>Adds a model as the <see cref="IDeitModel"/> and <see cref="DeitModel"/> of the container.</summary>
    /// <param name="services">The container.</param>
    /// <param name="path">As of <see cref="DeitModel.Load(string, DeitModelOptions)"/>.</param>
    /// <param name="configure">Sets options; <c>services.Configure&lt;DeitModelOptions&gt;</c> does so too.</param>
    /// <returns>The container.</returns>
    public static IServiceCollection AddDeitModel(
        this IServiceCollection services,
        string path,
        Action<DeitModelOptions>? configure = null
    )
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        Configure(services, Options.Options.DefaultName, options => options.Path = path, configure);
        return Add(services);
    }

    /// <summary>
    /// Adds a model that a configuration describes, as the <see cref="IDeitModel"/> and <see cref="DeitModel"/> of the
    /// container. Keys are the names of <see cref="DeitModelOptions"/>, of which <c>Path</c> is needed; times are written
    /// as <c>00:00:00.050</c>. The configuration is read when loading begins, and not again.
    /// </summary>
    /// <param name="services">The container.</param>
    /// <param name="configuration">A section, such as <c>builder.Configuration.GetSection("Deit")</c>.</param>
    /// <param name="configure">Sets options after those of the section.</param>
    /// <returns>The container.</returns>
    /// <exception cref="DeitException">When loading: a value is not of its form, or there is no path.</exception>
    public static IServiceCollection AddDeitModel(
        this IServiceCollection services,
        IConfiguration configuration,
        Action<DeitModelOptions>? configure = null
    )
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        Configure(
            services,
            Options.Options.DefaultName,
            options => ModelSettings.Read(options, configuration),
            configure
        );
        return Add(services);
    }

    /// <summary>Adds one of several models, by a key: asked for with <c>[FromKeyedServices(key)] IDeitModel</c>.</summary>
    /// <param name="services">The container.</param>
    /// <param name="serviceKey">The key. Its text is the name of the model's options.</param>
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
        Configure(services, NameOf(serviceKey), options => options.Path = path, configure);
        return AddKeyed(services, serviceKey);
    }

    /// <summary>Adds one of several models that a configuration describes, by a key.</summary>
    /// <param name="services">The container.</param>
    /// <param name="serviceKey">The key. Its text is the name of the model's options.</param>
    /// <param name="configuration">As of <see cref="AddDeitModel(IServiceCollection, IConfiguration, Action{DeitModelOptions})"/>.</param>
    /// <param name="configure">Sets options after those of the section.</param>
    /// <returns>The container.</returns>
    /// <exception cref="DeitException">When loading: a value is not of its form, or there is no path.</exception>
    public static IServiceCollection AddKeyedDeitModel(
        this IServiceCollection services,
        object serviceKey,
        IConfiguration configuration,
        Action<DeitModelOptions>? configure = null
    )
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(serviceKey);
        ArgumentNullException.ThrowIfNull(configuration);
        Configure(services, NameOf(serviceKey), options => ModelSettings.Read(options, configuration), configure);
        return AddKeyed(services, serviceKey);
    }

    private static string NameOf(object serviceKey) => serviceKey.ToString() ?? Options.Options.DefaultName;

    private static void Configure(
        IServiceCollection services,
        string name,
        Action<DeitModelOptions> describe,
        Action<DeitModelOptions>? configure
    )
    {
        OptionsBuilder<DeitModelOptions> options = services
            .AddOptions<DeitModelOptions>(name)
            .Configure<IServiceProvider>(
                (options, provider) => options.LoggerFactory ??= provider.GetService<ILoggerFactory>()
            )
            .Configure(describe);
        if (configure is not null)
            options.Configure(configure);
    }

    private static IServiceCollection Add(IServiceCollection services) =>
        services
            .AddSingleton(provider => Hosted(provider, Options.Options.DefaultName))
            .AddSingleton<IDeitModel>(provider => provider.GetRequiredService<HostedModel>())
            .AddSingleton(provider => provider.GetRequiredService<HostedModel>().LoadedOnVulkan())
            .AddSingleton<IHostedService>(provider => new ModelWarmUp(provider.GetRequiredService<IDeitModel>()));

    private static IServiceCollection AddKeyed(IServiceCollection services, object key) =>
        services
            .AddKeyedSingleton(key, (provider, _) => Hosted(provider, NameOf(key)))
            .AddKeyedSingleton<IDeitModel>(key, (provider, _) => provider.GetRequiredKeyedService<HostedModel>(key))
            .AddKeyedSingleton(
                key,
                (provider, _) => provider.GetRequiredKeyedService<HostedModel>(key).LoadedOnVulkan()
            )
            .AddSingleton<IHostedService>(provider => new ModelWarmUp(
                provider.GetRequiredKeyedService<IDeitModel>(key)
            ));

    private static HostedModel Hosted(IServiceProvider provider, string name) =>
        new(() => provider.GetRequiredService<IOptionsMonitor<DeitModelOptions>>().Get(name));
}
