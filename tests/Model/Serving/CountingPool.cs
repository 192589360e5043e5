using System.Buffers;

namespace Deit.Tests.Model.Serving;

/// <summary>Counts the arrays that are lent, and refuses one that comes back twice.</summary>
internal sealed class CountingPool : ArrayPool<float>
{
    private readonly HashSet<float[]> _lent = [];

    /// <summary>Arrays that have not come back.</summary>
    public int Lent
    {
        get
        {
            lock (_lent)
                return _lent.Count;
        }
    }

    /// <summary>Arrays that were ever lent.</summary>
    public int Total { get; private set; }

    /// <summary>Called before an array is lent.</summary>
    public Action BeforeRent { get; set; } = () => { };

    public override float[] Rent(int minimumLength)
    {
        BeforeRent();
        float[] array = new float[minimumLength];
        lock (_lent)
        {
            Total++;
            _lent.Add(array);
        }
        return array;
    }

    public override void Return(float[] array, bool clearArray = false)
    {
        lock (_lent)
            Assert.True(_lent.Remove(array), "An array came back that is not lent.");
    }
}
