using System.Net;
using System.Text.Json.Nodes;
using Deit.Model;
using Deit.Model.Images;
using Deit.Tests.Model.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Deit.Tests.Model.AspNetCore;

/// <summary>The forms of requests and answers, against the model itself.</summary>
public sealed class ServedAnswersTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private readonly byte[][] _pictures = [.. EngineModels.Pictures(3).Select(image => ImageEncoder.Jpeg(image, 90))];
    private DeitModel _model = null!;
    private ServedModel _served = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        string path = EngineModels.Write(_folder, EngineModels.Distilled);
        _model = DeitModel.Load(path, new DeitModelOptions { CpuFallback = true });
        _served = await ServedModel.Start(services =>
        {
            services.AddDeitModel(path, options => options.CpuFallback = true);
        });
        await ((Deit.Model.Serving.HostedModel)_served.Services.GetRequiredService<IDeitModel>()).Loading;
    }

    public async ValueTask DisposeAsync()
    {
        await _served.DisposeAsync();
        await _model.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_body_is_a_picture_whatever_its_type_says()
    {
        foreach (string? type in (string?[])[null, "image/jpeg", "application/x-www-form-urlencoded", "nonsense"])
        {
            (HttpStatusCode status, JsonNode answer) = await _served.Post(
                "v1/classify?top=10",
                new ByteArrayContent(_pictures[0]),
                type
            );
            Assert.Equal(HttpStatusCode.OK, status);
            Assert.Equal(_model.Classify((ReadOnlySpan<byte>)_pictures[0]).Scores, Scores(Single(answer)));
        }
        await _served.IsIdle();
    }

    [Fact]
    public async Task Letters_and_quotation_marks_of_answers_are_as_they_are()
    {
        MultipartFormDataContent form = [];
        form.Add(new ByteArrayContent("<html>"u8.ToArray()), "a", "Schöne Grüße.png");
        form.Add(new ByteArrayContent(_pictures[0]), "b", "고양이.jpg");
        using HttpResponseMessage response = await _served.Client.PostAsync(
            new Uri("v1/classify", UriKind.Relative),
            form,
            Cancellation
        );
        string json = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.Contains("\"고양이.jpg\"", json, StringComparison.Ordinal);
        Assert.Contains("Schöne Grüße", json, StringComparison.Ordinal);
        Assert.Contains("Decoding the image '", json, StringComparison.Ordinal);
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(["nosniff"], response.Headers.GetValues("X-Content-Type-Options"));
    }

    [Fact]
    public async Task A_form_has_several_files_and_a_broken_one_does_not_end_the_others()
    {
        MultipartFormDataContent form = [];
        form.Add(new ByteArrayContent(_pictures[0]), "a", "boot.jpg");
        form.Add(new ByteArrayContent("<html>"u8.ToArray()), "b", "no picture.png");
        form.Add(new ByteArrayContent(_pictures[1]), "c");
        form.Add(new ByteArrayContent(_pictures[2][..^400]), "d", "ä.jpg");
        (HttpStatusCode status, JsonNode answer) = await _served.Post("v1/classify", form);
        Assert.Equal(HttpStatusCode.OK, status);
        JsonArray results = answer["results"]!.AsArray();
        Assert.Equal(["boot.jpg", "no picture.png", null, "ä.jpg"], results.Select(result => (string?)result!["name"]));
        Assert.Equal(_model.Classify((ReadOnlySpan<byte>)_pictures[0]).Scores.Take(5), Scores(results[0]!));
        Assert.Equal(_model.Classify((ReadOnlySpan<byte>)_pictures[1]).Scores.Take(5), Scores(results[2]!));
        Assert.Equal(415, (int)results[1]!["problem"]!["status"]!);
        Assert.Contains("'no picture.png'", (string)results[1]!["problem"]!["detail"]!);
        Assert.Equal(400, (int)results[3]!["problem"]!["status"]!);
        Assert.Contains("cut short", (string)results[3]!["problem"]!["detail"]!);
        await _served.IsIdle();
    }

    [Fact]
    public async Task Json_has_pictures_in_base64_and_as_data_urls()
    {
        string[] texts = [.. _pictures.Select(Convert.ToBase64String)];
        JsonObject several = new() { ["images"] = new JsonArray(texts[0], $"data:image/jpeg;base64,{texts[1]}") };
        (HttpStatusCode status, JsonNode answer) = await _served.Post(
            "v1/classify?top=2",
            new StringContent(several.ToJsonString()),
            "application/json"
        );
        Assert.Equal(HttpStatusCode.OK, status);
        JsonArray results = answer["results"]!.AsArray();
        foreach (int i in (int[])[0, 1])
            Assert.Equal(_model.Classify((ReadOnlySpan<byte>)_pictures[i]).Scores.Take(2), Scores(results[i]!));
    }

    [Fact]
    public async Task Embeddings_and_attention_are_those_of_the_model()
    {
        Embedding embedding = _model.Embed((ReadOnlySpan<byte>)_pictures[0]);
        JsonNode embedded = Single((await _served.Post("v1/embed", _pictures[0])).Answer);
        Assert.Equal(embedding.Class, Floats(embedded["embedding"]));
        Assert.Equal(embedding.Distillation, Floats(embedded["distillation"]));

        RgbImage image = RgbImage.Decode((ReadOnlySpan<byte>)_pictures[0]);
        ImageAttention attention = _model.ComputeAttention(image);
        (string Query, AttentionMap Expected)[] cases =
        [
            ("", attention.Rollout),
            ("?token=class", attention.Rollout),
            ("?token=distillation", attention.ComputeDistillationRollout()),
            ("?layer=1", attention.GetMean(1)),
            ("?layer=0&head=1&token=distillation", attention.GetHead(0, 1, distillation: true)),
        ];
        foreach ((string query, AttentionMap expected) in cases)
        {
            JsonNode map = Single((await _served.Post($"v1/attention{query}", _pictures[0])).Answer)["attention"]!;
            Assert.Equal(expected, new AttentionMap(Floats(map["values"]), (int)map["width"]!, (int)map["height"]!));
        }
    }

    // The shorter side of 40 columns is resized by 1 / 0.875 of the input's side, and its middle is shown.
    [Fact]
    public async Task Attention_says_which_part_of_the_picture_it_lies_on()
    {
        JsonNode region = Single((await _served.Post("v1/attention", _pictures[0])).Answer)["attention"]!["region"]!;
        double side = 40 * 0.875;
        Assert.Equal((40 - side) / 2, (double)region["x"]!, 1.0);
        Assert.Equal((50 - side) / 2, (double)region["y"]!, 1.0);
        Assert.Equal(side, (double)region["width"]!, 1.0);
        Assert.Equal(side, (double)region["height"]!, 1.0);
    }

    [Fact]
    public async Task Requests_at_once_are_computed_together_with_the_answers_of_each()
    {
        Classification[] expected = [.. _pictures.Select(picture => _model.Classify((ReadOnlySpan<byte>)picture))];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, 60),
            new ParallelOptions { MaxDegreeOfParallelism = 20, CancellationToken = Cancellation },
            async (i, _) =>
            {
                (HttpStatusCode status, JsonNode answer) = await _served.Post("v1/classify", _pictures[i % 3]);
                Assert.Equal(HttpStatusCode.OK, status);
                Assert.Equal(expected[i % 3].Scores.Take(5), Scores(Single(answer)));
            }
        );
        await _served.IsIdle();
        string metrics = await _served.Client.GetStringAsync(new Uri("metrics", UriKind.Relative), Cancellation);
        Assert.Contains("# TYPE deit_model_request_duration_seconds histogram\n", metrics);
        Assert.Matches("deit_model_batch_size_bucket\\{[^}]*le=\"\\+Inf\"\\} [0-9]+\n", metrics);
        Assert.Matches("deit_model_queue_length\\{deit_model_name=\"[^\"]*\"\\} 0\n", metrics);
        Assert.Matches("dotnet_process_memory_working_set_bytes [0-9]+\n", metrics);
        // Others of this process may answer pictures too; its web server is this test's alone.
        Assert.Matches(
            "http_server_request_duration_seconds_count\\{[^}]*http_route=\"/v1/classify\"[^}]*\\} 60\n",
            metrics
        );
    }

    [Fact]
    public async Task A_client_learns_what_the_model_is_and_that_it_answers()
    {
        JsonNode model = JsonNode.Parse(
            await _served.Client.GetStringAsync(new Uri("v1/model", UriKind.Relative), Cancellation)
        )!;
        TransformerConfig config = (TransformerConfig)_model.Config;
        Assert.Equal(_model.Labels, model["labels"]!.AsArray().Select(label => (string)label!));
        Assert.Equal(
            (config.Family, config.EmbedDim, config.Depth, config.NumHeads, true),
            (
                (string)model["family"]!,
                (int)model["embeddingLength"]!,
                (int)model["layers"]!,
                (int)model["heads"]!,
                (bool)model["hasDistillationToken"]!
            )
        );
        Assert.Equal(_model.Device.Name, (string)model["device"]!);
        Assert.Equal("Healthy", await _served.Client.GetStringAsync(new Uri("health", UriKind.Relative), Cancellation));
    }

    [Fact]
    public async Task The_page_runs_its_own_script_alone()
    {
        using HttpResponseMessage page = await _served.Client.GetAsync(new Uri("/", UriKind.Relative), Cancellation);
        Assert.Equal("text/html", page.Content.Headers.ContentType!.MediaType);
        string policy = page.Headers.GetValues("Content-Security-Policy").Single(),
            text = await page.Content.ReadAsStringAsync(Cancellation);
        Assert.Contains("default-src 'none'; script-src 'sha256-", policy);
        Assert.DoesNotContain("http", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Several_models_have_addresses_of_their_own_and_a_program_its_own_page()
    {
        FakeModel one = new(),
            other = new();
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddKeyedSingleton<IDeitModel>("one", one).AddKeyedSingleton<IDeitModel>("other", other);
        builder.Logging.ClearProviders();
        builder.Services.AddDeitServing(options => options.Page = false);
        await using WebApplication app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.MapGet("/", () => "mine");
        app.MapGroup("/one").MapDeit("one");
        app.MapGroup("/other").MapDeit("other");
        await app.StartAsync(Cancellation);
        using HttpClient client = new() { BaseAddress = new Uri(app.Urls.First()) };
        using ByteArrayContent picture = new(_pictures[0]);
        using HttpResponseMessage response = await client.PostAsync(
            new Uri("other/v1/classify", UriKind.Relative),
            picture,
            Cancellation
        );
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal((0, 1), (one.Seen.Count, other.Seen.Count));
        Assert.Equal("mine", await client.GetStringAsync(new Uri("/", UriKind.Relative), Cancellation));
        await app.StopAsync(Cancellation);
    }

    [Fact]
    public async Task A_page_in_a_group_asks_the_model_of_its_group_and_a_program_has_its_own_health()
    {
        FakeModel one = new();
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddKeyedSingleton<IDeitModel>("one", one);
        builder.Logging.ClearProviders();
        builder.Services.AddDeitServing(options => options.Health = options.Metrics = false);
        await using WebApplication app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        Microsoft.AspNetCore.Routing.RouteGroupBuilder group = app.MapGroup("/one");
        group.MapDeit("one");
        group.MapGet("/health", context => context.Response.WriteAsync("my health"));
        group.MapGet("/metrics", context => context.Response.WriteAsync("my figures"));
        await app.StartAsync(Cancellation);
        using HttpClient client = new() { BaseAddress = new Uri(app.Urls.First()) };
        // The page names its addresses relative to its own.
        using HttpResponseMessage page = await client.GetAsync(new Uri("one", UriKind.Relative), Cancellation);
        Assert.Equal("/one/", page.RequestMessage!.RequestUri!.AbsolutePath);
        Assert.Contains("ask(\"v1/classify\"", await page.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal("my health", await client.GetStringAsync(new Uri("one/health", UriKind.Relative), Cancellation));
        Assert.Equal("my figures", await client.GetStringAsync(new Uri("one/metrics", UriKind.Relative), Cancellation));
        await app.StopAsync(Cancellation);
    }

    [Fact]
    public void Mapping_without_the_services_says_what_is_missing()
    {
        WebApplication app = WebApplication.CreateSlimBuilder().Build();
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => app.MapDeit());
        Assert.Contains("AddDeitServing()", error.Message);
    }

    private static JsonNode Single(JsonNode answer) => Assert.Single(answer["results"]!.AsArray())!;

    private static float[] Floats(JsonNode? numbers) => [.. numbers!.AsArray().Select(number => (float)number!)];

    private static IEnumerable<ClassScore> Scores(JsonNode result) =>
        result["classes"]!
            .AsArray()
            .Select(score => new ClassScore(
                (int)score!["index"]!,
                (string)score["label"]!,
                (float)score["probability"]!
            ));
}
