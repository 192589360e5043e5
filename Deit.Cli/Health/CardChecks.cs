namespace Deit.Cli.Health;

/// <summary>Looks for graphics cards of this machine that the process may not open.</summary>
internal static class CardChecks
{
    /// <summary>The files of cards in a folder such as <c>/dev/dri</c>.</summary>
    /// <param name="folder">The folder; it need not exist.</param>
    /// <param name="canBeOpened">Whether this process may open a file.</param>
    public static IEnumerable<Finding> Cards(string folder, Func<string, bool> canBeOpened)
    {
        if (!Directory.Exists(folder))
            yield break;
        foreach (string card in Directory.EnumerateFiles(folder, "renderD*").Order(StringComparer.Ordinal))
        {
            Dictionary<string, object?> facts = new() { ["file"] = card };
            yield return canBeOpened(card)
                ? Finding.Ok("device", "card", $"{card} can be opened", facts)
                : new Finding(
                    "device",
                    "card",
                    FindingState.Wrong,
                    $"{card} may not be opened by this user, so that its driver sees no card",
                    "add the user to the groups render and video, and log in again; in a container, pass the device in",
                    facts
                );
        }
    }

    /// <summary>Whether this process may read and write a file.</summary>
    public static bool CanBeOpened(string path)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
        catch (IOException)
        {
            return true; // another reason, such as a lock, which is none of permissions
        }
    }
}
