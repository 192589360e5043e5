using Microsoft.Extensions.Hosting;

namespace Deit.Model.Serving;

/// <summary>Begins to load a model when its program starts, and lets the program start meanwhile.</summary>
/// <param name="model">The model of the container. One that the program has put in its place is left alone.</param>
internal sealed class ModelWarmUp(IDeitModel model) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _ = (model as HostedModel)?.Loading;
        return Task.CompletedTask;
    }

    // The container disposes the model.
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
