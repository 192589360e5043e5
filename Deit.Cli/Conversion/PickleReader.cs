using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace Deit.Cli.Conversion;

/// <summary>
/// Reads the subset of pickle, protocols 2 to 5, that PyTorch writes state dictionaries with. A pickle is a program for a stack machine without
/// jumps: one pass over the bytes ends it. Here it can make numbers, text, lists, dictionaries and references to tensors; names are compared
/// with a list (<see cref="PickleGlobals"/>) and never looked up, and calling one yields a tensor, a dictionary or nothing. Memory is bounded
/// by the number of instructions and by the bytes of the file; nothing made is walked recursively.
/// </summary>
internal ref struct PickleReader
{
    private const int MostInstructions = 1_000_000,
        MostStacked = 1 << 16;

    private readonly ReadOnlySpan<byte> _bytes;
    private readonly List<object?> _stack = [];
    private readonly Dictionary<long, object?> _memo = [];
    private int _at;

    private PickleReader(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    // Stands on the stack where MARK was.
    private sealed class Mark
    {
        public static readonly Mark Value = new();
    }

    /// <summary>Reads the value that a pickle makes.</summary>
    /// <exception cref="PickleException">It is cut short, breaks a rule, or does what no state dictionary needs.</exception>
    public static object? Read(ReadOnlySpan<byte> bytes) => new PickleReader(bytes).Run();

    private object? Run()
    {
        for (int instruction = 0; instruction < MostInstructions; instruction++)
        {
            byte code = Take(1)[0];
            if (code == '.')
                return Pop();
            Step(code);
            if (_stack.Count > MostStacked)
                throw new PickleException($"it stacks more than {MostStacked} values");
        }
        throw new PickleException($"it has more than {MostInstructions} instructions");
    }

    // The letters and numbers are those of Python's pickletools.
    private void Step(byte code)
    {
        switch (code)
        {
            case 0x80:
                Protocol(Take(1)[0]);
                break;
            case 0x95:
                Take(8);
                break; // FRAME: a hint of how much follows
            case (byte)'(':
                Push(Mark.Value);
                break;
            case (byte)'0':
                Pop();
                break;
            case (byte)'1':
                PopMark();
                break;
            case (byte)'2':
                Push(Peek());
                break;

            case (byte)'N':
                Push(null);
                break;
            case 0x88:
                Push(true);
                break;
            case 0x89:
                Push(false);
                break;
            case (byte)'I':
                Push(Number(Line()));
                break;
            case (byte)'J':
                Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4)));
                break;
            case (byte)'K':
                Push((long)Take(1)[0]);
                break;
            case (byte)'M':
                Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2)));
                break;
            case 0x8a:
                Push(Long(Take(Take(1)[0])));
                break;
            case (byte)'G':
                Push(BinaryPrimitives.ReadDoubleBigEndian(Take(8)));
                break;
            case (byte)'X':
                Push(Text(Take(Length32())));
                break;
            case 0x8c:
                Push(Text(Take(Take(1)[0])));
                break;
            case 0x8d:
                Push(Text(Take(Length64())));
                break;
            case (byte)'U':
                Push(Text(Take(Take(1)[0])));
                break;
            case (byte)'T':
                Push(Text(Take(Length32())));
                break;
            // Bytes are in options and states alone.
            case (byte)'C':
                Skip(Take(1)[0]);
                break;
            case (byte)'B':
                Skip(Length32());
                break;
            case 0x8e or 0x96:
                Skip(Length64());
                break;

            case (byte)']':
                Push(new List<object?>());
                break;
            case (byte)'a':
                object?[] one = [Pop()];
                Append(one);
                break;
            case (byte)'e':
                Append(PopMark());
                break;
            case (byte)')':
                Push(new PickleTuple([]));
                break;
            case 0x85:
                PushTuple(1);
                break;
            case 0x86:
                PushTuple(2);
                break;
            case 0x87:
                PushTuple(3);
                break;
            case (byte)'t':
                Push(new PickleTuple(PopMark()));
                break;
            case (byte)'}':
                Push(new PickleDictionary());
                break;
            case (byte)'s':
                SetItems(PopPair());
                break;
            case (byte)'u':
                SetItems(PopMark());
                break;
            case 0x8f:
                Push(PickleInert.Value);
                break; // EMPTY_SET
            case 0x90:
                PopMark();
                break; // ADDITEMS
            case 0x91:
                PopMark();
                Push(PickleInert.Value);
                break;

            case (byte)'q':
                _memo[Take(1)[0]] = Peek();
                break;
            case (byte)'r':
                _memo[BinaryPrimitives.ReadUInt32LittleEndian(Take(4))] = Peek();
                break;
            case 0x94:
                _memo[_memo.Count] = Peek();
                break;
            case (byte)'h':
                Push(Recall(Take(1)[0]));
                break;
            case (byte)'j':
                Push(Recall(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))));
                break;

            case (byte)'c':
                Push(PickleGlobals.Find(Line(), Line()));
                break;
            case 0x93:
                StackGlobal();
                break;
            case (byte)'Q':
                Push(TorchObjects.Storage(Pop()));
                break;
            case (byte)'R' or 0x81:
                Call(Pop());
                break; // REDUCE, NEWOBJ
            case (byte)'b':
                Build();
                break;
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
                throw new PickleException(
                    FormattableString.Invariant(
                        $"it has the instruction 0x{code:x2} at byte {_at - 1}, which is none that PyTorch writes"
                    )
                );
        }
    }

    private static PickleException Unneeded(string instruction) =>
        new($"it makes objects by the instruction {instruction}, which no state dictionary needs");

    private static void Protocol(byte version)
    {
        if (version > 5)
            throw new PickleException($"it says it is of protocol {version}, expected at most 5");
    }

    private void StackGlobal()
    {
        object? name = Pop(),
            module = Pop();
        Push(
            module is string m && name is string n
                ? PickleGlobals.Find(m, n)
                : throw new PickleException("it refers to a name that is no text")
        );
    }

    private void Call(object? arguments)
    {
        object? callee = Pop();
        if (arguments is not PickleTuple { Items: var items })
            throw new PickleException("it calls a name without a list of arguments");
        Push(
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

    // The state of a dictionary is its _metadata, versions of modules that nothing here needs.
    private void Build()
    {
        _ = Pop();
        if (Peek() is not (PickleDictionary or PickleInert))
            throw new PickleException("it gives a state to a value that has none");
    }

    private readonly void Append(object?[] items)
    {
        switch (Peek())
        {
            case List<object?> list:
                list.AddRange(items);
                break;
            case PickleInert:
                break;
            default:
                throw new PickleException("it appends to what is no list");
        }
    }

    private readonly void SetItems(object?[] items)
    {
        if (items.Length % 2 != 0)
            throw new PickleException("it sets a key without a value");
        switch (Peek())
        {
            case PickleDictionary dictionary:
                for (int i = 0; i < items.Length; i += 2)
                    dictionary.Items.Add((items[i], items[i + 1]));
                break;
            case PickleInert:
                break;
            default:
                throw new PickleException("it sets a key of what is no dictionary");
        }
    }

    private void PushTuple(int count)
    {
        object?[] items = new object?[count];
        for (int i = count - 1; i >= 0; i--)
            items[i] = Pop();
        Push(new PickleTuple(items));
    }

    private readonly object?[] PopPair()
    {
        object? value = Pop(),
            key = Pop();
        return [key, value];
    }

    private readonly object?[] PopMark()
    {
        int mark = _stack.LastIndexOf(Mark.Value);
        if (mark < 0)
            throw new PickleException("it ends a list that was not begun");
        object?[] items = [.. _stack[(mark + 1)..]];
        _stack.RemoveRange(mark, _stack.Count - mark);
        return items;
    }

    private readonly void Push(object? value) => _stack.Add(value);

    private readonly object? Peek() =>
        _stack.Count > 0 && _stack[^1] is not Mark
            ? _stack[^1]
            : throw new PickleException("it uses a value that is not there");

    private readonly object? Pop()
    {
        object? value = Peek();
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private readonly object? Recall(long index) =>
        _memo.TryGetValue(index, out object? value)
            ? value
            : throw new PickleException($"it recalls value {index}, which was not kept");

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
        Push(PickleInert.Value);
    }

    private int Length32() =>
        BinaryPrimitives.ReadUInt32LittleEndian(Take(4)) is var length && length <= int.MaxValue
            ? (int)length
            : throw new PickleException("it is cut short");

    private int Length64() =>
        BinaryPrimitives.ReadUInt64LittleEndian(Take(8)) is var length && length <= int.MaxValue
            ? (int)length
            : throw new PickleException("it is cut short");

    // Up to the line's end, without it.
    private string Line()
    {
        int length = _bytes[_at..].IndexOf((byte)'\n');
        if (length < 0)
            throw new PickleException("it is cut short");
        string line = Text(Take(length));
        _at++;
        return line;
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);

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
