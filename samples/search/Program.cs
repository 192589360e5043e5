using Deit;
using Deit.Model;
using Deit.Samples.Search;

const string Usage = """
    Usage: deit-search index MODEL FOLDER INDEX      embeds the pictures of a folder and writes them to a file
           deit-search find MODEL INDEX PICTURE      names the five pictures that are the most similar
    MODEL is a folder that deit train wrote, such as runs/shoes/best.
    """;
if (args.Length != 4 || args[0] is not ("index" or "find"))
{
    Console.Error.WriteLine(Usage);
    return 2;
}
try
{
    await using DeitModel model = await DeitModel.LoadAsync(args[1], new DeitModelOptions { CpuFallback = true });
    if (args[0] == "index")
        await WriteIndex(model, args[2], args[3]);
    else
        foreach (
            (string path, float similarity) in PictureIndex.Read(args[2]).Nearest(await model.EmbedAsync(args[3]), 5)
        )
            Console.WriteLine($"{similarity, 6:0.000}  {path}");
    return 0;
}
catch (Exception error) when (error is DeitException or IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine(error.Message);
    return 1;
}

static async Task WriteIndex(IDeitModel model, string folder, string file)
{
    string[] paths =
    [
        .. Directory
            .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Where(path =>
                Path.GetExtension(path).ToLowerInvariant() is ".jpg" or ".jpeg" or ".png" or ".webp" or ".bmp"
            )
            .Order(StringComparer.Ordinal),
    ];
    // Pictures are decoded on all cores and computed in batches.
    IReadOnlyList<EmbeddingResult> results = await model.EmbedAsync(paths);
    foreach (EmbeddingResult result in results)
        if (result.Error is { } error)
            Console.Error.WriteLine(error.Message);
    PictureIndex index = new([
        .. results.Where(result => result.Embedding is not null).Select(result => (result.Path, result.Embedding!)),
    ]);
    index.Write(file);
    Console.WriteLine($"{index.Count} pictures of {paths.Length}");
}
