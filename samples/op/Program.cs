using Deit;
using Deit.Gpu;
using Deit.Samples.Op;

try
{
    using GpuDevice device = GpuDevice.Open();
    Console.WriteLine(device.Info);
    (double slope, double difference, double steepest) = Differentiate(device);
    Console.WriteLine($"slope {slope:f4}, by finite differences {difference:f4}, the steepest is {steepest:f4}");
    (float before, float after) = Train(device, steps: 300);
    Console.WriteLine($"loss {before:f4}, after 300 steps {after:f4}");
    return Math.Abs(slope - difference) <= 1e-3 * steepest && after < before / 10 ? 0 : 1;
}
catch (DeitException error)
{
    Console.Error.WriteLine(error.Message);
    return 1;
}

// The slope of a weighted sum of the outputs in a random direction: by the backward pass, and by two forward passes. It is small beside
// that in the direction of the gradient, and so are the errors of both.
static (double Slope, double Difference, double Steepest) Differentiate(GpuDevice device)
{
    const float Step = 1e-2f; // a smaller one loses digits of 32-bit sums, a larger one sees the curve
    Shape of = [37, 2 * 19],
        half = [37, 19];
    using Arena arena = device.CreateArena("derivative", Arena.SizeOf(DType.F32, of, of, half));
    (Tensor x, Tensor dx, Tensor weights) = (arena.Allocate(of), arena.Allocate(of), arena.Allocate(half));
    x.Train(gradient: dx);
    Tensor? y = null;
    using Graph graph = device.Record(r =>
    {
        y = r.Keep(r.SwiGlu(x));
        r.Tape.Backward(y, seed: weights);
    });
    (float[] at, float[] direction, float[] weight) = (Noise(of, 1), Noise(of, 2), Noise(half, 3));
    double length = Math.Sqrt(Dot(direction, direction));
    device.Write<float>(weights, weight);

    double difference = (SumAt(Step) - SumAt(-Step)) / (2 * Step) / length;
    SumAt(0);
    float[] gradient = device.Read<float>(dx);
    return (Dot(gradient, direction) / length, difference, Math.Sqrt(Dot(gradient, gradient)));

    double SumAt(float step)
    {
        device.Write<float>(x, [.. at.Zip(direction, (value, change) => value + (step * change))]);
        graph.Run();
        return Dot(device.Read<float>(y!), weight);
    }
}

// Two layers with the op between them learn to multiply two numbers, by plain gradient descent.
static (float Before, float After) Train(GpuDevice device, int steps)
{
    const int Examples = 256,
        Hidden = 8;
    Shape pairs = [Examples, 2],
        answers = [Examples, 1],
        first = [2 * Hidden, 2],
        second = [1, Hidden];
    using Arena arena = device.CreateArena(
        "training",
        Arena.SizeOf(DType.F32, pairs, answers, first, first, second, second)
    );
    (Tensor x, Tensor minusTarget) = (arena.Allocate(pairs), arena.Allocate(answers));
    Tensor[] layers = [arena.Allocate(first), arena.Allocate(second)];
    foreach ((int seed, Tensor weight) in layers.Index())
    {
        weight.Train(gradient: arena.Allocate(weight.Shape));
        device.Write<float>(weight, Noise(weight.Shape, seed));
    }
    float[] numbers = Noise(pairs, seed: 9);
    device.Write<float>(x, numbers);
    device.Write<float>(minusTarget, [.. numbers.Chunk(2).Select(pair => -pair[0] * pair[1])]);

    Tensor? loss = null;
    using Graph step = device.Record(r =>
    {
        Tensor y = r.Linear(r.SwiGlu(r.Linear(x, layers[0], bias: null)), layers[1], bias: null);
        Tensor error = r.Add(y, minusTarget);
        loss = r.Keep(r.SumOfSquares(error, 1f / Examples));
        r.Tape.Backward(error, seed: r.Scale(error, 2f / Examples));
        foreach (Tensor weight in layers)
            r.AddTo(weight, r.Scale(weight.Gradient!, -0.05f));
    });
    step.Run();
    float before = device.Read<float>(loss!)[0];
    for (int i = 1; i < steps; i++)
        step.Submit();
    return (before, device.Read<float>(loss!)[0]);
}

static double Dot(float[] a, float[] b) => a.Zip(b, (left, right) => (double)left * right).Sum();

static float[] Noise(Shape shape, int seed)
{
    Random random = new(seed);
    return [.. Enumerable.Range(0, (int)shape.Elements).Select(_ => (2 * random.NextSingle()) - 1)];
}
