using Deit.Model.Files;

namespace Deit.Cli.Conversion;

/// <summary>
/// The names that a checkpoint may refer to. They alone decide how far a pickle can go: none is imported, each has a
/// meaning here. Beside state dictionaries, checkpoints carry the options of the run (argparse.Namespace) with numbers
/// and paths. Those have no effect. Any other name is refused, however it is used.
/// </summary>
internal static class PickleGlobals
{
    private static readonly Dictionary<string, object> Allowed = new(StringComparer.Ordinal)
    {
        ["collections.OrderedDict"] = PickleGlobal.OrderedDictionary,
        ["torch._utils._rebuild_tensor_v2"] = PickleGlobal.RebuildTensor,
        ["torch._utils._rebuild_parameter"] = PickleGlobal.RebuildParameter,
        ["torch.FloatStorage"] = new TorchStorageType(SafetensorsDType.F32),
        ["torch.DoubleStorage"] = new TorchStorageType(SafetensorsDType.F64),
        ["torch.HalfStorage"] = new TorchStorageType(SafetensorsDType.F16),
        ["torch.BFloat16Storage"] = new TorchStorageType(SafetensorsDType.BF16),
        ["torch.LongStorage"] = new TorchStorageType(SafetensorsDType.I64),
        ["torch.IntStorage"] = new TorchStorageType(SafetensorsDType.I32),
        ["torch.ShortStorage"] = new TorchStorageType(SafetensorsDType.I16),
        ["torch.CharStorage"] = new TorchStorageType(SafetensorsDType.I8),
        ["torch.ByteStorage"] = new TorchStorageType(SafetensorsDType.U8),
        ["torch.BoolStorage"] = new TorchStorageType(SafetensorsDType.BOOL),
        ["argparse.Namespace"] = PickleGlobal.Inert,
        ["collections.defaultdict"] = PickleGlobal.Inert,
        ["collections.Counter"] = PickleGlobal.Inert,
        ["__builtin__.dict"] = PickleGlobal.Inert,
        ["builtins.dict"] = PickleGlobal.Inert,
        ["__builtin__.set"] = PickleGlobal.Inert,
        ["builtins.set"] = PickleGlobal.Inert,
        ["pathlib.PosixPath"] = PickleGlobal.Inert,
        ["pathlib.WindowsPath"] = PickleGlobal.Inert,
        ["pathlib._local.PosixPath"] = PickleGlobal.Inert,
        ["torch.Size"] = PickleGlobal.Inert,
        ["torch.device"] = PickleGlobal.Inert,
        ["torch.float32"] = PickleGlobal.Inert,
        ["torch.float16"] = PickleGlobal.Inert,
        ["torch.bfloat16"] = PickleGlobal.Inert,
        ["numpy.core.multiarray.scalar"] = PickleGlobal.Inert,
        ["numpy._core.multiarray.scalar"] = PickleGlobal.Inert,
        ["numpy.dtype"] = PickleGlobal.Inert,
        ["_codecs.encode"] = PickleGlobal.Inert,
    };

    /// <summary>The meaning of a name.</summary>
    /// <exception cref="PickleException">It is none of the allowed ones.</exception>
    public static object Find(string module, string name) =>
        Allowed.TryGetValue($"{module}.{name}", out object? value)
            ? value
            : throw new PickleException(
                $"it refers to '{Shown(module)}.{Shown(name)}', which no state dictionary does and which is not looked up",
                "save model.state_dict() alone"
            );

    // A name may be long and hold line breaks. A message shows its beginning without them.
    private static string Shown(string text) => new([.. text.Take(60).Select(c => char.IsControl(c) ? '?' : c)]);
}

/// <summary>A fault of a file of PyTorch; the message completes "reading it failed: ...".</summary>
/// <param name="message">The fault.</param>
/// <param name="remedy">The remedy.</param>
internal sealed class PickleException(string message, string remedy = "fetch or write the file again")
    : Exception($"{message}; {remedy}.");
