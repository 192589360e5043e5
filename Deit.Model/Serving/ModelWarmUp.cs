using Microsoft.Extensions.Hosting;

namespace Deit.Model.Serving;

/// <summary>Begins to load a model when its program starts, and lets the program start meanwhile.</summary>
internal sealed class ModelWarmUp(HostedModel model) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _ = model.Loading;
        return Task.CompletedTask;
    }

    // The container disposes the model.
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
