using System.Text;
using Deit.Gpu;
using Deit.Train.Data.Randomness;

namespace Deit.Train.Data.Splits;

/// <summary>
/// Holds out a share of each class. A hash of seed and file name decides, so the split is the same on every machine and a picture that is
/// added later moves at most one other across.
/// </summary>
internal static class ValidationSplit
{
    /// <summary>The files of a class that are of one side, in the order given.</summary>
    /// <param name="files">All files of the class.</param>
    /// <param name="fraction">The share held out, rounded; of two files or more at least one is held out and at least one is not.</param>
    /// <param name="seed">Decides which.</param>
    /// <param name="validation">True for those held out, false for the others.</param>
    public static string[] Select(string[] files, double fraction, ulong seed, bool validation)
    {
        if (fraction == 0)
            return validation ? [] : files;
        int count = files.Length < 2 ? 0 : Math.Clamp((int)Math.Round(files.Length * fraction), 1, files.Length - 1);
        HashSet<string> held = [.. files.OrderBy(file => Rank(file, seed)).Take(count)]; // equal ranks keep their order
        return [.. files.Where(file => held.Contains(file) == validation)];
    }

    private static ulong Rank(string file, ulong seed)
    {
        (uint high, uint low, _, _) = Philox.Next(seed, 0, RandomSite.ValidationSplit, Hash(file));
        return ((ulong)high << 32) | low;
    }

    // FNV-1a: any hash that no version of the runtime changes.
    private static ulong Hash(string text)
    {
        ulong hash = 0xcbf29ce484222325;
        foreach (byte value in Encoding.UTF8.GetBytes(text))
            hash = (hash ^ value) * 0x100000001b3;
        return hash;
    }
}
