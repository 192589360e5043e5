namespace Deit.Bench.Reports;

/// <summary>A measured row.</summary>
internal interface IBenchRow
{
    /// <summary>A larger spread says that the machine was not idle, or the time too short.</summary>
    public const double SteadySpread = 0.02;

    RowKey Key { get; }

    /// <summary>How fast it is: more is faster.</summary>
    double Rate { get; }

    /// <summary>The unit of the rate.</summary>
    string Unit { get; }

    /// <summary>The distance of the quartiles, as a share of the median.</summary>
    double Spread { get; }
}
