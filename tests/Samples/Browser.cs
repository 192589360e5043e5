using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Deit.Tests.Samples;

/// <summary>A page in headless Chromium, driven over the Chrome DevTools Protocol.</summary>
internal sealed partial class Browser : IDisposable
{
    private readonly TemporaryFolder _profile;
    private readonly Command _chromium;
    private readonly ClientWebSocket _socket = new();
    private readonly List<string> _errors = [];
    private int _messages;

    private Browser(TemporaryFolder profile, Command chromium) => (_profile, _chromium) = (profile, chromium);

    /// <summary>Opens a page.</summary>
    public static async Task<Browser> Open(string address)
    {
        TemporaryFolder profile = new();
        Command chromium = Command.Start(
            "chromium",
            [
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--disable-dev-shm-usage",
                "--hide-scrollbars",
                "--window-size=980,620",
                "--remote-debugging-port=0",
                $"--user-data-dir={profile.Path}",
                "about:blank",
            ]
        );
        Browser browser = new(profile, chromium);
        try
        {
            Uri debugger = new(await chromium.Says(Debugger()));
            using HttpClient client = new();
            JsonNode page = JsonNode
                .Parse(await client.GetStringAsync($"http://{debugger.Authority}/json/list"))!
                .AsArray()
                .First(target => target!["type"]!.GetValue<string>() == "page")!;
            await browser._socket.ConnectAsync(
                new Uri(page["webSocketDebuggerUrl"]!.GetValue<string>()),
                CancellationToken.None
            );
            await browser.Send("Log.enable", []);
            await browser.Send("Runtime.enable", []);
            await browser.Send("Page.navigate", new JsonObject { ["url"] = address });
            await browser.Until("document.readyState === 'complete' && location.href !== 'about:blank'");
            return browser;
        }
        catch
        {
            browser.Dispose();
            throw;
        }
    }

    /// <summary>Errors and warnings of the console so far: scripts that fail, things that a policy refuses.</summary>
    public IReadOnlyList<string> Errors => _errors;

    /// <summary>Makes the window another one.</summary>
    /// <param name="width">Columns.</param>
    /// <param name="dark">Whether its system is dark.</param>
    public async Task Resize(int width, bool dark)
    {
        await Send(
            "Emulation.setDeviceMetricsOverride",
            new JsonObject
            {
                ["width"] = width,
                ["height"] = 900,
                ["deviceScaleFactor"] = 1,
                ["mobile"] = false,
            }
        );
        JsonObject feature = new() { ["name"] = "prefers-color-scheme", ["value"] = dark ? "dark" : "light" };
        await Send("Emulation.setEmulatedMedia", new JsonObject { ["features"] = new JsonArray(feature) });
    }

    /// <summary>The value of a JavaScript expression.</summary>
    public async Task<JsonNode?> Evaluate(string expression) =>
        (await Send("Runtime.evaluate", new JsonObject { ["expression"] = expression, ["returnByValue"] = true }))[
            "result"
        ]!["value"];

    /// <summary>Waits until a JavaScript expression is true.</summary>
    public async Task Until(string expression)
    {
        for (int attempt = 0; attempt < 1200; attempt++)
        {
            if ((await Evaluate(expression))?.GetValue<bool>() == true)
                return;
            await Task.Delay(50);
        }
        Assert.Fail($"The page never came to '{expression}': {await Evaluate("document.body.innerText")}");
    }

    /// <summary>Chooses a file as a user would in the dialog of an input.</summary>
    public async Task Choose(string selector, string path)
    {
        JsonNode document = await Send("DOM.getDocument", []);
        JsonNode input = await Send(
            "DOM.querySelector",
            new JsonObject { ["nodeId"] = document["root"]!["nodeId"]!.GetValue<int>(), ["selector"] = selector }
        );
        await Send(
            "DOM.setFileInputFiles",
            new JsonObject { ["nodeId"] = input["nodeId"]!.GetValue<int>(), ["files"] = new JsonArray(path) }
        );
    }

    /// <summary>Drops a file on the middle of an element.</summary>
    public async Task Drop(string selector, string path)
    {
        JsonNode box = (
            await Evaluate(
                $"(b => ({{ x: b.x + b.width / 2, y: b.y + b.height / 2 }}))(document.querySelector('{selector}').getBoundingClientRect())"
            )
        )!;
        foreach (string type in (string[])["dragEnter", "dragOver", "drop"])
            await Send(
                "Input.dispatchDragEvent",
                new JsonObject
                {
                    ["type"] = type,
                    ["x"] = box["x"]!.GetValue<double>(),
                    ["y"] = box["y"]!.GetValue<double>(),
                    ["data"] = new JsonObject
                    {
                        ["items"] = new JsonArray(),
                        ["files"] = new JsonArray(path),
                        ["dragOperationsMask"] = 1,
                    },
                }
            );
    }

    public void Dispose()
    {
        _socket.Dispose();
        _chromium.Dispose();
        _profile.Dispose();
    }

    private async Task<JsonNode> Send(string method, JsonObject parameters)
    {
        int id = ++_messages;
        JsonObject message = new()
        {
            ["id"] = id,
            ["method"] = method,
            ["params"] = parameters,
        };
        await _socket.SendAsync(
            JsonSerializer.SerializeToUtf8Bytes(message),
            WebSocketMessageType.Text,
            endOfMessage: true,
            CancellationToken.None
        );
        while (true)
        {
            using MemoryStream text = new();
            byte[] buffer = new byte[1 << 16];
            WebSocketReceiveResult received;
            do
            {
                received = await _socket.ReceiveAsync(buffer, CancellationToken.None);
                text.Write(buffer, 0, received.Count);
            } while (!received.EndOfMessage);
            JsonNode answer = JsonNode.Parse(text.ToArray())!;
            if (answer["id"]?.GetValue<int>() != id)
            {
                if (
                    answer["method"]?.GetValue<string>() is "Log.entryAdded" or "Runtime.exceptionThrown"
                    // Advice, such as on fields for passwords.
                    && answer["params"]!["entry"]?["level"]?.GetValue<string>() != "verbose"
                )
                    _errors.Add(answer["params"]!.ToJsonString());
                continue;
            }
            Assert.True(answer["error"] is null, $"{method}: {answer["error"]}");
            return answer["result"]!;
        }
    }

    [GeneratedRegex("DevTools listening on (ws://\\S+)")]
    private static partial Regex Debugger();
}
