namespace Deit.Train.Data.Inspection;

/// <summary>Numbers with nouns.</summary>
internal static class Plural
{
    /// <summary>"1 picture", "2 pictures", "2 classes".</summary>
    public static string Of(int count, string noun) =>
        $"{count} {noun}{(count == 1 ? "" : noun.EndsWith('s') ? "es" : "s")}";
}
