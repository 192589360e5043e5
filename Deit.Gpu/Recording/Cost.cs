namespace Deit.Gpu;

/// <summary>The arithmetic and memory traffic that a dispatch cannot do without, for profiles and for splitting a graph.</summary>
/// <param name="Flops">Floating-point operations; a multiply-add counts two.</param>
/// <param name="Bytes">Bytes read and written once.</param>
public readonly record struct Cost(double Flops, double Bytes);
