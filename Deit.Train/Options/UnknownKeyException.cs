using System.Text.Json;
using Deit.Model.Text;

namespace Deit.Train.Options;

/// <summary>A file of options has a key that no flag has.</summary>
/// <param name="key">The key.</param>
/// <param name="known">The keys there are.</param>
internal sealed class UnknownKeyException(string key, IEnumerable<string> known)
    : JsonException($"it has the unknown key '{key}'; {Remedy(key, known)}")
{
    /// <summary>The mistake and its remedy, to follow the name of the file.</summary>
    public string Sentence { get; } = $"has the unknown key '{key}'; {Remedy(key, known)}.";

    private static string Remedy(string key, IEnumerable<string> known) =>
        NearestNames.Question(key, known) ?? "its keys are the flags of deit train --help with underscores";
}
