namespace Deit.Model.AspNetCore;

/// <summary>An encoded picture of a request.</summary>
/// <param name="Name">Its file name as the client says; null where it says none.</param>
/// <param name="Number">Its place among the pictures of the request, from 1.</param>
/// <param name="Bytes">The bytes.</param>
internal sealed record RequestPicture(string? Name, int Number, HeldBytes Bytes)
{
    /// <summary>What sentences call it.</summary>
    public string Title => Name ?? $"picture {Number}";
}

/// <summary>The encoded pictures of a request, whose memory is given back with them.</summary>
internal sealed class RequestPictures : IDisposable
{
    private readonly List<RequestPicture> _pictures = [];

    public IReadOnlyList<RequestPicture> All => _pictures;

    /// <summary>Adds a picture and takes its bytes over.</summary>
    public void Add(string? name, HeldBytes bytes) =>
        _pictures.Add(new RequestPicture(name, _pictures.Count + 1, bytes));

    public void Dispose()
    {
        foreach (RequestPicture picture in _pictures)
            ((IDisposable)picture.Bytes).Dispose();
        _pictures.Clear();
    }
}
