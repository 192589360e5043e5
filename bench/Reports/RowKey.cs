namespace Deit.Bench.Reports;

/// <summary>Names a measurement: rows of two files with the same key are compared.</summary>
/// <param name="Name">Op or model.</param>
/// <param name="Extent">Shape or batch.</param>
/// <param name="Task">infer or train; op for an op.</param>
/// <param name="Precision">The arithmetic.</param>
internal readonly record struct RowKey(string Name, string Extent, string Task, string Precision)
{
    public override string ToString() =>
        Task == OpRow.Task ? $"{Name} {Extent} {Precision}" : $"{Name} {Task} {Precision} batch {Extent}";
}
