using System.Buffers.Binary;
using Deit.Gpu;
using Deit.Model;
using Deit.Model.Files;
using Deit.Tests.Gpu;

namespace Deit.Tests.Model.Networks;

public class RegNetTests
{
    private static readonly RegNetConfig Small = new()
    {
        InitialWidth = 8,
        WidthSlope = 8,
        WidthMultiplier = 2,
        Depth = 2,
        GroupWidth = 8,
        StemWidth = 8,
        NumClasses = 5,
        InputSize = 32,
    };

    [Fact]
    public void Running_statistics_are_saved_and_loaded_but_not_trained()
    {
        using TemporaryFolder folder = new();
        string path = Path.Combine(folder.Path, "model.safetensors");
        using RegNet saved = new(TestDevice.Current, Small),
            loaded = new(TestDevice.Current, Small);
        saved.Parameters.Initialize(1);
        ParameterSpec[] all = [.. saved.Parameters.Specs, .. saved.Parameters.Buffers];
        foreach (ParameterSpec buffer in saved.Parameters.Buffers)
            TestDevice.Current.Write<float>(
                saved.Parameters[buffer.Name],
                OpInput.Random(buffer.Shape, seed: buffer.Name.Length).Values
            );
        ModelFolder.SaveWeights(saved.Parameters, path);
        using (SafetensorsFile file = SafetensorsFile.Open(path))
            ModelFolder.LoadWeights(loaded.Parameters, file, path);
        foreach (ParameterSpec spec in all)
            Assert.Equal(
                TestDevice.Current.Read<float>(saved.Parameters[spec.Name]),
                TestDevice.Current.Read<float>(loaded.Parameters[spec.Name])
            );
        loaded.Parameters.Train();
        Assert.NotEmpty(loaded.Parameters.Buffers);
        Assert.All(loaded.Parameters.Buffers, buffer => Assert.Null(loaded.Parameters[buffer.Name].Gradient));
        Assert.Equal(loaded.Parameters.Specs.Sum(spec => spec.Shape.Elements), loaded.Parameters.Count);
    }

    [Theory]
    [InlineData("stem.bn.num_batches_tracked", true)]
    [InlineData("stem.conv.num_batches_tracked", false)]
    [InlineData("stem.bn.extra", false)]
    public void Counts_of_batches_are_accepted_and_nothing_else(string name, bool accepted)
    {
        using TemporaryFolder folder = new();
        string path = Path.Combine(folder.Path, "model.safetensors");
        using RegNet model = new(TestDevice.Current, Small);
        byte[] count = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(count, 42);
        SafetensorsWriter.Write(
            path,
            model
                .Parameters.Specs.Concat(model.Parameters.Buffers)
                .Select(spec =>
                    SafetensorsSource.FromFloats(
                        spec.Name,
                        Array.ConvertAll(spec.Shape.ToArray(), d => (long)d),
                        new float[spec.Shape.Elements]
                    )
                )
                .Append(SafetensorsSource.FromBytes(name, SafetensorsDType.I64, [], count))
        );
        using SafetensorsFile file = SafetensorsFile.Open(path);
        if (accepted)
            ModelFolder.LoadWeights(model.Parameters, file, path);
        else
            Assert.Contains(
                name,
                Assert.Throws<CheckpointException>(() => ModelFolder.LoadWeights(model.Parameters, file, path)).Message
            );
    }

    // The deviation of n draws' standard deviation is about 1 / sqrt(2 n) of it; bounds of five deviations.
    [Fact]
    public void Starts_as_the_reference_does()
    {
        using RegNet model = new(TestDevice.Current, Small with { StemWidth = 64, NumClasses = 1000 });
        model.Parameters.Initialize(3);
        AssertDeviation("stem.conv.weight", Math.Sqrt(2.0 / (64 * 9)));
        AssertDeviation("head.fc.weight", 0.01);
        Assert.All(Read("s1.b1.conv3.bn.weight"), v => Assert.Equal(0, v));
        Assert.All(Read("s1.b1.conv2.bn.weight"), v => Assert.Equal(1, v));
        Assert.All(Read("s1.b1.conv2.bn.running_var"), v => Assert.Equal(1, v));
        Assert.All(Read("s1.b1.conv2.bn.running_mean"), v => Assert.Equal(0, v));
        Assert.All(Read("s1.b1.se.fc1.bias"), v => Assert.InRange(Math.Abs(v), 1e-7, 1 / Math.Sqrt(8)));

        float[] Read(string name) => TestDevice.Current.Read<float>(model.Parameters[name]);

        void AssertDeviation(string name, double expected)
        {
            float[] values = Read(name);
            double actual = Math.Sqrt(values.Average(v => (double)v * v));
            Assert.InRange(
                actual / expected,
                1 - (5 / Math.Sqrt(2.0 * values.Length)),
                1 + (5 / Math.Sqrt(2.0 * values.Length))
            );
        }
    }
}
