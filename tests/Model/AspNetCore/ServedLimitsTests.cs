using System.Net;
using System.Text.Json.Nodes;
using Deit.Model.AspNetCore;
using Deit.Model.Images;
using Deit.Tests.Model.Images;

namespace Deit.Tests.Model.AspNetCore;

/// <summary>Every limit of requests, by its status. Each leaves nothing behind.</summary>
public sealed class ServedLimitsTests : IDisposable
{
    private readonly HeldModel _model = new();
    private readonly byte[] _picture = ImageEncoder.Jpeg(TestImages.Smooth(40, 30), 90);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => ((IDisposable)_model).Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)] // the length is known when too much has arrived
    public async Task A_body_of_too_many_bytes_is_413(bool announced)
    {
        await using ServedModel served = await ServedModel.Start(_model, options => options.MaxRequestBytes = 100_000);
        using HttpRequestMessage request = new(HttpMethod.Post, "v1/classify")
        {
            Content = new ByteArrayContent(new byte[100_001]),
        };
        request.Headers.TransferEncodingChunked = !announced;
        using HttpResponseMessage response = await served.Client.SendAsync(request, Cancellation);
        await IsProblem(response, HttpStatusCode.RequestEntityTooLarge, "too large");
        await served.IsIdle();
        // As many as there may be are read: they are no picture.
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await served.Post("v1/classify", new byte[100_000])).Status);
    }

    [Fact]
    public async Task A_hundred_megabytes_are_refused_before_they_are_read()
    {
        await using ServedModel served = await ServedModel.Start(_model);
        byte[] head = "POST /v1/classify HTTP/1.1\r\nHost: a\r\nContent-Length: 104857600\r\n\r\n"u8.ToArray();
        string answer = await served.Raw(close: false, head, new byte[1 << 20]);
        Assert.StartsWith("HTTP/1.1 413 ", answer);
        Assert.Contains("Connection: close", answer);
        await served.IsIdle();
    }

    // 30 000 x 30 000 white pixels are a file of 1 MB: 2.7 GB decoded.
    [Fact]
    public async Task A_picture_of_too_many_pixels_is_413_by_its_head()
    {
        byte[] bomb = EncodedImages.Png(30_000, 30_000, 1, 0, new byte[30_000 * 3750]);
        Assert.InRange(bomb.Length, 1, 2_000_000);
        await using ServedModel served = await ServedModel.Start(_model);
        long before = GC.GetTotalAllocatedBytes(precise: true);
        (HttpStatusCode status, JsonNode problem) = await served.Post("v1/classify", bomb);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, status);
        Assert.Contains("30000 x 30000 pixels, more than the limit of 50000000", (string)problem["detail"]!);
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 50_000_000);
        await served.IsIdle();
    }

    [Fact]
    public async Task A_picture_at_the_limit_of_pixels_is_answered()
    {
        await using ServedModel served = await ServedModel.Start(_model, options => options.MaxPixels = 1200);
        Assert.Equal(HttpStatusCode.OK, (await served.Post("v1/classify", _picture)).Status);
        byte[] larger = ImageEncoder.Jpeg(TestImages.Smooth(41, 30), 90);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await served.Post("v1/classify", larger)).Status);
    }

    [Fact]
    public async Task More_pictures_than_a_request_may_have_are_413()
    {
        await using ServedModel served = await ServedModel.Start(_model, options => options.MaxPictures = 2);
        foreach (
            (int count, HttpStatusCode expected) in ((int, HttpStatusCode)[])
                [(2, HttpStatusCode.OK), (3, HttpStatusCode.RequestEntityTooLarge)]
        )
        {
            MultipartFormDataContent form = [];
            JsonArray images = [];
            for (int i = 0; i < count; i++)
            {
                form.Add(new ByteArrayContent(_picture), "image", $"{i}.jpg");
                images.Add((JsonNode)Convert.ToBase64String(_picture));
            }
            Assert.Equal(expected, (await served.Post("v1/classify", form)).Status);
            string json = new JsonObject { ["images"] = images }.ToJsonString();
            Assert.Equal(
                expected,
                (await served.Post("v1/classify", new StringContent(json), "application/json")).Status
            );
        }
        await served.IsIdle();
    }

    [Fact]
    public async Task A_request_beyond_those_that_may_be_under_way_is_429()
    {
        await using ServedModel served = await ServedModel.Start(_model, options => options.MaxRequests = 3);
        _model.Hold();
        Task<(HttpStatusCode Status, JsonNode)>[] held =
        [
            .. Enumerable.Range(0, 3).Select(_ => served.Post("v1/classify", _picture)),
        ];
        await ServedModel.Until(() => _model.Waiting == 3);
        using ByteArrayContent picture = new(_picture);
        using HttpResponseMessage refused = await served.Client.PostAsync(
            new Uri("v1/embed", UriKind.Relative),
            picture,
            Cancellation
        );
        await IsProblem(refused, HttpStatusCode.TooManyRequests, "3 requests are under way");
        Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter!.Delta);
        // Figures are to be had when nothing else is.
        _ = await served.Client.GetStringAsync(new Uri("metrics", UriKind.Relative), Cancellation);
        _model.Release();
        Assert.All(await Task.WhenAll(held), answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        await served.IsIdle();
    }

    [Fact]
    public async Task Bodies_for_which_there_is_no_memory_are_429()
    {
        const int Bodies = 32; // half of a megabyte is for bodies, and each takes 16 KiB at least
        await using ServedModel served = await ServedModel.Start(_model, options => Small(options, memory: 1 << 20));
        _model.Hold();
        Task<(HttpStatusCode Status, JsonNode)>[] held =
        [
            .. Enumerable.Range(0, Bodies).Select(_ => served.Post("v1/classify", _picture)),
        ];
        await ServedModel.Until(() => served.State.Bodies.Held == Bodies * DeitServingOptions.FirstBytes);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await served.Post("v1/classify", _picture)).Status);
        _model.Release();
        Assert.All(await Task.WhenAll(held), answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        await served.IsIdle();
        Assert.Equal(HttpStatusCode.OK, (await served.Post("v1/classify", _picture)).Status);
    }

    // Decoding takes 1.8 MB for each of them, of the 2 MiB that there are for it.
    [Fact]
    public async Task Decoded_pictures_wait_for_memory()
    {
        byte[] picture = ImageEncoder.Jpeg(TestImages.Smooth(500, 400), 50);
        await using ServedModel served = await ServedModel.Start(_model, options => Small(options, memory: 4 << 20));
        _model.Hold();
        Task<(HttpStatusCode Status, JsonNode)>[] held =
        [
            .. Enumerable.Range(0, 4).Select(_ => served.Post("v1/classify", picture)),
        ];
        await ServedModel.Until(() =>
            _model.Waiting == 1 && served.State.Bodies.Held >= 4 * DeitServingOptions.FirstBytes
        );
        await Task.Delay(100, Cancellation);
        Assert.Equal(1, _model.Waiting);
        Assert.InRange(served.State.Taken.Decoded, 1750, 1800);
        _model.Release();
        Assert.All(await Task.WhenAll(held), answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        await served.IsIdle();
    }

    // Decoding takes 1.8 MB for each picture, and half of 2 MiB may lie uncollected. By itself the runtime waits for far more. A
    // collection that is asked for while another one runs is left out, hence not one for each picture.
    [Fact]
    public async Task Decoded_pictures_are_collected_when_as_much_lies_as_is_allowed()
    {
        byte[] picture = ImageEncoder.Jpeg(TestImages.Smooth(500, 400), 50);
        int byItself = await Collections(_ => { }),
            asked = await Collections(options => Small(options, memory: 2 << 20));
        // On a busy machine one takes as long as many pictures.
        Assert.True(asked >= byItself + 2, $"{asked} collections, {byItself} without the limit");

        async Task<int> Collections(Action<DeitServingOptions> limits)
        {
            await using ServedModel served = await ServedModel.Start(_model, limits);
            int before = GC.CollectionCount(GC.MaxGeneration);
            for (int i = 0; i < 100; i++)
                Assert.Equal(HttpStatusCode.OK, (await served.Post("v1/classify", picture)).Status);
            return GC.CollectionCount(GC.MaxGeneration) - before;
        }
    }

    [Fact]
    public async Task A_request_that_is_not_answered_in_time_is_503()
    {
        await using ServedModel served = await ServedModel.Start(
            _model,
            options => options.Timeout = TimeSpan.FromSeconds(2)
        );
        _model.Hold();
        (HttpStatusCode status, JsonNode problem) = await served.Post("v1/classify", _picture);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains("not answered within 2 s", (string)problem["detail"]!);
        Assert.Equal(0, _model.Waiting);
        Assert.Empty(served.Errors); // the client's problem, or that of a busy server
        await served.IsIdle();
    }

    [Fact]
    public async Task A_body_that_does_not_arrive_in_time_is_408()
    {
        await using ServedModel served = await ServedModel.Start(
            _model,
            options => options.Timeout = TimeSpan.FromSeconds(2)
        );
        string answer = await served.Raw(
            close: false,
            "POST /v1/classify HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc"u8.ToArray()
        );
        Assert.StartsWith("HTTP/1.1 408 ", answer);
        Assert.Contains("did not arrive within 2 s", answer);
        await served.IsIdle();
    }

    // A client that sends a little now and then would hold a place for long.
    [Fact]
    public async Task A_body_that_comes_too_slowly_is_408()
    {
        await using ServedModel served = await ServedModel.Start(
            _model,
            kestrel: options => options.Limits.MinRequestBodyDataRate = new(100_000, TimeSpan.FromSeconds(1.5))
        );
        string answer = await served.Raw(
            close: false,
            "POST /v1/classify HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc"u8.ToArray()
        );
        Assert.StartsWith("HTTP/1.1 408 ", answer);
        Assert.Contains("The request cannot be read: ", answer); // and not the limit of time
        await served.IsIdle();
    }

    // Skia reads more formats than the documents name: of this one 12 bytes are a picture of 8 x 8 pixels.
    [Fact]
    public async Task A_picture_of_another_format_is_415()
    {
        await using ServedModel served = await ServedModel.Start(_model);
        byte[] wirelessBitmap = [0, 0, 8, 8, 1, 2, 3, 4, 5, 6, 7, 8];
        Assert.Equal("Wbmp", EncodedFacts.Head(wirelessBitmap).Format);
        (HttpStatusCode status, JsonNode problem) = await served.Post("v1/classify", wirelessBitmap);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, status);
        Assert.Contains("is no JPEG, PNG, WebP, GIF or BMP", (string)problem["detail"]!);
        await served.IsIdle();
    }

    [Fact]
    public async Task Limits_that_leave_no_memory_for_a_request_are_refused()
    {
        ArgumentException error = await Assert.ThrowsAsync<ArgumentException>(() =>
            ServedModel.Start(
                _model,
                options => (options.MaxRequestBytes, options.MaxPictures, options.MemoryLimit) = (1 << 20, 4, 6 << 20)
            )
        );
        // Six of 1 MiB, and eight of 16 KiB.
        Assert.Contains("expected 6422528 to 2^40", error.Message);
    }

    [Theory]
    [InlineData(null, null, HttpStatusCode.Unauthorized)]
    [InlineData("Bearer wrong", null, HttpStatusCode.Unauthorized)]
    [InlineData("Bearer ", "", HttpStatusCode.Unauthorized)]
    [InlineData("Bearer second", null, HttpStatusCode.OK)]
    [InlineData("bearer first ", null, HttpStatusCode.OK)]
    [InlineData("Basic first", null, HttpStatusCode.Unauthorized)]
    [InlineData(null, "first", HttpStatusCode.OK)]
    [InlineData(null, "firs", HttpStatusCode.Unauthorized)]
    public async Task A_request_without_a_key_is_401(string? authorization, string? key, HttpStatusCode expected)
    {
        await using ServedModel served = await ServedModel.Start(
            _model,
            options =>
            {
                options.ApiKeys.Add("first");
                options.ApiKeys.Add("second");
            }
        );
        foreach (
            (HttpMethod method, string path) in ((HttpMethod, string)[])
                [
                    (HttpMethod.Post, "v1/classify"),
                    (HttpMethod.Post, "v1/embed"),
                    (HttpMethod.Post, "v1/attention"),
                    (HttpMethod.Get, "v1/model"),
                    (HttpMethod.Get, "metrics"),
                ]
        )
        {
            using HttpRequestMessage request = new(method, path)
            {
                Content = method == HttpMethod.Post ? new ByteArrayContent(_picture) : null,
            };
            if (authorization is not null)
                request.Headers.TryAddWithoutValidation("Authorization", authorization);
            if (key is not null)
                request.Headers.TryAddWithoutValidation("X-API-Key", key);
            using HttpResponseMessage response = await served.Client.SendAsync(request, Cancellation);
            Assert.Equal(expected, response.StatusCode);
            if (expected != HttpStatusCode.Unauthorized)
                continue;
            Assert.Equal("Bearer", Assert.Single(response.Headers.WwwAuthenticate).Scheme);
            await IsProblem(response, expected, "none of the server's keys");
        }
        // What a browser or a balancer asks first.
        foreach (string path in (string[])["/", "openapi.json", "health"])
            Assert.NotEqual(
                HttpStatusCode.Unauthorized,
                (await served.Client.GetAsync(new Uri(path, UriKind.Relative), Cancellation)).StatusCode
            );
    }

    [Theory]
    [InlineData("v1/classify?top=0", "top '0', expected a whole number, at least 1")]
    [InlineData("v1/classify?top=many", "top 'many'")]
    [InlineData("v1/attention?layer=1", "layer '1', expected a whole number, 0 to 0")]
    [InlineData("v1/attention?layer=-1", "layer '-1'")]
    [InlineData("v1/attention?head=0", "a head without a layer")]
    [InlineData("v1/attention?layer=0&head=2", "head '2', expected a whole number, 0 to 1")]
    [InlineData("v1/attention?token=cls", "token 'cls', expected class or distillation")]
    [InlineData("v1/attention?token=distillation", "which the model has not")]
    public async Task A_query_that_makes_no_sense_is_400(string path, string expected)
    {
        await using ServedModel served = await ServedModel.Start(_model);
        (HttpStatusCode status, JsonNode problem) = await served.Post(path, _picture);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains(expected, (string)problem["detail"]!);
    }

    [Fact]
    public async Task Another_method_is_405_and_another_address_404()
    {
        await using ServedModel served = await ServedModel.Start(_model);
        using HttpResponseMessage get = await served.Client.GetAsync(
            new Uri("v1/classify", UriKind.Relative),
            Cancellation
        );
        Assert.Equal(HttpStatusCode.MethodNotAllowed, get.StatusCode);
        using HttpResponseMessage other = await served.Client.GetAsync(new Uri("v2", UriKind.Relative), Cancellation);
        Assert.Equal(HttpStatusCode.NotFound, other.StatusCode);
    }

    [Theory]
    [InlineData("MaxRequestBytes")]
    [InlineData("MaxPixels")]
    [InlineData("MaxPictures")]
    [InlineData("MaxRequests")]
    [InlineData("MemoryLimit")]
    [InlineData("Timeout")]
    [InlineData("ApiKeys")]
    public async Task A_senseless_option_is_refused_by_name(string option)
    {
        ArgumentException error = await Assert.ThrowsAsync<ArgumentException>(() =>
            ServedModel.Start(
                _model,
                options =>
                {
                    if (option == "ApiKeys")
                        options.ApiKeys.Add(" ");
                    else if (option == "Timeout")
                        options.Timeout = TimeSpan.Zero;
                    else
                        typeof(DeitServingOptions)
                            .GetProperty(option)!
                            .SetValue(
                                options,
                                Convert.ChangeType(0, typeof(DeitServingOptions).GetProperty(option)!.PropertyType)
                            );
                }
            )
        );
        Assert.StartsWith($"Serving has {option} ", error.Message);
    }

    // Limits under which so little memory is enough.
    private static void Small(DeitServingOptions options, long memory) =>
        (options.MaxRequestBytes, options.MaxPictures, options.MemoryLimit) = (100_000, 4, memory);

    private static async Task IsProblem(HttpResponseMessage response, HttpStatusCode status, string detail)
    {
        Assert.Equal(status, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        JsonNode problem = await ServedModel.Json(response);
        Assert.Equal((int)status, (int)problem["status"]!);
        Assert.Contains(detail, (string)problem["detail"]!);
        Assert.NotEqual("", (string)problem["title"]!);
    }
}
