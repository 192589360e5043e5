using System.Text.Json;
using Deit.Model.Files;
using Deit.Model.Images;

namespace Deit.Tests.Golden;

/// <summary>Pillow's own resizes: identical in every byte.</summary>
[Trait("Category", "Golden")]
public sealed class ResizeGoldenTests
{
    [Fact]
    public void Crops_are_resized_as_pillow_does()
    {
        using SafetensorsFile golden = SafetensorsFile.Open(
            GoldenData.Path("augment/randaugment_and_resize.safetensors")
        );
        int compared = 0;
        foreach ((string name, string argument) in golden.Metadata.Where(pair => pair.Key.Contains(".crop")))
        {
            int[] box =
            [
                .. JsonDocument.Parse(argument).RootElement.EnumerateArray().Select(number => number.GetInt32()),
            ];
            RgbImage source = Image(golden, name.Split('.')[0] + ".decoded");
            foreach (
                (string suffix, ResampleFilter filter) in new[]
                {
                    ("", ResampleFilter.Bicubic),
                    (".bilinear", ResampleFilter.Bilinear),
                }
            )
            {
                RgbImage expected = Image(golden, name + suffix);
                Resampling resampling = new(expected.Width, expected.Height, filter)
                {
                    Crop = new PixelRectangle(box[0], box[1], box[2], box[3]),
                };
                Assert.Equal(expected.Pixels, Resampler.Resize(source, resampling).Pixels);
                compared++;
            }
        }
        Assert.NotEqual(0, compared);
    }

    [Fact]
    public void The_evaluation_transform_is_the_reference_one()
    {
        using SafetensorsFile golden = SafetensorsFile.Open(
            GoldenData.Path("augment/randaugment_and_resize.safetensors")
        );
        int compared = 0;
        foreach (
            SafetensorsEntry entry in golden.Entries.Where(entry =>
                entry.Name.EndsWith(".uint8", StringComparison.Ordinal)
            )
        )
        {
            RgbImage source = Image(golden, entry.Name.Split('.')[0] + ".decoded"),
                expected = Image(golden, entry.Name);
            Preprocess preprocess = new() { InputSize = expected.Width };
            float[] actual = new float[preprocess.OutputLength];
            preprocess.Apply(source, actual);
            int plane = expected.Width * expected.Height;
            for (int i = 0; i < actual.Length; i++)
            {
                int channel = i / plane;
                float value = expected.Pixels[(i % plane * 3) + channel] / 255f;
                // Each operation rounded to float as the reference does: equal bits.
                Assert.Equal((value - preprocess.Mean[channel]) / preprocess.StandardDeviation[channel], actual[i]);
            }
            compared++;
        }
        Assert.NotEqual(0, compared);
    }

    [Fact]
    public void Photographs_are_decoded_as_pillow_does()
    {
        using SafetensorsFile golden = SafetensorsFile.Open(
            GoldenData.Path("augment/randaugment_and_resize.safetensors")
        );
        int compared = 0;
        foreach (
            SafetensorsEntry entry in golden.Entries.Where(entry =>
                entry.Name.EndsWith(".decoded", StringComparison.Ordinal)
            )
        )
        {
            RgbImage expected = Image(golden, entry.Name);
            RgbImage actual = ImageDecoder.Decode(GoldenData.Path($"augment/images/{entry.Name.Split('.')[0]}.jpg"));
            Assert.Equal((expected.Width, expected.Height), (actual.Width, actual.Height));
            Assert.Equal(expected.Pixels, actual.Pixels);
            compared++;
        }
        Assert.NotEqual(0, compared);
    }

    private static RgbImage Image(SafetensorsFile golden, string name) =>
        golden[name] is { Shape: [long height, long width, 3] } entry
            ? new RgbImage((int)width, (int)height, golden.Bytes(entry).ToArray())
            : throw new InvalidDataException($"{golden[name]} is no image.");
}
