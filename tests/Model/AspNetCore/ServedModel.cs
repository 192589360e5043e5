using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Deit.Model;
using Deit.Model.AspNetCore;
using Deit.Tests.Model.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Deit.Tests.Model.AspNetCore;

/// <summary>A program that serves a model on a free port of this machine.</summary>
internal sealed class ServedModel : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ServedModel(WebApplication app, RecordedLog log)
    {
        (_app, Log) = (app, log);
        string address = app
            .Services.GetRequiredService<IServer>()
            .Features.Get<IServerAddressesFeature>()!
            .Addresses.First();
        Client = new HttpClient { BaseAddress = new Uri(address), Timeout = TimeSpan.FromMinutes(3) };
    }

    public RecordedLog Log { get; }

    /// <summary>What was logged as an error.</summary>
    public IReadOnlyList<string> Errors =>
        [.. Log.Events.Where(one => one.Level >= LogLevel.Error).Select(one => one.Text)];

    public HttpClient Client { get; }

    public IServiceProvider Services => _app.Services;

    public ServingState State => Services.GetRequiredService<ServingState>();

    public int Port => Client.BaseAddress!.Port;

    /// <summary>Serves a model that lives in this test.</summary>
    public static Task<ServedModel> Start(
        IDeitModel model,
        Action<DeitServingOptions>? configure = null,
        Action<KestrelServerOptions>? kestrel = null
    ) => Start(services => services.AddSingleton(model), configure, kestrel);

    /// <summary>Serves what a container has.</summary>
    public static async Task<ServedModel> Start(
        Action<IServiceCollection> add,
        Action<DeitServingOptions>? configure = null,
        Action<KestrelServerOptions>? kestrel = null
    )
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        RecordedLog log = new();
        builder.Services.AddSingleton<ILoggerFactory>(log);
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(options =>
        {
            options.Listen(IPAddress.Loopback, 0);
            kestrel?.Invoke(options);
        });
        add(builder.Services);
        builder.Services.AddDeitServing(configure);
        WebApplication app = builder.Build();
        app.MapDeit();
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new ServedModel(app, log);
    }

    /// <summary>Asks it to stop, and waits until it has.</summary>
    public Task StopAsync() => _app.StopAsync(TestContext.Current.CancellationToken);

    /// <summary>Sends a body.</summary>
    public async Task<(HttpStatusCode Status, JsonNode Answer)> Post(
        string path,
        HttpContent content,
        string? type = null
    )
    {
        if (type is not null)
        {
            content.Headers.Remove("Content-Type");
            content.Headers.TryAddWithoutValidation("Content-Type", type);
        }
        using (content)
        {
            using HttpResponseMessage response = await Client.PostAsync(
                new Uri(path, UriKind.Relative),
                content,
                TestContext.Current.CancellationToken
            );
            return (response.StatusCode, await Json(response));
        }
    }

    /// <summary>Sends a picture as the body.</summary>
    public Task<(HttpStatusCode Status, JsonNode Answer)> Post(string path, byte[] picture) =>
        Post(path, new ByteArrayContent(picture));

    /// <summary>The JSON of an answer.</summary>
    public static async Task<JsonNode> Json(HttpResponseMessage response) =>
        JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;

    /// <summary>Sends bytes as they are, and reads until the server closes the connection.</summary>
    /// <param name="close">True to end the sending side behind them.</param>
    /// <param name="parts">What is sent, one after the other.</param>
    public async Task<string> Raw(bool close, params byte[][] parts)
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, Port, TestContext.Current.CancellationToken);
        await using NetworkStream stream = new(socket);
        MemoryStream answer = new();
        try
        {
            foreach (byte[] part in parts)
                await stream.WriteAsync(part, TestContext.Current.CancellationToken);
            if (close)
                socket.Shutdown(SocketShutdown.Send);
            await stream.CopyToAsync(answer, TestContext.Current.CancellationToken);
        }
        catch (IOException)
        {
            // The server has answered and closed while more was sent.
        }
        return System.Text.Encoding.Latin1.GetString(answer.ToArray());
    }

    /// <summary>Waits until something holds.</summary>
    public static async Task Until(Func<bool> condition)
    {
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(start) < TimeSpan.FromMinutes(1), "It never came.");
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Nothing of any request is left: no place, no memory.</summary>
    public async Task IsIdle() => await Until(() => State.Taken == (0, 0) && State.Bodies.Held == 0);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }
}
