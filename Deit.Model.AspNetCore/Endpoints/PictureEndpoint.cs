using System.Threading.RateLimiting;
using Deit.Model.Images;
using Deit.Model.Serving;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Deit.Model.AspNetCore;

/// <summary>
/// Answers requests with pictures. Each picture is a call of the model of its own, so that pictures of all requests that
/// wait are computed together.
/// </summary>
/// <param name="state">The limits.</param>
/// <param name="serviceKey">The key of the model in the container; null for the one without.</param>
/// <param name="logger">Told of failures of the server.</param>
internal sealed class PictureEndpoint(ServingState state, object? serviceKey, ILogger logger)
{
    private const int LoadingSeconds = 5;

    /// <summary>Answers a request that nothing is read of.</summary>
    /// <param name="context">The request.</param>
    /// <param name="answer">Writes the answer.</param>
    public async Task GuardAsync(HttpContext context, Func<Task> answer)
    {
        try
        {
            RequireKey(context);
            await answer().ConfigureAwait(false);
        }
        catch (Exception error)
        {
            await FailAsync(context, error, arrived: true).ConfigureAwait(false);
        }
    }

    /// <summary>Answers a request with pictures.</summary>
    /// <param name="context">The request.</param>
    /// <param name="operation">What the client wants.</param>
    public async Task AnswerAsync(HttpContext context, Operation operation)
    {
        bool arrived = false;
        using CancellationTokenSource time = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        time.CancelAfter(state.Options.Timeout);
        try
        {
            RequireKey(context);
            using RateLimitLease place = state.Enter();
            if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
                size.MaxRequestBodySize = state.Options.MaxRequestBytes;
            IDeitModel model = Ready(context.RequestServices);
            Ask ask = operation(model, context.Request.Query);
            using RequestPictures pictures = await state
                .Reader.ReadAsync(context.Request, time.Token)
                .ConfigureAwait(false);
            arrived = true;
            PictureAnswer[] answers = await Task.WhenAll(
                    pictures.All.Select(picture => AnswerAsync(picture, model, ask, time.Token))
                )
                .ConfigureAwait(false);
            context.Response.Headers.XContentTypeOptions = "nosniff";
            if (answers is [{ Problem: { } problem }])
                await WriteAsync(context, problem).ConfigureAwait(false);
            else
                await context
                    .Response.WriteAsJsonAsync(
                        new PicturesAnswer(answers),
                        AnswerJson.Readable.PicturesAnswer,
                        contentType: null,
                        context.RequestAborted
                    )
                    .ConfigureAwait(false);
        }
        catch (Exception error)
        {
            await FailAsync(context, error, arrived).ConfigureAwait(false);
        }
    }

    /// <summary>The model, which may still be loading.</summary>
    public IDeitModel Model(IServiceProvider services) =>
        serviceKey is null
            ? services.GetRequiredService<IDeitModel>()
            : services.GetRequiredKeyedService<IDeitModel>(serviceKey);

    /// <summary>The model, once it is loaded.</summary>
    /// <exception cref="RequestException">It is not: 503.</exception>
    public IDeitModel Ready(IServiceProvider services)
    {
        IDeitModel model = Model(services);
        if (model is HostedModel { Loading: { IsCompletedSuccessfully: false } loading } hosted)
            throw loading.IsCompleted
                ? new RequestException(
                    StatusCodes.Status503ServiceUnavailable,
                    "The model could not be loaded; the log of the server says why."
                )
                : new RequestException(
                    StatusCodes.Status503ServiceUnavailable,
                    string.Create(
                        System.Globalization.CultureInfo.InvariantCulture,
                        $"The model is being loaded, {100 * hosted.Progress.Fraction:0} % done; try again in a moment."
                    ),
                    LoadingSeconds
                );
        return model;
    }

    private void RequireKey(HttpContext context)
    {
        if (state.Keys.Admit(context.Request.Headers))
            return;
        context.Response.Headers.WWWAuthenticate = "Bearer";
        throw new RequestException(
            StatusCodes.Status401Unauthorized,
            $"The request brings none of the server's keys; send one as 'Authorization: Bearer KEY' or '{ApiKeys.Header}: KEY'."
        );
    }

    // A picture that is to blame itself does not end the others of its request.
    private async Task<PictureAnswer> AnswerAsync(
        RequestPicture picture,
        IDeitModel model,
        Ask ask,
        CancellationToken cancellation
    )
    {
        RateLimitLease? room = null;
        try
        {
            RgbImage image;
            try
            {
                long bytes = await Task.Run(() => DecodedBytes(picture), cancellation).ConfigureAwait(false);
                room = await state
                    .RoomAsync(bytes + ((long)model.Preprocess.OutputLength * sizeof(float)), cancellation)
                    .ConfigureAwait(false);
                image = await Task.Run(
                        () =>
                            ImageDecoder.Decode(
                                picture.Bytes.Content.Span,
                                picture.Title,
                                pixelLimit: state.Options.MaxPixels
                            ),
                        cancellation
                    )
                    .ConfigureAwait(false);
            }
            catch (Exception error) when (Problems.OfPicture(error) is { } problem)
            {
                return new PictureAnswer { Name = picture.Name, Problem = problem };
            }
            return await ask(image, cancellation).ConfigureAwait(false) with { Name = picture.Name };
        }
        finally
        {
            room?.Dispose();
        }
    }

    // What decoding takes: the pixels in RGB, and beside them in RGBA. Decoders keep a whole picture of their own for
    // progressive JPEGs and for WebP without loss.
    private long DecodedBytes(RequestPicture picture)
    {
        const int BytesOfJpeg = 9,
            BytesOfOthers = 11;
        (string? format, int width, int height) = EncodedFacts.Head(picture.Bytes.Content.Span);
        if (format is null)
            throw new RequestException(
                StatusCodes.Status415UnsupportedMediaType,
                ImageDecoder.NoPicture(picture.Bytes.Content.Span, picture.Title).Message
            );
        if (format is not ("JPEG" or "PNG" or "WebP" or "GIF" or "BMP"))
            throw new RequestException(
                StatusCodes.Status415UnsupportedMediaType,
                $"The image '{picture.Title}' is no JPEG, PNG, WebP, GIF or BMP; convert it."
            );
        long pixels = (long)width * height;
        if (pixels > state.Options.MaxPixels)
            throw new RequestException(
                StatusCodes.Status413PayloadTooLarge,
                $"The image '{picture.Title}' has {width} x {height} pixels, more than the limit of "
                    + $"{state.Options.MaxPixels}; scale it down."
            );
        return pixels * (format == "JPEG" ? BytesOfJpeg : BytesOfOthers);
    }

    private async Task FailAsync(HttpContext context, Exception error, bool arrived)
    {
        // A body that ends early is an IOException too; one of the model or its files comes when the body is here.
        bool left = !arrived && error is IOException and not BadHttpRequestException;
        if (context.RequestAborted.IsCancellationRequested || left)
        {
            if (!context.Response.HasStarted)
                context.Response.StatusCode = Problems.ClientClosedRequest;
            return;
        }
        (Problem problem, int retryAfter) =
            error is OperationCanceledException ? Late(arrived) : Problems.OfRequest(error);
        if (
            problem.Status >= StatusCodes.Status500InternalServerError
            && error is not (RequestException or OperationCanceledException)
        )
            ServingLog.Failed(logger, context.Request.Method, context.Request.Path, error);
        if (context.Response.HasStarted)
        {
            context.Abort(); // the client sees that the answer is no whole one
            return;
        }
        if (retryAfter > 0)
            context.Response.Headers.RetryAfter = retryAfter.ToString(
                System.Globalization.CultureInfo.InvariantCulture
            );
        await WriteAsync(context, problem).ConfigureAwait(false);
    }

    private (Problem, int) Late(bool arrived)
    {
        double seconds = state.Options.Timeout.TotalSeconds;
        return arrived
            ? (
                Problems.Of(
                    StatusCodes.Status503ServiceUnavailable,
                    $"The request was not answered within {seconds} s; try again when the server has less to do."
                ),
                1
            )
            : (
                Problems.Of(
                    StatusCodes.Status408RequestTimeout,
                    $"The request did not arrive within {seconds} s; send less at once, or faster."
                ),
                0
            );
    }

    private static async Task WriteAsync(HttpContext context, Problem problem)
    {
        context.Response.StatusCode = problem.Status;
        context.Response.Headers.XContentTypeOptions = "nosniff";
        try
        {
            await context
                .Response.WriteAsJsonAsync(
                    problem,
                    AnswerJson.Readable.Problem,
                    Problem.ContentType,
                    context.RequestAborted
                )
                .ConfigureAwait(false);
        }
        catch (Exception error) when (error is OperationCanceledException or IOException)
        {
            // The client went away.
        }
    }
}
