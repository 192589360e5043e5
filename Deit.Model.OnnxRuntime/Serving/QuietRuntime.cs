using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace Deit.Model.OnnxRuntime;

/// <summary>
/// Starts ONNX Runtime without its telemetry, which official builds since 1.29 send to their maker over HTTPS unless told
/// otherwise: names and hashes of models among it. A program that started the runtime itself, or that has set the
/// variable ORT_DISABLE_TELEMETRY to anything, has decided for itself.
/// </summary>
internal static partial class QuietRuntime
{
    private const string Variable = "ORT_DISABLE_TELEMETRY";

    // The runtime has one environment in a process, which is made by whoever asks first.
    private static readonly Lock Gate = new();

    /// <summary>Starts the runtime, unless it runs.</summary>
    public static void Start()
    {
        lock (Gate)
        {
            if (OrtEnv.IsCreated || Environment.GetEnvironmentVariable(Variable) is not null)
                return;
            Environment.SetEnvironmentVariable(Variable, "1");
            // On other systems than Windows .NET changes a copy of its own, which no library of C sees.
            if (!OperatingSystem.IsWindows())
                _ = SetEnvironment(Variable, "1", overwrite: 0);
            OrtEnv.Instance().DisableTelemetryEvents();
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
