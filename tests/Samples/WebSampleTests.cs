using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Deit.Model;

namespace Deit.Tests.Samples;

/// <summary>The web sample: its page in a browser and its endpoint alone.</summary>
[Trait("Category", "Samples")]
public sealed partial class WebSampleTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private Command? _server;
    private string _address = "";

    public async ValueTask InitializeAsync()
    {
        ColorModel.Write(_folder["model"]);
        _server = Start("--model", _folder["model"], "--urls", "http://127.0.0.1:0");
        _address = await _server.Says(Listening());
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    public void Dispose()
    {
        _server?.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_picture_that_is_chosen_or_dropped_is_shown_with_its_classes()
    {
        using Browser browser = await Browser.Open(_address);
        await browser.Choose("#file", ColorModel.WritePicture(_folder, "green"));
        await browser.Until("document.querySelectorAll('#classes li').length === 3");
        await Shows(browser, "green");

        await browser.Drop("#drop", ColorModel.WritePicture(_folder, "blue"));
        await browser.Until("document.querySelector('#status').textContent.startsWith('blue.png, ')");
        await Shows(browser, "blue");

        // The map of attention lies on the picture, and can be hidden.
        await browser.Until("document.querySelector('#drop canvas') !== null");
        await browser.Evaluate("document.querySelector('#attention').click()");
        await browser.Until("document.querySelector('#drop canvas').hidden");
        Assert.Empty(browser.Errors);

        string broken = _folder["broken.png"];
        await File.WriteAllTextAsync(broken, "no picture", TestContext.Current.CancellationToken);
        await browser.Choose("#file", broken);
        await browser.Until("document.querySelector('#status').classList.contains('error')");
        Assert.Contains(
            "it is text that begins",
            (await browser.Evaluate("document.querySelector('#status').textContent"))!.GetValue<string>()
        );
        Assert.Equal(0, (await browser.Evaluate("document.querySelectorAll('#classes li').length"))!.GetValue<int>());
    }

    [Fact]
    public async Task The_endpoint_answers_as_the_model_does()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        using DeitModel model = DeitModel.Load(_folder["model"], new DeitModelOptions { CpuFallback = true });
        using HttpClient client = new() { BaseAddress = new Uri(_address) };
        foreach (string label in ColorModel.Labels)
        {
            byte[] picture = await File.ReadAllBytesAsync(ColorModel.WritePicture(_folder, label), cancellation);
            using ByteArrayContent content = new(picture);
            using HttpResponseMessage response = await client.PostAsync(
                new Uri("v1/classify", UriKind.Relative),
                content,
                cancellation
            );
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            JsonArray classes = JsonNode.Parse(await response.Content.ReadAsStringAsync(cancellation))!["results"]![0]![
                "classes"
            ]!.AsArray();
            // Single precision survives its shortest text, and the same device gives the same bits.
            Assert.Equal(
                model.Classify((ReadOnlySpan<byte>)picture).Scores,
                classes.Select(score => new ClassScore(
                    score!["index"]!.GetValue<int>(),
                    score["label"]!.GetValue<string>(),
                    score["probability"]!.GetValue<float>()
                ))
            );
            Assert.Equal(label, classes[0]!["label"]!.GetValue<string>());
        }
        Assert.Equal("Healthy", await client.GetStringAsync(new Uri("health", UriKind.Relative), cancellation));
        using ByteArrayContent nothing = new([]);
        using HttpResponseMessage refused = await client.PostAsync(
            new Uri("v1/classify", UriKind.Relative),
            nothing,
            cancellation
        );
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
    }

    [Fact]
    public async Task Without_a_model_or_a_device_it_says_so_and_ends()
    {
        (string Expected, string[] Arguments, (string, string)[] Environment)[] cases =
        [
            ("does not exist", ["--model", _folder["nothing"]], []),
            (
                "driver",
                ["--model", _folder["model"]],
                [("VK_DRIVER_FILES", _folder["none.json"]), ("VK_ICD_FILENAMES", _folder["none.json"])]
            ),
        ];
        foreach ((string expected, string[] arguments, (string, string)[] environment) in cases)
        {
            CommandResult result = await Command.Run(
                "dotnet",
                [Repository.Built("web", "deit-web.dll"), .. arguments],
                folder: null,
                environment
            );
            Assert.Equal(1, result.ExitCode);
            Assert.Contains(expected, result.Error);
        }
    }

    private static Command Start(params string[] arguments) =>
        Command.Start("dotnet", [Repository.Built("web", "deit-web.dll"), .. arguments]);

    /// <summary>The page names a class first, with a bar as long as it is probable, and shows the picture.</summary>
    private static async Task Shows(Browser browser, string label)
    {
        Assert.Equal(
            label,
            (await browser.Evaluate("document.querySelector('#classes li span').textContent"))!.GetValue<string>()
        );
        string percent = (
            await browser.Evaluate("document.querySelector('#classes li span + span').textContent")
        )!.GetValue<string>();
        Assert.Equal(
            percent.Replace(" ", ""),
            (
                await browser.Evaluate("document.querySelector('#classes li i').style.getPropertyValue('--share')")
            )!.GetValue<string>()
        );
        await browser.Until(
            "(i => i !== null && i.complete && i.naturalWidth === 90)(document.querySelector('#drop img'))"
        );
    }

    [GeneratedRegex("Now listening on: (http://\\S+)")]
    private static partial Regex Listening();
}
