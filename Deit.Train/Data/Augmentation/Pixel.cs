namespace Deit.Train.Data.Augmentation;

/// <summary>One pixel of an <see cref="Deit.Model.Images.RgbImage"/>, as it lies in memory.</summary>
internal readonly record struct Pixel(byte Red, byte Green, byte Blue);
