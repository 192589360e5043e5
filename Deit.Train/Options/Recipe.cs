using System.Text.Json;
using Deit.Model.Text;

namespace Deit.Train.Options;

/// <summary>The settings of a training that do not belong to one run. A recipe is one that comes along, by its name, or
/// a file.</summary>
internal static class Recipe
{
    // Recipes that come along are files in the folder Recipes, embedded under this prefix.
    private const string Resource = "recipe.";

    /// <summary>The names of the recipes that come along.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        .. typeof(Recipe)
            .Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Resource, StringComparison.Ordinal))
            .Select(name => name[Resource.Length..])
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>The options of a recipe.</summary>
    /// <param name="nameOrFile">
    /// A recipe that comes along, or a file that <see cref="Save"/> wrote. Settings that a file leaves out have their defaults.
    /// </param>
    /// <exception cref="DeitException">There is no such recipe or file, or the file has a key or value that no option has.</exception>
    public static TrainOptions Load(string nameOrFile) => Load(nameOrFile, out _);

    /// <summary>The options of a recipe.</summary>
    /// <param name="nameOrFile">A recipe that comes along, or a file.</param>
    /// <param name="given">The names of the flags to which the recipe gives a value, be it their default.</param>
    /// <exception cref="DeitException">There is no such recipe or file, or the file has a key or value that no option has.</exception>
    public static TrainOptions Load(string nameOrFile, out IReadOnlySet<string> given)
    {
        using Stream? embedded = typeof(Recipe).Assembly.GetManifestResourceStream(Resource + nameOrFile);
        if (embedded is null && !File.Exists(nameOrFile))
            throw new DeitException(
                DeitErrorKind.Usage,
                $"There is no recipe '{nameOrFile}'{Meant(nameOrFile)}; give one of {string.Join(", ", Names)}, "
                    + "or a file that --save-recipe wrote."
            );
        try
        {
            using Stream file = embedded ?? File.OpenRead(nameOrFile);
            return OptionsFile.Read(file, FlagScope.Recipe, out given);
        }
        catch (UnknownKeyException error)
        {
            throw new DeitException(DeitErrorKind.Data, $"The recipe '{nameOrFile}' {error.Sentence}", error);
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            string reason = error.Message.ReplaceLineEndings(" ").TrimEnd('.');
            throw new DeitException(
                DeitErrorKind.Data,
                $"The recipe '{nameOrFile}' cannot be read ({reason}); correct the file or write it anew with --save-recipe.",
                error
            );
        }
    }

    /// <summary>Writes every setting that belongs to a recipe.</summary>
    /// <param name="options">The settings.</param>
    /// <param name="path">The file.</param>
    /// <param name="network">False where nobody described the network: the recipe then names none, so that with
    /// <c>--finetune</c> it is that of the weights.</param>
    /// <exception cref="DeitException">The file cannot be written, or something else than a recipe has its name.</exception>
    public static void Save(TrainOptions options, string path, bool network = true)
    {
        if (File.Exists(path) && new FileInfo(path).Length > 0 && !IsRecipe(path))
            throw new DeitException(
                DeitErrorKind.Output,
                $"--save-recipe '{path}' names a file that is no recipe and would be lost; choose another name."
            );
        OptionsFile.Write(options, path, FlagScope.Recipe, network ? null : NetworkOfWeights.Flags);
    }

    private static string Meant(string name) =>
        NearestNames.Question(name, Names) is { } question ? $", {question}" : "";

    private static bool IsRecipe(string path)
    {
        try
        {
            using Stream file = File.OpenRead(path);
            OptionsFile.Read(file, FlagScope.Recipe);
            return true;
        }
        catch (Exception error)
            when (error is UnknownKeyException or JsonException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
