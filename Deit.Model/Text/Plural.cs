namespace Deit.Model.Text;

/// <summary>Numbers with nouns and verbs.</summary>
internal static class Plural
{
    /// <summary>"1 picture", "2 pictures", "2 classes".</summary>
    public static string Of(int count, string noun) =>
        $"{count} {noun}{Choose(count, "", noun.EndsWith('s') ? "es" : "s")}";

    /// <summary>The word of one, or that of several.</summary>
    public static string Choose(int count, string one, string several) => count == 1 ? one : several;
}
