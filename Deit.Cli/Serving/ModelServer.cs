using Deit.Cli.Terminal;
using Deit.Model;
using Deit.Model.AspNetCore;
using Deit.Model.Serving;
using Deit.Train.Training;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Deit.Cli.Serving;

/// <summary>A web server around a model, which nothing but its arguments configures: no file and no variable.</summary>
internal static class ModelServer
{
    // After their own time limit, requests have this for a picture that is being decoded.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    /// <summary>Serves until it is asked to stop, and then finishes the requests under way.</summary>
    /// <param name="address">Where it listens.</param>
    /// <param name="model">The model, and how it is loaded.</param>
    /// <param name="serving">What requests may be.</param>
    /// <param name="stop">Asks to stop.</param>
    /// <exception cref="DeitException">The model cannot be loaded, or the port cannot be had.</exception>
    public static async Task RunAsync(
        ServingAddress address,
        DeitModelOptions model,
        DeitServingOptions serving,
        StopSignal stop
    )
    {
        WebApplication app = Build(address, model, serving);
        await using (app)
        {
            await Start(app, address);
            string url = app
                .Services.GetRequiredService<IServer>()
                .Features.Get<IServerAddressesFeature>()!
                .Addresses.First();
            Output.Line($"Serving {model.Path} on {address.Url(new Uri(url).Port)} until Ctrl-C");
            Task<IDeitModel> loading = app.Services.GetRequiredService<HostedModel>().Loading;
            Task stopped = Task.Delay(Timeout.Infinite, stop.Token);
            if (await Task.WhenAny(loading, stopped) == loading)
            {
                // The exception of a load that failed ends the command.
                ModelBackend backend = (await loading).Backend;
                Output.Aside($"Running on {backend.Device}, {backend.Precision}");
                await Task.WhenAny(stopped);
            }
            Output.Aside(
                "Stopping when the requests under way are answered; a second Ctrl-C or SIGTERM ends the process at once."
            );
            await app.StopAsync();
        }
    }

    private static WebApplication Build(ServingAddress address, DeitModelOptions model, DeitServingOptions serving)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.AddProvider(new TerminalLog());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = serving.MaxRequestBytes;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            kestrel.Listen(address.Address, address.Port, listen => listen.Protocols = HttpProtocols.Http1);
        });
        IServiceCollection services = builder.Services;
        services.Configure<HostOptions>(host => host.ShutdownTimeout = serving.Timeout + Grace);
        services.AddHostFiltering(hosts => hosts.AllowedHosts = address.Hosts);
        services.AddDeitModel(
            model.Path!,
            options =>
            {
                (options.Device, options.CpuFallback, options.Precision) = (model.Device, true, model.Precision);
                (options.MaxBatchSize, options.KernelBudget) = (model.MaxBatchSize, model.KernelBudget);
            }
        );
        services.AddSingleton<IHostLifetime, NoLifetime>();
        services.AddSingleton(Microsoft.Extensions.Options.Options.Create(serving)).AddDeitServing();
        WebApplication app = builder.Build();
        app.UseHostFiltering();
        app.Use(RefuseOtherSites);
        app.MapDeit();
        return app;
    }

    // A page of another site cannot read answers, but could keep the device busy with the user's browser.
    private static Task RefuseOtherSites(HttpContext context, RequestDelegate next)
    {
        if (!HttpMethods.IsPost(context.Request.Method) || context.Request.Headers["Sec-Fetch-Site"] != "cross-site")
            return next(context);
        context.Response.StatusCode = StatusCodes.Status403Forbidden;
        return Task.CompletedTask;
    }

    private static async Task Start(WebApplication app, ServingAddress address)
    {
        try
        {
            await app.StartAsync();
        }
        catch (Exception error) when (error is IOException or System.Net.Sockets.SocketException)
        {
            throw new DeitException(
                DeitErrorKind.Usage,
                $"Serving on {address.Url(address.Port)} failed: {error.Message.TrimEnd('.')}; choose another --port or --host.",
                error
            );
        }
    }

    // StopSignal hears signals for all commands; the host must not take them.
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
