using System.Runtime.InteropServices;
using Deit.Model;

namespace Deit.Samples.Search;

/// <summary>
/// Embeddings of pictures, to find the most similar ones. On disk it is two files: [pictures, D] floats as they lie in
/// memory (<c>numpy.fromfile(INDEX, "float32").reshape(-1, D)</c>), and beside it <c>INDEX.txt</c> with a path a line.
/// </summary>
internal sealed class PictureIndex
{
    private readonly string[] _paths;

    // [pictures, D], each row of length 1: the cosine of two is then the sum of their products.
    private readonly float[] _rows;

    private PictureIndex(string[] paths, float[] rows) => (_paths, _rows) = (paths, rows);

    public PictureIndex(IReadOnlyList<(string Path, Embedding Embedding)> pictures)
        : this(
            [.. pictures.Select(picture => picture.Path)],
            [.. pictures.SelectMany(picture => Normalize(picture.Embedding))]
        ) { }

    public int Count => _paths.Length;

    public static PictureIndex Read(string file)
    {
        string[] paths = File.ReadAllLines($"{file}.txt");
        float[] rows = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(file)).ToArray();
        if (paths.Length > 0 && rows.Length % paths.Length != 0)
            throw new IOException($"'{file}' and '{file}.txt' do not belong together; write the index again.");
        return new PictureIndex(paths, rows);
    }

    public void Write(string file)
    {
        File.WriteAllBytes(file, MemoryMarshal.AsBytes(_rows.AsSpan()));
        File.WriteAllLines($"{file}.txt", _paths);
    }

    /// <summary>The most similar pictures, the nearest first, with the cosine of the angle between the embeddings.</summary>
    public IEnumerable<(string Path, float Similarity)> Nearest(Embedding query, int count)
    {
        float[] wanted = Normalize(query);
        if (_rows.Length != _paths.Length * wanted.Length)
            throw new IOException("The index was written with another model; write it again with this one.");
        return _paths
            .Select((path, i) => (path, Similarity: Dot(wanted, _rows.AsSpan(i * wanted.Length, wanted.Length))))
            .OrderByDescending(pair => pair.Similarity)
            .Take(count);
    }

    private static float[] Normalize(Embedding embedding)
    {
        float length = MathF.Sqrt(Dot(embedding.Class, embedding.Class));
        return Array.ConvertAll(embedding.Class, value => value / length);
    }

    private static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        float sum = 0;
        for (int i = 0; i < a.Length; i++)
            sum += a[i] * b[i];
        return sum;
    }
}
