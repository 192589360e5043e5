using System.Diagnostics;
using Deit;
using Deit.Gpu;
using Deit.Model;
using Deit.Model.Images;

WebApplicationBuilder builder = WebApplication.CreateBuilder(
    new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory }
);
if (builder.Configuration["model"] is not { Length: > 0 } folder)
{
    Console.Error.WriteLine(
        "Usage: deit-web --model FOLDER [--urls http://localhost:5000], where FOLDER was written by deit train, such as runs/shoes/best."
    );
    return 2;
}
builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning); // a line a picture is enough
builder.Logging.AddFilter("Microsoft.Extensions.Hosting", LogLevel.None); // failing to start is said below
builder.Services.AddDeitModel(folder, options => options.CpuFallback = true);
builder.Services.AddHealthChecks().AddDeitModel();
await using WebApplication app = builder.Build();
try
{
    // Loaded before the first request, so that its faults are said here.
    _ = app.Services.GetRequiredService<DeitModel>();
}
catch (DeitException error)
{
    Console.Error.WriteLine(error.Message);
    return 1;
}
app.UseDefaultFiles();
app.UseStaticFiles();
app.MapHealthChecks("/health");
app.MapPost(
    "/classify",
    async (HttpRequest request, DeitModel model, ILogger<Program> logger, CancellationToken cancellation) =>
    {
        long start = Stopwatch.GetTimestamp();
        try
        {
            Classification answer = await model.ClassifyAsync(request.Body, cancellation);
            double milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            Log.Classified(logger, answer.Top.Label, answer.Top.Probability, milliseconds);
            return Results.Ok(new Answer([.. answer.Scores.Take(5)], model.Device.Name, milliseconds));
        }
        catch (ImageException error)
        {
            return Results.Problem(error.Message, statusCode: StatusCodes.Status415UnsupportedMediaType);
        }
        catch (GpuException error)
        {
            Log.Failed(logger, error);
            return Results.Problem(error.Message, statusCode: StatusCodes.Status503ServiceUnavailable);
        }
    }
);
try
{
    await app.RunAsync();
    return 0;
}
catch (IOException error)
{
    Console.Error.WriteLine(error.Message); // the address is in use
    return 1;
}

internal sealed record Answer(ClassScore[] Classes, string Device, double Milliseconds);

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "{Label} {Probability:p1}, {Milliseconds:f0} ms")]
    public static partial void Classified(ILogger logger, string label, float probability, double milliseconds);

    [LoggerMessage(2, LogLevel.Error, "A picture was not classified")]
    public static partial void Failed(ILogger logger, Exception error);
}
