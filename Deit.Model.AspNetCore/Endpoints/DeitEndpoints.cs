using Deit.Model;
using Deit.Model.AspNetCore;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

// This is the namespace where programs look for such methods: no using directive is needed to find them.
namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps a model to addresses.</summary>
public static class DeitEndpoints
{
    /// <summary>
    /// Maps <c>POST /v1/classify</c>, <c>/v1/embed</c> and <c>/v1/attention</c>, <c>GET /v1/model</c>, <c>/metrics</c>,
    /// <c>/health</c>, <c>/openapi.json</c>, and the page <c>/</c> unless <see cref="DeitServingOptions.Page"/> is false.
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
        group.MapGet(
            "/metrics",
            context =>
                pictures.GuardAsync(
                    context,
                    () =>
                    {
                        context.Response.ContentType = MetricsText.ContentType;
                        return context.Response.WriteAsync(state.Metrics.Write(), context.RequestAborted);
                    }
                )
        );
        group.MapGet("/openapi.json", EmbeddedAnswers.OpenApi());
        if (state.Options.Page)
            group.MapGet("/", EmbeddedAnswers.Page());
        group.MapHealthChecks("/health");
        return group;

        void Post(string path, Operation operation) =>
            group.MapPost(path, context => pictures.AnswerAsync(context, operation));
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
        return context.Response.WriteAsJsonAsync(
            answer,
            AnswerJson.Default.ModelAnswer,
            contentType: null,
            context.RequestAborted
        );
    }
}
