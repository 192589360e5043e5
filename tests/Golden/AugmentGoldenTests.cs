using System.Text.Json;
using Deit.Model.Files;
using Deit.Model.Images;
using Deit.Train.Data.Augmentation;

namespace Deit.Tests.Golden;

/// <summary>Pillow's own pixels of every RandAugment operation.</summary>
[Trait("Category", "Golden")]
public sealed class AugmentGoldenTests
{
    // ImageNet's mean in levels of 0 to 255, with which the reference fills.
    private static readonly Pixel Fill = new(124, 116, 104);

    [Fact]
    public void Operations_have_the_pixels_of_pillow()
    {
        using SafetensorsFile golden = SafetensorsFile.Open(
            GoldenData.Path("augment/randaugment_and_resize.safetensors")
        );
        HashSet<RandAugmentOperation> compared = [];
        foreach (
            (string name, RandAugmentOperation operation, double magnitude, double? argument, bool negative) in Cases(
                golden
            )
        )
        {
            RgbImage image = Image(golden, name.Split('.')[0] + ".small"),
                expected = Image(golden, name);
            RgbImage scratch = new(image.Width, image.Height, new byte[image.Pixels.Length]);
            operation.Apply(argument ?? 0, image, scratch, Fill);
            int most = 0,
                different = 0;
            for (int i = 0; i < expected.Pixels.Length; i++)
                (most, different) = (
                    Math.Max(most, Math.Abs(expected.Pixels[i] - image.Pixels[i])),
                    different + (expected.Pixels[i] == image.Pixels[i] ? 0 : 1)
                );
            // The sines of two mathematics libraries may differ in the last bit, which truncation shows as a level; all
            // else is the same arithmetic.
            bool same =
                operation == RandAugmentOperation.Rotate
                    ? different <= expected.Pixels.Length / 100 && most <= 1
                    : different == 0;
            Assert.True(
                same,
                $"{name} at magnitude {magnitude}: {different} of {expected.Pixels.Length} values differ, by up to {most}."
            );
            compared.Add(operation);
        }
        Assert.Equal(RandAugmentOperations.Count, compared.Count);
    }

    [Fact]
    public void Magnitudes_give_the_arguments_of_timm()
    {
        using SafetensorsFile golden = SafetensorsFile.Open(
            GoldenData.Path("augment/randaugment_and_resize.safetensors")
        );
        foreach (
            (string name, RandAugmentOperation operation, double magnitude, double? argument, bool negative) in Cases(
                golden
            )
        )
            if (argument is { } expected)
                Assert.True(
                    // both round to doubles of at most 256
                    Math.Abs(expected - operation.Argument(magnitude, increasing: true, negative)) <= 1e-15,
                    $"{name}: {operation.Argument(magnitude, increasing: true, negative)} instead of {expected}."
                );
    }

    // "img0.PosterizeIncreasing.m5.neg" with its argument, if it takes one.
    private static IEnumerable<(
        string Name,
        RandAugmentOperation Operation,
        double Magnitude,
        double? Argument,
        bool Negative
    )> Cases(SafetensorsFile golden)
    {
        foreach ((string name, string json) in golden.Metadata)
            if (name.Split('.') is [_, string timmName, ['m', .. string magnitude], string sign])
            {
                RandAugmentOperation operation = Enum.Parse<RandAugmentOperation>(
                    timmName.Replace("Increasing", "").Replace("Rel", "")
                );
                double[] arguments = JsonSerializer.Deserialize<double[]>(json)!;
                yield return (
                    name,
                    operation,
                    double.Parse(magnitude),
                    arguments.Length == 0 ? null : arguments[0],
                    sign == "neg"
                );
            }
    }

    private static RgbImage Image(SafetensorsFile golden, string name) =>
        golden[name] is { Shape: [long height, long width, 3] } entry
            ? new RgbImage((int)width, (int)height, golden.Bytes(entry).ToArray())
            : throw new InvalidDataException($"{golden[name]} is no image.");
}
