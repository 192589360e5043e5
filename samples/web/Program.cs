using Deit;
using Deit.Model;

WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
if (builder.Configuration["model"] is not { Length: > 0 } folder)
{
    Console.Error.WriteLine(
        "Usage: deit-web --model FOLDER [--urls http://localhost:5000], where FOLDER was written by deit train, such as runs/shoes/best."
    );
    return 2;
}
builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
builder.Logging.AddFilter("Microsoft.Extensions.Hosting", LogLevel.None); // failing to start is said below
builder.Services.AddDeitModel(folder, options => options.CpuFallback = true);
builder.Services.AddDeitServing(options => options.MaxRequestBytes = 16 << 20);
await using WebApplication app = builder.Build();
app.MapDeit();
try
{
    // Loaded before the first request, so that its faults are said here.
    _ = app.Services.GetRequiredService<DeitModel>();
    await app.RunAsync();
    return 0;
}
catch (Exception error) when (error is DeitException or IOException)
{
    Console.Error.WriteLine(error.Message); // there is no such model, or the address is in use
    return 1;
}
