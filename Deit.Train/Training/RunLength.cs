namespace Deit.Train.Training;

/// <summary>A number of epochs that a run had, for a run can be extended.</summary>
/// <param name="Epochs">The number.</param>
/// <param name="Epoch">The epoch from which on, counted from 0.</param>
/// <param name="Step">Steps of that epoch that were done before.</param>
internal readonly record struct RunLength(int Epochs, int Epoch, int Step);
