using System.Text.Json;
using System.Text.Json.Nodes;
using Deit.Model.Images;
using Deit.Tests.Model.Images;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Deit.Tests.Model.AspNetCore;

/// <summary>The description of the interface, which is written by hand, against what is really mapped and answered.</summary>
public sealed class OpenApiTests : IAsyncLifetime
{
    private readonly HeldModel _model = new();
    private readonly byte[] _picture = ImageEncoder.Jpeg(TestImages.Smooth(40, 30), 90);
    private ServedModel _served = null!;
    private JsonObject _document = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _served = await ServedModel.Start(_model, options => options.ApiKeys.Add("key"));
        _served.Client.DefaultRequestHeaders.Add("X-API-Key", "key");
        _document = JsonNode
            .Parse(await _served.Client.GetStringAsync(new Uri("openapi.json", UriKind.Relative), Cancellation))!
            .AsObject();
    }

    public ValueTask DisposeAsync() => _served.DisposeAsync();

    [Fact]
    public void It_has_the_endpoints_that_are_mapped()
    {
        IEnumerable<string> mapped = _served
            .Services.GetRequiredService<EndpointDataSource>()
            .Endpoints.Cast<RouteEndpoint>()
            .Select(endpoint => endpoint.RoutePattern.RawText!);
        Assert.Equal(
            mapped.Except(["/", "/openapi.json"]).Order(StringComparer.Ordinal),
            _document["paths"]!.AsObject().Select(path => path.Key).Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public async Task Answers_have_the_schemas_that_it_says()
    {
        foreach (string path in (string[])["/v1/classify", "/v1/embed", "/v1/attention"])
        {
            MultipartFormDataContent form = [];
            form.Add(new ByteArrayContent(_picture), "a", "a.jpg");
            form.Add(new ByteArrayContent("text"u8.ToArray()), "b", "b.txt");
            await Conforms(HttpMethod.Post, path, form, 200);
            await Conforms(HttpMethod.Post, path, new ByteArrayContent("text"u8.ToArray()), 415);
            await Conforms(HttpMethod.Post, path, new ByteArrayContent([]), 400);
        }
        await Conforms(HttpMethod.Get, "/v1/model", content: null, 200);
        await Conforms(HttpMethod.Get, "/metrics", content: null, 200);
        _model.Failure = new Deit.Gpu.GpuException(Deit.Gpu.GpuErrorKind.DeviceLost, "lost");
        await Conforms(HttpMethod.Post, "/v1/classify", new ByteArrayContent(_picture), 503);
        _model.Failure = new InvalidOperationException();
        await Conforms(HttpMethod.Post, "/v1/classify", new ByteArrayContent(_picture), 500);
        _served.Client.DefaultRequestHeaders.Remove("X-API-Key");
        await Conforms(HttpMethod.Post, "/v1/classify", new ByteArrayContent(_picture), 401);
        await Conforms(HttpMethod.Get, "/v1/model", content: null, 401);
    }

    // A description that is too wide would let every answer pass.
    [Fact]
    public void An_answer_of_another_form_does_not_conform()
    {
        JsonNode results = _document["components"]!["schemas"]!["Results"]!;
        Assert.Empty(Faults(JsonNode.Parse("{\"results\": [{\"name\": \"a\", \"embedding\": [1.5]}]}"), results));
        foreach (
            string wrong in (string[])
                [
                    "{}",
                    "[]",
                    "{\"results\": {}}",
                    "{\"results\": [{\"nam\": \"a\"}]}",
                    "{\"results\": [{\"name\": 1}]}",
                    "{\"results\": [{\"embedding\": [\"1\"]}]}",
                    "{\"results\": [{\"classes\": [{\"index\": 0, \"label\": \"a\"}]}]}",
                    "{\"results\": [{\"classes\": [{\"index\": 0.5, \"label\": \"a\", \"probability\": 1}]}]}",
                    "{\"results\": [{\"classes\": [{\"index\": 0, \"label\": \"a\", \"probability\": 2}]}]}",
                ]
        )
            Assert.NotEmpty(Faults(JsonNode.Parse(wrong), results));
    }

    [Fact]
    public void Every_reference_leads_somewhere()
    {
        string text = _document.ToJsonString();
        foreach (string name in text.Split("#/components/schemas/").Skip(1).Select(rest => rest.Split('"')[0]))
            Assert.NotNull(_document["components"]!["schemas"]![name]);
        Assert.StartsWith("3.1.", (string)_document["openapi"]!);
    }

    private async Task Conforms(HttpMethod method, string path, HttpContent? content, int status)
    {
        using HttpRequestMessage request = new(method, path) { Content = content };
        using HttpResponseMessage response = await _served.Client.SendAsync(request, Cancellation);
        Assert.Equal(status, (int)response.StatusCode);
        JsonNode operation = _document["paths"]![path]![method.Method.ToLowerInvariant()]!;
        JsonNode? described = operation["responses"]![$"{status}"];
        Assert.True(described is not null, $"{method} {path} answers {status}, which is not described.");
        string type = response.Content.Headers.ContentType!.MediaType!;
        JsonNode? schema = described["content"]![type]?["schema"];
        Assert.True(schema is not null, $"{method} {path} answers {type}, which is not described.");
        if (type != "text/plain")
            Assert.Empty(Faults(await ServedModel.Json(response), schema));
        if (described["headers"]?["Retry-After"] is not null)
            Assert.NotNull(response.Headers.RetryAfter);
    }

    /// <summary>What of a value is other than a schema says: the part of JSON Schema that the document uses.</summary>
    private IEnumerable<string> Faults(JsonNode? value, JsonNode schema, string place = "$")
    {
        if (schema["$ref"] is { } reference)
        {
            string name = ((string)reference!).Split('/')[^1];
            return Faults(value, _document["components"]!["schemas"]![name]!, place);
        }
        JsonValueKind kind = value?.GetValueKind() ?? JsonValueKind.Null;
        return (string?)schema["type"] switch
        {
            "object" => kind == JsonValueKind.Object
                ? OfObject(value!.AsObject(), schema, place)
                : [$"{place} is {kind}"],
            "array" => kind == JsonValueKind.Array
                ? value!.AsArray().SelectMany((item, i) => Faults(item, schema["items"]!, $"{place}[{i}]"))
                : [$"{place} is {kind}"],
            "string" => kind == JsonValueKind.String ? [] : [$"{place} is {kind}"],
            "boolean" => kind is JsonValueKind.True or JsonValueKind.False ? [] : [$"{place} is {kind}"],
            string number and ("number" or "integer") => kind == JsonValueKind.Number
                ? OfNumber((double)value!, number, schema, place)
                : [$"{place} is {kind}"],
            _ => [$"{place} has a schema that this test does not know"],
        };
    }

    private IEnumerable<string> OfObject(JsonObject value, JsonNode schema, string place)
    {
        foreach (JsonNode? required in schema["required"]?.AsArray() ?? [])
            if (!value.ContainsKey((string)required!))
                yield return $"{place} has no {required}";
        foreach ((string name, JsonNode? inner) in value)
            if (schema["properties"]?[name] is { } described)
                foreach (string fault in Faults(inner, described, $"{place}.{name}"))
                    yield return fault;
            else
                yield return $"{place} has {name}, which is not described";
    }

    private static IEnumerable<string> OfNumber(double value, string type, JsonNode schema, string place)
    {
        if (type == "integer" && value != Math.Floor(value))
            yield return $"{place} is {value}";
        if (
            value < ((double?)schema["minimum"] ?? double.MinValue)
            || value > ((double?)schema["maximum"] ?? double.MaxValue)
        )
            yield return $"{place} is {value}";
    }
}
