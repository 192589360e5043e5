using Deit.Model.Hub;
using Microsoft.Extensions.Logging;

namespace Deit.Model.Serving;

/// <summary>Tells of the download of a model that is being loaded.</summary>
/// <param name="logger">Told what the user may want to act on.</param>
/// <param name="progress">Told how far it is; null for nobody.</param>
internal sealed class LoadDownload(ILogger logger, IProgress<LoadProgress>? progress) : IHubObserver
{
    // A download takes most of the time of loading.
    private const double Share = 0.9;
    private double _before;

    /// <inheritdoc/>
    public void Notice(string sentence)
    {
        EngineLog.HubNotice(logger, sentence);
        HubModels.Observer?.Notice(sentence);
    }

    /// <inheritdoc/>
    public void Report(HubProgress download)
    {
        HubModels.Observer?.Report(download);
        // What was told does not fall, though a server may make a download begin anew.
        double fraction = download.Total > 0 ? Share * download.Done / download.Total : 0;
        _before = Math.Max(_before, Math.Clamp(fraction, 0, Share));
        progress?.Report(new LoadProgress(LoadStage.Download, _before));
    }

    /// <summary>The beginning of a stage behind the download.</summary>
    public LoadProgress Progress(LoadStage stage)
    {
        LoadProgress alone = LoadProgress.Of(stage);
        return alone with { Fraction = _before + ((1 - _before) * alone.Fraction) };
    }
}
