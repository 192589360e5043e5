namespace Deit.Cli.Conversion;

/// <summary>
/// The stack machine that a pickle is a program for: a stack of values, and a memo of values that the program recalls. The values are
/// those of <see cref="PickleReader"/>.
/// </summary>
internal sealed class PickleStack
{
    private readonly List<object?> _values = [];
    private readonly Dictionary<long, object?> _memo = [];

    // Stands on the stack where MARK was.
    private sealed class Mark
    {
        public static readonly Mark Value = new();
    }

    /// <summary>The number of values, marks included.</summary>
    public int Count => _values.Count;

    public void Push(object? value) => _values.Add(value);

    /// <summary>Marks the begin of a list of values.</summary>
    public void PushMark() => Push(Mark.Value);

    /// <summary>Turns the last values into a tuple.</summary>
    public void PushTuple(int count)
    {
        object?[] items = new object?[count];
        for (int i = count - 1; i >= 0; i--)
            items[i] = Pop();
        Push(new PickleTuple(items));
    }

    /// <exception cref="PickleException">There is no value.</exception>
    public object? Peek() =>
        _values.Count > 0 && _values[^1] is not Mark
            ? _values[^1]
            : throw new PickleException("it uses a value that is not there");

    /// <exception cref="PickleException">There is no value.</exception>
    public object? Pop()
    {
        object? value = Peek();
        _values.RemoveAt(_values.Count - 1);
        return value;
    }

    /// <summary>Takes a key and the value above it.</summary>
    /// <exception cref="PickleException">There are no two values.</exception>
    public object?[] PopPair()
    {
        object? value = Pop(),
            key = Pop();
        return [key, value];
    }

    /// <summary>Takes all values above the last mark, and the mark.</summary>
    /// <exception cref="PickleException">There is no mark.</exception>
    public object?[] PopMark()
    {
        int mark = _values.LastIndexOf(Mark.Value);
        if (mark < 0)
            throw new PickleException("it ends a list that was not begun");
        object?[] items = [.. _values[(mark + 1)..]];
        _values.RemoveRange(mark, _values.Count - mark);
        return items;
    }

    /// <summary>Adds items to the list on top.</summary>
    /// <exception cref="PickleException">There is no list.</exception>
    public void Append(object?[] items)
    {
        switch (Peek())
        {
            case List<object?> list:
                list.AddRange(items);
                break;
            case PickleInert:
                break;
            default:
                throw new PickleException("it appends to a value that is no list");
        }
    }

    /// <summary>Adds keys, each followed by its value, to the dictionary on top.</summary>
    /// <exception cref="PickleException">There is no dictionary, or a key has no value.</exception>
    public void SetItems(object?[] items)
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
                throw new PickleException("it sets a key of a value that is no dictionary");
        }
    }

    /// <summary>Keeps the value on top under an index.</summary>
    /// <exception cref="PickleException">There is no value.</exception>
    public void Keep(long index) => _memo[index] = Peek();

    /// <summary>Keeps the value on top under the next index.</summary>
    /// <exception cref="PickleException">There is no value.</exception>
    public void Keep() => Keep(_memo.Count);

    /// <summary>Pushes a value that was kept.</summary>
    /// <exception cref="PickleException">None was kept under the index.</exception>
    public void Recall(long index) =>
        Push(
            _memo.TryGetValue(index, out object? value)
                ? value
                : throw new PickleException($"it recalls value {index}, which was not kept")
        );
}
