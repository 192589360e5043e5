using System.Net;
using System.Text.Json.Nodes;
using Deit.Gpu;
using Deit.Gpu.Vulkan;
using Deit.Model;
using Deit.Model.Images;
using Deit.Tests.Model.Images;
using Deit.Tests.Model.Serving;
using Microsoft.Extensions.DependencyInjection;

namespace Deit.Tests.Model.AspNetCore;

/// <summary>What clients see while a model is loaded, when it fails, when they go away, and when the server is stopped.</summary>
public sealed class ServedFaultsTests : IDisposable
{
    private const int DeviceLost = -4; // VkResult
    private readonly TemporaryFolder _folder = new();
    private readonly HeldModel _model = new();
    private readonly byte[] _picture = ImageEncoder.Jpeg(TestImages.Smooth(40, 30), 90);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        VulkanCalls.Fault = null;
        _folder.Dispose();
    }

    [Fact]
    public async Task While_the_model_is_loaded_requests_are_503_and_then_200()
    {
        string path = EngineModels.Write(_folder, EngineModels.Plain);
        using HeldDriver held = new();
        await using ServedModel served = await Serve(path);
        // Where an assertion fails, the driver goes on before the server waits for it.
        using HeldDriver released = held;
        held.Entered.Wait(Cancellation);
        using ByteArrayContent picture = new(_picture);
        using HttpResponseMessage early = await served.Client.PostAsync(
            new Uri("v1/classify", UriKind.Relative),
            picture,
            Cancellation
        );
        Assert.Equal(HttpStatusCode.ServiceUnavailable, early.StatusCode);
        Assert.Contains("is being loaded", (string)(await ServedModel.Json(early))["detail"]!);
        Assert.Equal(TimeSpan.FromSeconds(5), early.Headers.RetryAfter!.Delta);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "Unhealthy"), await Health(served));
        held.Release();
        _ = await served.Services.GetRequiredService<Deit.Model.Serving.HostedModel>().Loading;
        Assert.Equal(HttpStatusCode.OK, (await served.Post("v1/classify", _picture)).Status);
        Assert.Equal((HttpStatusCode.OK, "Healthy"), await Health(served));
    }

    [Fact]
    public async Task A_model_that_cannot_be_loaded_is_503_and_its_path_stays_here()
    {
        await using ServedModel served = await Serve(_folder["nothing"]);
        await ServedModel.Until(() =>
            served.Errors is [var error] && error.StartsWith("Loading '", StringComparison.Ordinal)
        );
        (HttpStatusCode status, JsonNode problem) = await served.Post("v1/classify", _picture);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.DoesNotContain(_folder.Path, problem.ToJsonString());
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "Unhealthy"), await Health(served));
    }

    [Fact]
    public async Task A_lost_device_is_503_until_it_is_back()
    {
        await using ServedModel served = await Serve(EngineModels.Write(_folder, EngineModels.Plain));
        _ = await served.Services.GetRequiredService<Deit.Model.Serving.HostedModel>().Loading;
        VulkanCalls.Fault = _ => DeviceLost;
        (HttpStatusCode status, JsonNode problem) = await served.Post("v1/classify", _picture);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains("The device failed", (string)problem["detail"]!);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "Unhealthy"), await Health(served));
        VulkanCalls.Fault = null;
        Assert.Equal((HttpStatusCode.OK, "Healthy"), await Health(served));
        Assert.Equal(HttpStatusCode.OK, (await served.Post("v1/classify", _picture)).Status);
        await served.IsIdle();
    }

    [Theory]
    [InlineData("memory", 503)]
    [InlineData("disposed", 503)]
    [InlineData("not finite", 500)]
    [InlineData("fault", 500)]
    [InlineData("model folder", 500)]
    [InlineData("model file", 500)]
    public async Task Failures_of_the_server_say_nothing_of_it(string failure, int expected)
    {
        await using ServedModel served = await ServedModel.Start(_model);
        _model.Failure = failure switch
        {
            "memory" => new GpuException(GpuErrorKind.OutOfMemory, "secret"),
            "disposed" => new ObjectDisposedException("secret"),
            "not finite" => new DeitException(DeitErrorKind.NotFinite, "secret"),
            // A lost device is opened anew together with its model, whose files may have gone.
            "model folder" => new DeitException(DeitErrorKind.Data, "secret"),
            "model file" => new IOException("secret"),
            _ => new InvalidOperationException("secret"),
        };
        MultipartFormDataContent form = [];
        form.Add(new ByteArrayContent(_picture), "a", "a.jpg");
        form.Add(new ByteArrayContent(_picture), "b", "b.jpg");
        (HttpStatusCode status, JsonNode problem) = await served.Post("v1/classify", form);
        Assert.Equal(expected, (int)status);
        Assert.DoesNotContain("secret", problem.ToJsonString());
        Assert.Equal("POST /v1/classify failed", Assert.Single(served.Errors));
        await served.IsIdle();
    }

    [Theory]
    [InlineData("v1/embed", "an embedding")]
    [InlineData("v1/attention", "attention")]
    public async Task A_network_without_tokens_is_501(string path, string expected)
    {
        _model.OtherConfig = new RegNetConfig
        {
            InitialWidth = 8,
            WidthSlope = 8,
            WidthMultiplier = 2,
            Depth = 2,
            GroupWidth = 8,
        };
        await using ServedModel served = await ServedModel.Start(_model);
        (HttpStatusCode status, JsonNode problem) = await served.Post(path, _picture);
        Assert.Equal(HttpStatusCode.NotImplemented, status);
        Assert.Contains(
            $"wants {expected} of a {_model.OtherConfig.Family}, which has no tokens",
            (string)problem["detail"]!
        );
        Assert.Equal(HttpStatusCode.OK, (await served.Post("v1/classify", _picture)).Status);
    }

    [Fact]
    public async Task A_client_that_goes_away_takes_its_picture_off_the_queue()
    {
        await using ServedModel served = await ServedModel.Start(_model);
        _model.Hold();
        using CancellationTokenSource away = new();
        using ByteArrayContent picture = new(_picture);
        Task<HttpResponseMessage> asked = served.Client.PostAsync(
            new Uri("v1/classify", UriKind.Relative),
            picture,
            away.Token
        );
        await ServedModel.Until(() => _model.Waiting == 1);
        await away.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        await ServedModel.Until(() => _model.Waiting == 0);
        await served.IsIdle();
        string metrics = await served.Client.GetStringAsync(new Uri("metrics", UriKind.Relative), Cancellation);
        Assert.Matches("http_server_request_duration_seconds_count\\{[^}]*http_response_status_code=\"499\"", metrics);
    }

    [Fact]
    public async Task A_server_that_stops_answers_what_is_under_way_and_takes_nothing_more()
    {
        await using ServedModel served = await ServedModel.Start(_model);
        _model.Hold();
        Task<(HttpStatusCode Status, JsonNode)> asked = served.Post("v1/classify", _picture);
        await ServedModel.Until(() => _model.Waiting == 1);
        Task stopping = served.StopAsync();
        using HttpClient another = new() { BaseAddress = served.Client.BaseAddress };
        await ServedModel.Until(() =>
        {
            try
            {
                another.GetStringAsync(new Uri("metrics", UriKind.Relative), Cancellation).GetAwaiter().GetResult();
                return false;
            }
            catch (HttpRequestException)
            {
                return true;
            }
        });
        Assert.False(stopping.IsCompleted);
        _model.Release();
        Assert.Equal(HttpStatusCode.OK, (await asked).Status);
        await stopping;
    }

    private static Task<ServedModel> Serve(string path) =>
        ServedModel.Start(services =>
        {
            services.AddDeitModel(path, options => options.CpuFallback = true);
        });

    private static async Task<(HttpStatusCode, string)> Health(ServedModel served)
    {
        using HttpResponseMessage response = await served.Client.GetAsync(
            new Uri("health", UriKind.Relative),
            Cancellation
        );
        return (response.StatusCode, await response.Content.ReadAsStringAsync(Cancellation));
    }
}
