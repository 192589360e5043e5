using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using Deit.Model;
using Deit.Model.Hub;
using Deit.Model.Text;

namespace Deit.Cli.Health;

/// <summary>Looks at the program, at limits of the system and at environment variables that change behaviour.</summary>
internal static class SystemChecks
{
    private const long FewFiles = 1024,
        FewProcesses = 256,
        LittleSpace = 1L << 40; // the runtime and drivers reserve far more than they use

    /// <summary>The variables of Deit.</summary>
    internal static readonly string[] Known =
    [
        "DEIT_CACHE",
        "DEIT_DEVICE",
        "DEIT_GOLDEN",
        "DEIT_MPI",
        "DEIT_TUNE",
        "DEIT_VALIDATION",
    ];

    // Those that drivers, containers and the runtime read, and that explain what is seen here.
    private static readonly string[] Others =
    [
        "XDG_CACHE_HOME",
        "TRANSFORMERS_OFFLINE",
        "HTTPS_PROXY",
        "https_proxy",
        "NVIDIA_DRIVER_CAPABILITIES",
        "NVIDIA_VISIBLE_DEVICES",
        "CUDA_VISIBLE_DEVICES",
        "DRI_PRIME",
        "LD_LIBRARY_PATH",
        "LIBGL_ALWAYS_SOFTWARE",
    ];

    private static readonly string[] Beginnings =
    [
        "DEIT_",
        "VK_",
        "HF_",
        "HUGGING",
        "MESA_",
        "LP_",
        "RADV_",
        "DOTNET_GC",
    ];

    /// <summary>Deit's version and the runtime's.</summary>
    public static IEnumerable<Finding> Program()
    {
        string version =
            typeof(SystemChecks)
                .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
                ?.InformationalVersion
            ?? "unknown";
        yield return Finding.Ok("program", "deit", version, new Dictionary<string, object?> { ["version"] = version });
        yield return Finding.Ok(
            "program",
            "runtime",
            $"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier}, "
                + $"{Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}",
            new Dictionary<string, object?>
            {
                ["runtime"] = RuntimeInformation.FrameworkDescription,
                ["system"] = RuntimeInformation.OSDescription,
                ["cores"] = Environment.ProcessorCount,
            }
        );
    }

    /// <summary>Limits of the process that a training may meet.</summary>
    /// <param name="lines">The lines of <c>/proc/self/limits</c>.</param>
    public static IEnumerable<Finding> Limits(IEnumerable<string> lines)
    {
        (string Begins, string Name, long Few, string Remedy)[] limits =
        [
            ("Max open files", "files", FewFiles, "raise it with: ulimit -n 4096"),
            ("Max processes", "processes", FewProcesses, "raise it with: ulimit -u 4096"),
            ("Max address space", "address_space", LittleSpace, "lift it with: ulimit -v unlimited"),
        ];
        foreach (string line in lines)
        foreach ((string begins, string name, long few, string remedy) in limits)
        {
            if (!line.StartsWith(begins, StringComparison.Ordinal))
                continue;
            string soft =
                line[begins.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault() ?? "";
            bool limited = long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out long value);
            Dictionary<string, object?> facts = new() { ["limit"] = limited ? value : null };
            yield return limited && value < few
                ? new Finding("limits", name, FindingState.Notice, $"at most {soft}", remedy, facts)
                : Finding.Ok("limits", name, limited ? $"at most {soft}" : "no limit", facts);
        }
    }

    /// <summary>Whether the variables of the Hub make sense together.</summary>
    /// <param name="read">Reads them.</param>
    public static IEnumerable<Finding> Hub(Func<HubSettings> read)
    {
        Finding finding;
        try
        {
            HubSettings settings = read();
            string token = settings.Token is null ? "no token" : "with a token";
            finding = Finding.Ok(
                "environment",
                "hub",
                $"{settings.Endpoint.AbsoluteUri.TrimEnd('/')}, {token}{(settings.IsOffline ? ", offline" : "")}",
                new Dictionary<string, object?>
                {
                    ["endpoint"] = settings.Endpoint.AbsoluteUri,
                    ["token"] = settings.Token is not null,
                    ["offline"] = settings.IsOffline,
                }
            );
        }
        catch (HubException error)
        {
            string[] parts = error.Message.TrimEnd('.').Split("; ", 2);
            finding = new Finding(
                "environment",
                "hub",
                FindingState.Wrong,
                parts[0],
                parts.Length > 1 ? parts[1] : null
            );
        }
        return [finding];
    }

    /// <summary>Variables that change behaviour. The values of secrets are not shown.</summary>
    public static IEnumerable<Finding> Variables(IDictionary environment)
    {
        foreach (string name in environment.Keys.Cast<string>().Where(IsOurs).Order(StringComparer.Ordinal))
        {
            string value = Shown(name, environment[name]?.ToString() ?? "");
            bool isUnknown = name.StartsWith("DEIT_", StringComparison.Ordinal) && !Known.Contains(name);
            Dictionary<string, object?> facts = new() { ["value"] = value };
            yield return isUnknown
                ? new Finding(
                    "environment",
                    name,
                    FindingState.Notice,
                    $"{value}; no variable of Deit has this name",
                    $"correct or unset it; there are {string.Join(", ", Known)}",
                    facts
                )
                : Finding.Ok("environment", name, value, facts);
        }
        string capabilities = environment["NVIDIA_DRIVER_CAPABILITIES"]?.ToString() ?? "";
        bool isContainer = environment.Contains("NVIDIA_VISIBLE_DEVICES");
        if (isContainer && !capabilities.Split(',').Any(part => part is "all" or "graphics"))
            yield return new Finding(
                "environment",
                "nvidia_container",
                FindingState.Wrong,
                "the container gets NVIDIA's driver without its Vulkan part",
                "start it with NVIDIA_DRIVER_CAPABILITIES=all"
            );
    }

    private static bool IsOurs(string name) =>
        Others.Contains(name) || Array.Exists(Beginnings, begin => name.StartsWith(begin, StringComparison.Ordinal));

    private static string Shown(string name, string value)
    {
        bool isSecret =
            !name.EndsWith("_PATH", StringComparison.Ordinal)
            && ((string[])["TOKEN", "SECRET", "PASSWORD", "KEY"]).Any(word =>
                name.Contains(word, StringComparison.Ordinal)
            );
        if (isSecret)
            return value.Length == 0 ? "empty" : "set, not shown";
        // Addresses may hold a user's name and password, and proxies are also named without a scheme.
        bool isAddress = ((string[])["PROXY", "ENDPOINT"]).Any(ending =>
            name.EndsWith(ending, StringComparison.OrdinalIgnoreCase)
        );
        return Credentials.Hidden(value, isAddress);
    }
}
