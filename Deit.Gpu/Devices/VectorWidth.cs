using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;

namespace Deit.Gpu;

/// <summary>
/// How many bits of a vector Mesa's CPU driver uses. It takes 256 unless the environment says otherwise when the driver is
/// loaded. Some processors are faster with 512. <c>deit bench vectors</c> measures that and keeps the answer beside the
/// kernel choices; each process takes it before it loads Vulkan. The variables hold for the whole process, and for all
/// drivers of Mesa in it.
/// </summary>
internal static partial class VectorWidth
{
    /// <summary>The variable by which the driver is told.</summary>
    public const string Variable = "LP_NATIVE_VECTOR_WIDTH";

    /// <summary>The variable that says where the driver keeps compiled code.</summary>
    public const string CodeVariable = "MESA_SHADER_CACHE_DIR";

    private const string FileName = "vectors.txt",
        Prefix = "vectors-";
    private const int DriversOwn = 256;
    private static readonly string[] DriverVariables = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];
    private static readonly Lock Gate = new();
    private static bool s_isApplied;

    /// <summary>The widths to choose from on this processor; one where there is no choice.</summary>
    public static IReadOnlyList<int> Widths => OperatingSystem.IsLinux() && Avx512F.IsSupported ? [256, 512] : [256];

    /// <summary>Where the answer is kept.</summary>
    public static string File => Path.Combine(CacheFolder.Place, FileName);

    /// <summary>Tells the driver the width that was measured. Does nothing where none was, or after the first call.</summary>
    public static void Apply()
    {
        lock (Gate)
        {
            if (s_isApplied || !OperatingSystem.IsLinux())
                return;
            s_isApplied = true;
            foreach (
                (string name, string value) in Plan(Environment.GetEnvironmentVariable, CacheFolder.Place, Usable())
            )
            {
                if (name == CodeVariable)
                    MakeFolder(value);
                _ = SetEnvironment(name, value, 1);
            }
        }
    }

    // Mesa makes the last folder alone.
    private static void MakeFolder(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // Mesa says that it keeps no code then.
        }
    }

    /// <summary>
    /// What the environment is to say. A width of the user's own stands. With any width but the driver's own, compiled
    /// code lies in a folder of its own: the driver's does not tell the widths apart, and a process ends by a fault where
    /// it runs the code of another.
    /// </summary>
    /// <param name="variable">The value of a variable; null where it has none.</param>
    /// <param name="cache">The folder of caches.</param>
    /// <param name="measured">The measured width; null where none holds here.</param>
    internal static IEnumerable<(string Name, string Value)> Plan(
        Func<string, string?> variable,
        string cache,
        int? measured
    )
    {
        // The driver passes over what is no number.
        bool isOwn = variable(Variable) is { Length: > 0 };
        int width =
            !isOwn ? measured ?? DriversOwn
            : int.TryParse(variable(Variable), NumberStyles.None, CultureInfo.InvariantCulture, out int bits) ? bits
            : DriversOwn;
        string? given = variable(CodeVariable) is { Length: > 0 } code ? code : null,
            shared = Inherited(given);
        if (width == DriversOwn)
        {
            // A process that started this one may have had another length, whose code lies there.
            if (shared is not null)
                yield return (CodeVariable, shared);
            yield break;
        }
        if (!isOwn)
            yield return (Variable, width.ToString(CultureInfo.InvariantCulture));
        string folder = Path.Combine(
            shared ?? given ?? Path.Combine(cache, "mesa"),
            string.Create(CultureInfo.InvariantCulture, $"{Prefix}{width}")
        );
        if (folder != given)
            yield return (CodeVariable, folder);
    }

    // The folder around that of another length; null where a folder is of no length.
    private static string? Inherited(string? folder) =>
        Path.GetFileName(folder)?.StartsWith(Prefix, StringComparison.Ordinal) == true
            ? Path.GetDirectoryName(folder)
            : null;

    /// <summary>Keeps an answer for the driver that this process has loaded, and says whether later processes will find it.</summary>
    public static bool Keep(int bits)
    {
        if (Loaded() is { } library)
            CacheFolder.TryWrite(File, Encoding.UTF8.GetBytes(Answer(bits, library, Processor(), Manifests())));
        return Usable() == bits;
    }

    /// <summary>
    /// An answer as it is kept, with what it was measured on: the processor, the variables that name drivers, and the
    /// driver's library with its length and the time of its last change. It holds where all of them are the same.
    /// </summary>
    internal static string Answer(int bits, string library, string processor, string manifests) =>
        string.Create(CultureInfo.InvariantCulture, $"{bits}\n{library}\n{Stamp(library)}\n{processor}\n{manifests}\n");

    /// <summary>The width of an answer; null where it does not hold here.</summary>
    /// <param name="answer">The text that was kept.</param>
    /// <param name="processor">The processor.</param>
    /// <param name="manifests">The variables that name drivers.</param>
    internal static int? Bits(string answer, string processor, string manifests)
    {
        string[] lines = answer.Split('\n');
        return
            lines.Length > 1
            && int.TryParse(lines[0], NumberStyles.None, CultureInfo.InvariantCulture, out int bits)
            && Widths.Contains(bits)
            && Stamp(lines[1]).Length > 0
            && answer == Answer(bits, lines[1], processor, manifests)
            ? bits
            : null;
    }

    private static int? Usable()
    {
        try
        {
            return Bits(System.IO.File.ReadAllText(File), Processor(), Manifests());
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null; // there is no answer, or it is garbage
        }
    }

    private static string Manifests() =>
        string.Join('|', DriverVariables.Select(name => Environment.GetEnvironmentVariable(name) ?? ""));

    private static string Stamp(string library) =>
        library.Length > 0 && new FileInfo(library) is { Exists: true } file
            ? string.Create(CultureInfo.InvariantCulture, $"{file.Length} {file.LastWriteTimeUtc:O}")
            : "";

    // The library of Mesa's CPU driver among those that the process has loaded.
    private static string? Loaded() =>
        System
            .IO.File.ReadLines("/proc/self/maps")
            .Select(line => line[(line.IndexOf('/') is >= 0 and var at ? at : line.Length)..])
            .FirstOrDefault(path => Path.GetFileName(path).StartsWith("libvulkan_lvp", StringComparison.Ordinal));

    private static string Processor() =>
        System
            .IO.File.ReadLines("/proc/cpuinfo")
            .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))
        ?? "";

    // The runtime's own way changes what .NET sees, and not what a library of C does.
    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
