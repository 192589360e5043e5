using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Deit.Gpu.Vulkan;

/// <summary>
/// Values that are made once for a key. Values of several keys may be made at the same time. A failure is not kept: the
/// next call for the key tries again.
/// </summary>
internal sealed class OnceByKey<
    TKey,
    [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] TValue
>
    where TKey : notnull
{
    private readonly ConcurrentDictionary<TKey, Lazy<TValue>> _values = new();

    /// <summary>The values made so far.</summary>
    public IEnumerable<TValue> Made => _values.Values.Where(value => value.IsValueCreated).Select(value => value.Value);

    public TValue Get(TKey key, Func<TKey, TValue> make)
    {
        Lazy<TValue> value = _values.GetOrAdd(key, static (k, create) => new Lazy<TValue>(() => create(k)), make);
        try
        {
            return value.Value;
        }
        catch
        {
            _values.TryRemove(KeyValuePair.Create(key, value));
            throw;
        }
    }
}
