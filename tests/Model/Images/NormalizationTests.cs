using Deit.Model.Images;

namespace Deit.Tests.Model.Images;

public sealed class NormalizationTests
{
    [Theory]
    [InlineData(1), InlineData(5), InlineData(6), InlineData(7), InlineData(37), InlineData(256)]
    public void Every_byte_has_the_bits_of_the_reference(int pixels)
    {
        byte[] rgb = [.. Enumerable.Range(0, pixels * 3).Select(i => (byte)(i * 85))];
        int stride = pixels + 3;
        float[] planes = new float[(3 * stride) - 3];
        Array.Fill(planes, float.NaN);
        Normalization.Apply(rgb, ChannelValues.ImageNetMean, ChannelValues.ImageNetStandardDeviation, planes, stride);
        for (int i = 0; i < planes.Length; i++)
        {
            (int channel, int pixel) = (i / stride, i % stride);
            float expected =
                pixel >= pixels
                    ? float.NaN // between the planes: untouched
                    : ((rgb[(pixel * 3) + channel] / 255f) - ChannelValues.ImageNetMean[channel])
                        / ChannelValues.ImageNetStandardDeviation[channel];
            Assert.Equal(expected, planes[i]);
        }
    }

    [Fact]
    public void Refuses_a_destination_that_is_too_small()
    {
        Assert.Throws<ArgumentException>(() =>
            Normalization.Apply(new byte[12], default, new(1, 1, 1), new float[11], 4)
        );
        Assert.Throws<ArgumentException>(() =>
            Normalization.Apply(new byte[12], default, new(1, 1, 1), new float[12], 3)
        );
    }
}
