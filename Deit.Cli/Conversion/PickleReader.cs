using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace Deit.Cli.Conversion;

/// <summary>
/// Reads the subset of pickle, protocols 2 to 5, that PyTorch writes state dictionaries with. A pickle is a program for a stack machine
/// without jumps, so one pass over the bytes ends it. Here it can make numbers, text, lists, dictionaries and references to tensors.
/// Names are compared with a list (<see cref="PickleGlobals"/>) and never looked up; calling one yields a tensor, a dictionary or
/// nothing. The number of instructions and the bytes of the file bound the memory. No value is walked recursively.
/// </summary>
internal ref struct PickleReader
{
    private const int MostInstructions = 1_000_000,
        MostStacked = 1 << 16;

    private readonly ReadOnlySpan<byte> _bytes;
    private readonly PickleStack _stack = new();
    private int _at;

    private PickleReader(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>Reads the value that a pickle makes.</summary>
    /// <exception cref="PickleException">It is cut short, breaks a rule, or has an instruction that no state dictionary needs.</exception>
    public static object? Read(ReadOnlySpan<byte> bytes) => new PickleReader(bytes).Run();

    private object? Run()
    {
        for (int instruction = 0; instruction < MostInstructions; instruction++)
        {
            byte code = Take(1)[0];
            if (code == '.')
                return _stack.Pop();
            Step(code);
            if (_stack.Count > MostStacked)
                throw new PickleException($"it stacks more than {MostStacked} values");
        }
        throw new PickleException($"it has more than {MostInstructions} instructions");
    }

    // The letters and numbers are those of Python's pickletools. Each group tells whether the instruction is one of its own.
    private void Step(byte code)
    {
        if (!(Frame(code) || Scalar(code) || Text(code) || Collection(code) || Memo(code) || Object(code)))
            throw new PickleException(
                FormattableString.Invariant(
                    $"it has the instruction 0x{code:x2} at byte {_at - 1}, which is none that PyTorch writes"
                )
            );
    }

    private bool Frame(byte code)
    {
        switch (code)
        {
            case 0x80:
                Protocol(Take(1)[0]);
                return true;
            case 0x95: // FRAME: a hint of how much follows
                Take(8);
                return true;
            case (byte)'(':
                _stack.PushMark();
                return true;
            case (byte)'0':
                _stack.Pop();
                return true;
            case (byte)'1':
                _stack.PopMark();
                return true;
            case (byte)'2':
                _stack.Push(_stack.Peek());
                return true;
            default:
                return false;
        }
    }

    private bool Scalar(byte code)
    {
        switch (code)
        {
            case (byte)'N':
                _stack.Push(null);
                return true;
            case 0x88:
                _stack.Push(true);
                return true;
            case 0x89:
                _stack.Push(false);
                return true;
            case (byte)'I':
                _stack.Push(Number(Line()));
                return true;
            case (byte)'J':
                _stack.Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4)));
                return true;
            case (byte)'K':
                _stack.Push((long)Take(1)[0]);
                return true;
            case (byte)'M':
                _stack.Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2)));
                return true;
            case 0x8a:
                _stack.Push(Long(Take(Take(1)[0])));
                return true;
            case (byte)'G':
                _stack.Push(BinaryPrimitives.ReadDoubleBigEndian(Take(8)));
                return true;
            default:
                return false;
        }
    }

    private bool Text(byte code)
    {
        switch (code)
        {
            case (byte)'X' or (byte)'T':
                _stack.Push(Utf8(Take(Length32())));
                return true;
            case 0x8c or (byte)'U':
                _stack.Push(Utf8(Take(Take(1)[0])));
                return true;
            case 0x8d:
                _stack.Push(Utf8(Take(Length64())));
                return true;
            // Only options and states hold bytes.
            case (byte)'C':
                Skip(Take(1)[0]);
                return true;
            case (byte)'B':
                Skip(Length32());
                return true;
            case 0x8e or 0x96:
                Skip(Length64());
                return true;
            default:
                return false;
        }
    }

    private readonly bool Collection(byte code)
    {
        switch (code)
        {
            case (byte)']':
                _stack.Push(new List<object?>());
                return true;
            case (byte)'a':
                object?[] one = [_stack.Pop()];
                _stack.Append(one);
                return true;
            case (byte)'e':
                _stack.Append(_stack.PopMark());
                return true;
            case (byte)')':
                _stack.Push(new PickleTuple([]));
                return true;
            case 0x85 or 0x86 or 0x87:
                _stack.PushTuple(code - 0x84);
                return true;
            case (byte)'t':
                _stack.Push(new PickleTuple(_stack.PopMark()));
                return true;
            case (byte)'}':
                _stack.Push(new PickleDictionary());
                return true;
            case (byte)'s':
                _stack.SetItems(_stack.PopPair());
                return true;
            case (byte)'u':
                _stack.SetItems(_stack.PopMark());
                return true;
            case 0x8f: // EMPTY_SET
                _stack.Push(PickleInert.Value);
                return true;
            case 0x90: // ADDITEMS
                _stack.PopMark();
                return true;
            case 0x91: // FROZENSET
                _stack.PopMark();
                _stack.Push(PickleInert.Value);
                return true;
            default:
                return false;
        }
    }

    private bool Memo(byte code)
    {
        switch (code)
        {
            case (byte)'q':
                _stack.Keep(Take(1)[0]);
                return true;
            case (byte)'r':
                _stack.Keep(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)));
                return true;
            case 0x94:
                _stack.Keep();
                return true;
            case (byte)'h':
                _stack.Recall(Take(1)[0]);
                return true;
            case (byte)'j':
                _stack.Recall(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)));
                return true;
            default:
                return false;
        }
    }

    private bool Object(byte code)
    {
        switch (code)
        {
            case (byte)'c':
                _stack.Push(PickleGlobals.Find(Line(), Line()));
                return true;
            case 0x93:
                StackGlobal();
                return true;
            case (byte)'Q':
                _stack.Push(TorchObjects.Storage(_stack.Pop()));
                return true;
            case (byte)'R' or 0x81: // REDUCE, NEWOBJ
                Call(_stack.Pop());
                return true;
            case (byte)'b':
                Build();
                return true;
            case (byte)'i':
                PickleGlobals.Find(Line(), Line());
                throw Unneeded("INST");
            case (byte)'o':
                throw Unneeded("OBJ");
            case 0x92:
                throw Unneeded("NEWOBJ_EX");
            case 0x82 or 0x83 or 0x84:
                throw Unneeded("EXT");
            case 0x97 or 0x98:
                throw Unneeded("NEXT_BUFFER");
            default:
                return false;
        }
    }

    private static PickleException Unneeded(string instruction) =>
        new($"it makes objects by the instruction {instruction}, which no state dictionary needs");

    private static void Protocol(byte version)
    {
        if (version > 5)
            throw new PickleException($"it says it is of protocol {version}, expected at most 5");
    }

    private readonly void StackGlobal()
    {
        object? name = _stack.Pop(),
            module = _stack.Pop();
        _stack.Push(
            module is string m && name is string n
                ? PickleGlobals.Find(m, n)
                : throw new PickleException("it refers to a name that is no text")
        );
    }

    private readonly void Call(object? arguments)
    {
        object? callee = _stack.Pop();
        if (arguments is not PickleTuple { Items: var items })
            throw new PickleException("it calls a name without a list of arguments");
        _stack.Push(
            callee switch
            {
                PickleGlobal.OrderedDictionary when items.Length == 0 => new PickleDictionary(),
                PickleGlobal.RebuildTensor => TorchObjects.Tensor(items),
                PickleGlobal.RebuildParameter when items is [TorchTensor data, ..] => data,
                PickleGlobal.Inert => PickleInert.Value,
                _ => throw new PickleException("it calls something with arguments that do not belong to it"),
            }
        );
    }

    // The state of a dictionary is its _metadata, the versions of modules. Nothing here needs them.
    private readonly void Build()
    {
        _ = _stack.Pop();
        if (_stack.Peek() is not (PickleDictionary or PickleInert))
            throw new PickleException("it gives a state to a value that has none");
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _bytes.Length - _at)
            throw new PickleException("it is cut short");
        _at += count;
        return _bytes[(_at - count)..(_at)];
    }

    private void Skip(int count)
    {
        Take(count);
        _stack.Push(PickleInert.Value);
    }

    private int Length32() =>
        BinaryPrimitives.ReadUInt32LittleEndian(Take(4)) is var length && length <= int.MaxValue
            ? (int)length
            : throw new PickleException("it is cut short");

    private int Length64() =>
        BinaryPrimitives.ReadUInt64LittleEndian(Take(8)) is var length && length <= int.MaxValue
            ? (int)length
            : throw new PickleException("it is cut short");

    // The text up to the end of the line.
    private string Line()
    {
        int length = _bytes[_at..].IndexOf((byte)'\n');
        if (length < 0)
            throw new PickleException("it is cut short");
        string line = Utf8(Take(length));
        _at++;
        return line;
    }

    private static string Utf8(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);

    private static object Number(string line) =>
        line switch
        {
            "00" => false,
            "01" => true,
            _ => long.TryParse(line, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number)
                ? number
                : throw new PickleException("it has a number that is none"),
        };

    // Numbers beyond 64 bits are states of random generators.
    private static object Long(ReadOnlySpan<byte> littleEndian) =>
        littleEndian.Length <= 8 ? (long)new BigInteger(littleEndian) : PickleInert.Value;
}
