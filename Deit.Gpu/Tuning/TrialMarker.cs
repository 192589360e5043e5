using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Deit.Gpu;

/// <summary>
/// Names the kernels that are being tried in a file that is locked while its process lives. A file that a process left
/// behind names the kernels that it did not survive. Each measurement has a file of its own, so that processes may
/// measure side by side.
/// </summary>
internal sealed class TrialMarker : IDisposable
{
    private const string Prefix = "trying-";
    private readonly Lock _gate = new();
    private readonly string _path,
        _key;
    private readonly PosixSignalRegistration[] _signals;
    private SafeFileHandle? _file;

    /// <summary>Marks nothing yet. Where no file can be written, it never marks anything.</summary>
    /// <param name="folder">Where the choices are kept.</param>
    /// <param name="key">The key of the choice among the kernels.</param>
    public TrialMarker(string folder, string key)
    {
        (_path, _key) = (Path.Combine(folder, $"{Prefix}{Guid.NewGuid():N}"), key);
        try
        {
            Directory.CreateDirectory(folder);
            // The file is written through to disk, because a device that hangs may take the machine with it.
            _file = File.OpenHandle(
                _path,
                FileMode.CreateNew,
                FileAccess.ReadWrite,
                FileShare.Read,
                FileOptions.WriteThrough
            );
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Without a file, a kernel that ends the process is tried again.
        }
        // A process that is ended by a signal says nothing about the kernel that happens to run.
        _signals =
        [
            .. ((PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP]).Select(signal =>
                PosixSignalRegistration.Create(signal, _ => Close())
            ),
        ];
        AppDomain.CurrentDomain.ProcessExit += OnExit;
    }

    /// <summary>From here on, and until called again, the process may not survive these kernels.</summary>
    public void Try(params IEnumerable<string> names)
    {
        // The text is one write, and an empty line ends it: the rest of an earlier, longer text does not count.
        byte[] text = Encoding.UTF8.GetBytes($"{_key}\n{string.Join('\n', names)}\n\n");
        lock (_gate)
            try
            {
                if (_file is not null)
                    RandomAccess.Write(_file, text, 0);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // A full disk, or a folder that was closed meanwhile, does not keep the kernels from being measured.
            }
    }

    /// <summary>The kernels that processes which are gone were trying, as keys with one name or several; the files are removed.</summary>
    public static IReadOnlyList<(string Key, string[] Names)> TakeLeftovers(string folder)
    {
        List<(string, string[])> leftovers = [];
        foreach (string path in Directory.Exists(folder) ? Directory.GetFiles(folder, $"{Prefix}*") : [])
            try
            {
                // Opening fails while the file's process lives.
                using (
                    StreamReader reader = new(new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
                )
                    if (
                        reader.ReadToEnd().Split('\n').TakeWhile(line => line.Length > 0).ToArray()
                        is [string key, .. { Length: > 0 } names]
                    )
                        leftovers.Add((key, names));
                File.Delete(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The file belongs to another process, or was removed in the meantime.
            }
        return leftovers;
    }

    public void Dispose()
    {
        Close();
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        foreach (PosixSignalRegistration signal in _signals)
            signal.Dispose();
    }

    private void OnExit(object? sender, EventArgs e) => Close();

    private void Close()
    {
        Try(); // nothing: a process that finds the file between its end and its removal reads no name
        lock (_gate)
        {
            if (_file is null)
                return;
            _file.Dispose();
            _file = null;
            try
            {
                File.Delete(_path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // A file that stays names no kernel.
            }
        }
    }
}
