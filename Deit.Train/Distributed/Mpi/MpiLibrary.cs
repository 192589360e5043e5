using System.Runtime.InteropServices;
using System.Text;

namespace Deit.Train.Distributed.Mpi;

/// <summary>
/// The functions of an MPI library that was loaded at run time. MPIs have the same functions and differ in what stands
/// for a communicator or a type: Open MPI has addresses of objects that it exports, MPICH and its kin have numbers of
/// 32 bits, and the standard ABI of MPI 5 has small numbers. All of them travel as <see cref="nint"/>.
/// </summary>
internal sealed unsafe partial class MpiLibrary
{
    private const int LongestText = 8192; // MPI_MAX_LIBRARY_VERSION_STRING of all of them
    private readonly nint _library;
    private readonly delegate* unmanaged<int*, byte***, int, int*, int> _initThread;
    private readonly delegate* unmanaged<nint, int*, int> _commRank,
        _commSize;
    private readonly delegate* unmanaged<nint, int, nint, nint, int, nint, nint, nint*, int> _ialltoall,
        _iallgather;
    private readonly delegate* unmanaged<nint, int, nint, int, nint, nint*, int> _ibcast;
    private readonly delegate* unmanaged<nint, nint, int, nint, nint, nint, nint*, int> _iallreduce;
    private readonly delegate* unmanaged<nint, nint*, int> _ibarrier;
    private readonly delegate* unmanaged<nint*, int*, byte*, int> _test;
    private readonly delegate* unmanaged<int> _finalize;
    private readonly delegate* unmanaged<nint, int, int> _abort;
    private readonly nint _world,
        _byte,
        _float,
        _sum,
        _inPlace,
        _errorsReturn; // 0 where its value is not known: errors are then fatal, and the library says why
    private readonly int _funneled = 1;

    private MpiLibrary(nint library, string file)
    {
        (_library, File) = (library, file);
        if (NativeLibrary.TryGetExport(library, "ompi_mpi_comm_world", out nint world))
        {
            _world = world;
            _byte = NativeLibrary.GetExport(library, "ompi_mpi_byte");
            _float = NativeLibrary.GetExport(library, "ompi_mpi_float");
            _sum = NativeLibrary.GetExport(library, "ompi_mpi_op_sum");
            _inPlace = 1;
            _errorsReturn = NativeLibrary.GetExport(library, "ompi_mpi_errors_return");
        }
        else if (IsStandardAbi(library))
            (_world, _byte, _float, _sum, _inPlace, _funneled) = (0x101, 0x247, 0x210, 0x21, 1, 1024);
        else
        {
            (_world, _byte, _float) = (0x44000000, 0x4c00010d, 0x4c00040a);
            (_sum, _inPlace, _errorsReturn) = (0x58000003, -1, 0x54000001);
        }
        _initThread = (delegate* unmanaged<int*, byte***, int, int*, int>)Export("MPI_Init_thread");
        _commRank = (delegate* unmanaged<nint, int*, int>)Export("MPI_Comm_rank");
        _commSize = (delegate* unmanaged<nint, int*, int>)Export("MPI_Comm_size");
        _ialltoall = (delegate* unmanaged<nint, int, nint, nint, int, nint, nint, nint*, int>)Export("MPI_Ialltoall");
        _iallgather = (delegate* unmanaged<nint, int, nint, nint, int, nint, nint, nint*, int>)Export("MPI_Iallgather");
        _ibcast = (delegate* unmanaged<nint, int, nint, int, nint, nint*, int>)Export("MPI_Ibcast");
        _iallreduce = (delegate* unmanaged<nint, nint, int, nint, nint, nint, nint*, int>)Export("MPI_Iallreduce");
        _ibarrier = (delegate* unmanaged<nint, nint*, int>)Export("MPI_Ibarrier");
        _test = (delegate* unmanaged<nint*, int*, byte*, int>)Export("MPI_Test");
        _finalize = (delegate* unmanaged<int>)Export("MPI_Finalize");
        _abort = (delegate* unmanaged<nint, int, int>)Export("MPI_Abort");
    }

    /// <summary>The file that was loaded.</summary>
    public string File { get; }

    /// <summary>Loads the first of some files that there is.</summary>
    /// <exception cref="DeitException">There is none, or it is no MPI library.</exception>
    public static MpiLibrary Load(MpiLauncher launcher, string? byHand)
    {
        // UCX, on which MPICH stands, takes the signal by which the runtime notices null references. Native code does
        // not see what Environment.SetEnvironmentVariable sets.
        if (!OperatingSystem.IsWindows())
            _ = SetEnvironment("UCX_ERROR_SIGNALS", "", overwrite: 0);
        IReadOnlyList<string> files = byHand is null ? launcher.Libraries : [byHand];
        foreach (string file in files)
            if (NativeLibrary.TryLoad(file, out nint library))
                try
                {
                    return new MpiLibrary(library, file);
                }
                catch (EntryPointNotFoundException error)
                {
                    throw new DeitException(
                        DeitErrorKind.Usage,
                        $"'{file}' was loaded as an MPI library, and lacks a function ({error.Message.TrimEnd('.')}); "
                            + "name the library of an MPI since version 3 by DEIT_MPI.",
                        error
                    );
                }
        throw new DeitException(
            DeitErrorKind.Usage,
            $"{launcher.Name} started {launcher.Size} processes, and its library was not found, looked for as "
                + $"{string.Join(", ", files)}; install it, or name its file by DEIT_MPI."
        );
    }

    /// <summary>The library's own words on its version, the first line.</summary>
    public string Version()
    {
        delegate* unmanaged<byte*, int*, int> version = (delegate* unmanaged<byte*, int*, int>)Export(
            "MPI_Get_library_version"
        );
        byte[] text = new byte[LongestText];
        int length;
        fixed (byte* start = text)
            _ = version(start, &length);
        string first = Encoding.UTF8.GetString(text, 0, Math.Clamp(length, 0, LongestText)).Split('\n')[0];
        return ShortVersion(first);
    }

    /// <summary>A version as <c>Open MPI 4.1.4</c>, of the first line of such words: "Open MPI v4.1.4, package: ...",
    /// "MPICH Version:\t4.0.2".</summary>
    internal static string ShortVersion(string line) =>
        string.Join(
            ' ',
            line.TrimEnd('\0')
                .Split(',')[0]
                .Split((char[])[' ', '\t', ':'], StringSplitOptions.RemoveEmptyEntries)
                .Where(word => !word.Equals("version", StringComparison.OrdinalIgnoreCase))
                .Select(word => word.Length > 1 && word[0] == 'v' && char.IsAsciiDigit(word[1]) ? word[1..] : word)
        );

    /// <summary>Joins the other processes. The calling thread makes all further calls.</summary>
    public void Start()
    {
        int provided;
        Check(_initThread(null, null, _funneled, &provided), "MPI_Init_thread");
        if (_errorsReturn != 0 && NativeLibrary.TryGetExport(_library, "MPI_Comm_set_errhandler", out nint set))
            _ = ((delegate* unmanaged<nint, nint, int>)set)(_world, _errorsReturn);
    }

    public int Rank()
    {
        int rank;
        Check(_commRank(_world, &rank), "MPI_Comm_rank");
        return rank;
    }

    public int Size()
    {
        int size;
        Check(_commSize(_world, &size), "MPI_Comm_size");
        return size;
    }

    public nint AllToAll(nint send, nint receive, int bytesOfPart)
    {
        nint request = 0;
        Check(_ialltoall(send, bytesOfPart, _byte, receive, bytesOfPart, _byte, _world, &request), "MPI_Ialltoall");
        return request;
    }

    public nint AllGather(nint own, nint all, int bytesOfPart)
    {
        nint request = 0;
        Check(_iallgather(own, bytesOfPart, _byte, all, bytesOfPart, _byte, _world, &request), "MPI_Iallgather");
        return request;
    }

    public nint AllReduceSum(nint values, int count)
    {
        nint request = 0;
        Check(_iallreduce(_inPlace, values, count, _float, _sum, _world, &request), "MPI_Iallreduce");
        return request;
    }

    public nint Broadcast(nint values, int bytes)
    {
        nint request = 0;
        Check(_ibcast(values, bytes, _byte, 0, _world, &request), "MPI_Ibcast");
        return request;
    }

    public nint Barrier()
    {
        nint request = 0;
        Check(_ibarrier(_world, &request), "MPI_Ibarrier");
        return request;
    }

    /// <summary>Whether a call has completed; where it has, its request is given back.</summary>
    public bool IsDone(ref nint request)
    {
        byte* status = stackalloc byte[64]; // larger than that of any MPI
        int done;
        fixed (nint* pointer = &request)
            Check(_test(pointer, &done, status), "MPI_Test");
        return done != 0;
    }

    public void Finish() => Check(_finalize(), "MPI_Finalize");

    public void Abort(int exitCode) => _ = _abort(_world, exitCode);

    /// <summary>Ends this process where what follows takes longer than a time, without anything that would run at its end:
    /// MPI may be what hangs.</summary>
    /// <returns>Does nothing once it is disposed.</returns>
    public static Timer EndProcessAfter(TimeSpan time, int exitCode) =>
        new(
            _ =>
            {
                if (OperatingSystem.IsWindows())
                    Environment.Exit(exitCode);
                else
                    Exit(exitCode);
            },
            null,
            time,
            Timeout.InfiniteTimeSpan
        );

    // MPI_Abi_get_version says 1 where handles are those of the standard, and -1 in MPICH's own library.
    private static bool IsStandardAbi(nint library)
    {
        if (!NativeLibrary.TryGetExport(library, "MPI_Abi_get_version", out nint function))
            return false;
        int major = -1,
            minor = -1;
        _ = ((delegate* unmanaged<int*, int*, int>)function)(&major, &minor);
        return major >= 1;
    }

    private nint Export(string name) => NativeLibrary.GetExport(_library, name);

    private static void Check(int result, string function)
    {
        if (result != 0)
            throw new DeitException(
                DeitErrorKind.Network,
                $"{function} failed with code {result}: another rank has ended, or the network between them has failed; "
                    + "see the messages of the other ranks, and go on with --resume where a run had begun."
            );
    }

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void Exit(int exitCode);

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
