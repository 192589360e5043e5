using Deit.Model;
using Deit.Model.AspNetCore;
using Deit.Model.Serving;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

// This is the namespace where programs look for such methods: no using directive is needed to find them.
namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps a model to addresses.</summary>
public static class DeitEndpoints
{
    /// <summary>
    /// Maps <c>POST /v1/classify</c>, <c>/v1/embed</c> and <c>/v1/attention</c>, <c>GET /v1/model</c>, <c>/metrics</c>,
    /// <c>/health</c>, <c>/openapi.json</c>, and the page <c>/</c>. <see cref="DeitServingOptions"/> leaves out what the program has
    /// itself.
    /// </summary>
    /// <param name="endpoints">The program, or a group of addresses such as <c>app.MapGroup("/shoes/")</c>.</param>
    /// <param name="serviceKey">The key of the model in the container; null for the one without.</param>
    /// <returns>All of these endpoints, for further conventions.</returns>
    /// <exception cref="InvalidOperationException">
    /// <see cref="DeitServingServices.AddDeitServing"/> was not called.
    /// </exception>
    /// <exception cref="ArgumentException">An option of serving is out of its range.</exception>
    public static IEndpointConventionBuilder MapDeit(this IEndpointRouteBuilder endpoints, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ServingState state =
            endpoints.ServiceProvider.GetService<ServingState>()
            ?? throw new InvalidOperationException(
                "MapDeit found no options of serving; call builder.Services.AddDeitServing() before the program is built."
            );
        ILogger logger = endpoints
            .ServiceProvider.GetRequiredService<ILoggerFactory>()
            .CreateLogger("Deit.Model.AspNetCore");
        PictureEndpoint pictures = new(state, serviceKey, logger);
        RouteGroupBuilder group = endpoints.MapGroup("");
        Post("/v1/classify", Operations.Classify);
        Post("/v1/embed", Operations.Embed);
        Post("/v1/attention", Operations.Attention);
        group.MapGet(
            "/v1/model",
            context => pictures.GuardAsync(context, () => Describe(context, pictures.Ready(context.RequestServices)))
        );
        if (state.Options.Metrics)
            group.MapGet("/metrics", context => pictures.GuardAsync(context, () => Measure(context, state.Metrics)));
        group.MapGet("/openapi.json", EmbeddedAnswers.OpenApi());
        if (state.Options.Page)
            group.MapGet("/", EmbeddedAnswers.Page());
        if (state.Options.Health)
            group.MapGet("/health", context => CheckHealth(context, pictures.Model(context.RequestServices), state));
        return group;

        void Post(string path, Operation operation) =>
            group.MapPost(path, context => pictures.AnswerAsync(context, operation));
    }

    // Of this model alone, and not of whatever else the program has checks for.
    private static async Task CheckHealth(HttpContext context, IDeitModel model, ServingState state)
    {
        using CancellationTokenSource time = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        time.CancelAfter(state.Options.Timeout);
        bool isHealthy;
        try
        {
            HealthCheckResult result = await ModelHealthCheck
                .CheckAsync(model, HealthStatus.Unhealthy, time.Token)
                .ConfigureAwait(false);
            isHealthy = result.Status == HealthStatus.Healthy;
        }
        catch (OperationCanceledException)
        {
            isHealthy = false;
        }
        context.Response.StatusCode = isHealthy ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        context.Response.Headers.CacheControl = "no-store";
        await context
            .Response.WriteAsync(isHealthy ? "Healthy" : "Unhealthy", context.RequestAborted)
            .ConfigureAwait(false);
    }

    private static Task Measure(HttpContext context, MetricsText metrics)
    {
        context.Response.ContentType = MetricsText.ContentType;
        return context.Response.WriteAsync(metrics.Write(), context.RequestAborted);
    }

    private static Task Describe(HttpContext context, IDeitModel model)
    {
        TransformerConfig? transformer = model.Config as TransformerConfig;
        ModelAnswer answer = new(
            model.Config.Family,
            model.Labels,
            model.InputSize.Width,
            model.InputSize.Height,
            transformer?.EmbedDim,
            transformer?.Depth,
            transformer?.NumHeads,
            transformer?.PrefixTokens == 2,
            model.Backend.Runtime,
            model.Backend.Device,
            model.Backend.Precision
        );
        context.Response.Headers.XContentTypeOptions = "nosniff";
        return context.Response.WriteAsJsonAsync(
            answer,
            AnswerJson.Readable.ModelAnswer,
            contentType: null,
            context.RequestAborted
        );
    }
}
