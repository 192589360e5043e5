using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Losses;

public class ScaleOpTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(1025)]
    public void Scales(int count) =>
        OpHarness.Check(
            [OpInput.Random([count])],
            (r, t) => r.Scale(t[0], -0.25f),
            x => [.. x[0].Select(v => -0.25 * v)],
            forward: 0,
            gradient: 1e-9
        );
}

public class HardTargetsOpTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 37)]
    [InlineData(113, 10)]
    public void Marks_the_first_largest(int rows, int columns)
    {
        OpInput input = OpInput.Random([rows, columns], differentiable: false);
        // Two equal largest elements: the first counts.
        if (columns > 5)
            input.Values[2] = input.Values[4] = 100;
        OpHarness.Check([input], (r, t) => r.HardTargets(t[0]), x => Oracle(x[0], columns), forward: 0, gradient: 0);
    }

    private static double[] Oracle(double[] x, int columns)
    {
        double[] y = new double[x.Length];
        for (int start = 0; start < x.Length; start += columns)
            y[start + Array.IndexOf(x[start..(start + columns)], x[start..(start + columns)].Max())] = 1;
        return y;
    }
}

public class SoftDistillationOpTests
{
    // exp and log to a few ulp, sums of C terms that partly cancel.
    [Theory]
    [InlineData(1, 2, 1.0)]
    [InlineData(7, 37, 3.0)]
    [InlineData(37, 1000, 0.5)]
    public void Matches_the_oracle(int rows, int columns, double tau) =>
        OpHarness.Check(
            [
                OpInput.Random([rows, columns], scale: 3),
                OpInput.Random([rows, columns], 2, scale: 3, differentiable: false),
            ],
            (r, t) => r.SoftDistillation(t[0], t[1], tau, rows * columns),
            x => [Oracle(x[0], x[1], columns, tau) / (rows * columns)],
            forward: 5e-6,
            gradient: 2e-5
        );

    private static double Oracle(double[] student, double[] teacher, int columns, double tau)
    {
        double sum = 0;
        for (int start = 0; start < student.Length; start += columns)
        {
            double[] s = [.. student[start..(start + columns)].Select(v => v / tau)],
                t = [.. teacher[start..(start + columns)].Select(v => v / tau)];
            double logS = Math.Log(s.Sum(Math.Exp)),
                logT = Math.Log(t.Sum(Math.Exp));
            for (int i = 0; i < columns; i++)
                sum += tau * tau * Math.Exp(t[i] - logT) * (t[i] - logT - (s[i] - logS));
        }
        return sum;
    }
}
