using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Deit.Model.Files;

/// <summary>The process that holds a lock, as the lock's file names it.</summary>
/// <param name="Process">The number of the process on its host.</param>
/// <param name="Host">The name of its machine.</param>
/// <param name="Command">Its command line, cut to 200 characters.</param>
/// <param name="Start">The time at which it took the lock, in UTC.</param>
/// <param name="Token">Tells this lock from every other.</param>
internal sealed record LockHolder(int Process, string Host, string Command, string Start, string Token)
{
    /// <summary>More bytes than a file of ours has.</summary>
    public const int LongestFile = 1 << 14;

    /// <summary>This process, with a new token.</summary>
    public static LockHolder Self()
    {
        string[] command = Environment.GetCommandLineArgs();
        string text = string.Join(' ', command.Skip(1).Prepend(Path.GetFileNameWithoutExtension(command[0])));
        return new LockHolder(
            Environment.ProcessId,
            Environment.MachineName,
            text.Length > 200 ? $"{text[..200]}..." : text,
            DateTime.UtcNow.ToString("u", CultureInfo.InvariantCulture),
            Guid.NewGuid().ToString("N")
        );
    }

    /// <summary>Reads a lock's file, held or not; null where there is none or it is no lock.</summary>
    public static LockHolder? Read(string path)
    {
        try
        {
            return Parse(SharedFile.ReadAllBytes(path));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The holder that a file names; null where it names none.</summary>
    public static LockHolder? Parse(byte[] file)
    {
        try
        {
            return
                JsonSerializer.Deserialize(file, LockJson.Default.LockHolder)
                    is { Host: not null, Command: not null, Start: not null, Token: not null } holder
                ? holder
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>The form of a lock's file.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(LockHolder))]
internal sealed partial class LockJson : JsonSerializerContext;
