using Deit.Model.Hub;

namespace Deit.Tests.Model.Hub;

/// <summary>Pulls of tests, and what they hear.</summary>
internal sealed class HubPull : IHubObserver
{
    public List<string> Notices { get; } = [];

    public List<HubProgress> Reports { get; } = [];

    /// <summary>Called at each report, to end a pull in its middle.</summary>
    public Action? OnReport { get; set; }

    public void Notice(string sentence) => Notices.Add(sentence);

    public void Report(HubProgress progress)
    {
        Reports.Add(progress);
        OnReport?.Invoke();
    }

    /// <summary>Settings for a server and a cache of a test.</summary>
    public static HubSettings Settings(HubServer server, string cache) =>
        new()
        {
            Endpoint = server.Address,
            CacheFolder = cache,
            Time = new HurriedTime(),
            AnswerTimeout = TimeSpan.FromSeconds(200), // 2 s on the hurried clock
            StallTimeout = TimeSpan.FromSeconds(40),
        };

    public Task<HubSnapshot> Run(HubSettings settings, string name = "owner/repo", Action<string>? check = null) =>
        Pull(settings, name, check, TestContext.Current.CancellationToken);

    /// <summary>Pulls the only repository until the token says otherwise.</summary>
    public Task<HubSnapshot> RunUntil(HubSettings settings, CancellationToken cancellation) =>
        Pull(settings, "owner/repo", null, cancellation);

    private async Task<HubSnapshot> Pull(
        HubSettings settings,
        string name,
        Action<string>? check,
        CancellationToken cancellation
    )
    {
        using HubClient client = new(settings, this);
        return await client.Pull(HubName.Parse(name), check, cancellation);
    }
}
