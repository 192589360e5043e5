namespace Deit.Model.Hub;

/// <summary>How far the weights of a model are fetched.</summary>
/// <param name="Model">The repository.</param>
/// <param name="File">The file that is being fetched.</param>
/// <param name="Done">Bytes that are there, those of an earlier call included that was interrupted.</param>
/// <param name="Total">Bytes that there will be.</param>
internal readonly record struct HubProgress(string Model, string File, long Done, long Total);

/// <summary>Hears how models are fetched. It decides nothing.</summary>
internal interface IHubObserver
{
    /// <summary>Something that the user may want to act on.</summary>
    /// <param name="sentence">A sentence without a full stop.</param>
    void Notice(string sentence);

    /// <summary>More of the weights was fetched. Nothing is reported of a model that is in the cache.</summary>
    void Report(HubProgress progress);
}
