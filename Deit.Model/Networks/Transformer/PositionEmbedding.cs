namespace Deit.Model;

/// <summary>
/// Resizes a position embedding to another grid of patches, as the reference's fine-tuning: bicubic with a = -0.75,
/// half-pixel centres, no antialiasing.
/// </summary>
internal static class PositionEmbedding
{
    /// <summary>Resizes the grid and keeps the rows of the tokens before it.</summary>
    /// <param name="embedding">[prefix + fromHeight * fromWidth, dimension], row-major.</param>
    /// <param name="dimension">Columns.</param>
    /// <param name="prefix">Rows before the grid: class and distillation token.</param>
    /// <param name="from">Height and width of the grid.</param>
    /// <param name="to">Height and width wanted.</param>
    /// <returns>[prefix + to.Height * to.Width, dimension].</returns>
    /// <exception cref="ArgumentException">The embedding has another length.</exception>
    public static float[] Resize(
        ReadOnlySpan<float> embedding,
        int dimension,
        int prefix,
        (int Height, int Width) from,
        (int Height, int Width) to
    )
    {
        if (embedding.Length != (prefix + (from.Height * from.Width)) * dimension)
            throw new ArgumentException(
                $"A position embedding of {embedding.Length} values was given, expected {prefix} + "
                    + $"{from.Height} x {from.Width} rows of {dimension}.",
                nameof(embedding)
            );
        float[] result = new float[(prefix + (to.Height * to.Width)) * dimension];
        embedding[..(prefix * dimension)].CopyTo(result);
        ReadOnlySpan<float> grid = embedding[(prefix * dimension)..];
        (int[] rows, double[] rowWeights) = Taps(from.Height, to.Height);
        (int[] columns, double[] columnWeights) = Taps(from.Width, to.Width);
        double[] sum = new double[dimension];
        for (int y = 0; y < to.Height; y++)
        for (int x = 0; x < to.Width; x++)
        {
            Array.Clear(sum);
            for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++)
            {
                double weight = rowWeights[(y * 4) + i] * columnWeights[(x * 4) + j];
                ReadOnlySpan<float> row = grid.Slice(
                    ((rows[(y * 4) + i] * from.Width) + columns[(x * 4) + j]) * dimension,
                    dimension
                );
                for (int d = 0; d < dimension; d++)
                    sum[d] += weight * row[d];
            }
            Span<float> target = result.AsSpan((prefix + (y * to.Width) + x) * dimension, dimension);
            for (int d = 0; d < dimension; d++)
                target[d] = (float)sum[d];
        }
        return result;
    }

    // The four neighbours of each target position, clamped to the grid, and their weights.
    private static (int[] Positions, double[] Weights) Taps(int from, int to)
    {
        int[] positions = new int[to * 4];
        double[] weights = new double[to * 4];
        for (int i = 0; i < to; i++)
        {
            double centre = ((i + 0.5) * from / to) - 0.5;
            int floor = (int)Math.Floor(centre);
            for (int tap = 0; tap < 4; tap++)
            {
                positions[(i * 4) + tap] = Math.Clamp(floor - 1 + tap, 0, from - 1);
                weights[(i * 4) + tap] = Cubic(Math.Abs(centre - (floor - 1 + tap)));
            }
        }
        return (positions, weights);
    }

    // Keys' cubic convolution kernel with PyTorch's a.
    private static double Cubic(double x)
    {
        const double A = -0.75;
        return x <= 1 ? (((((A + 2) * x) - (A + 3)) * x) * x) + 1
            : x < 2 ? (((((A * x) - (5 * A)) * x) + (8 * A)) * x) - (4 * A)
            : 0;
    }
}
