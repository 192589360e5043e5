using Deit.Model.Images;

namespace Deit.Tests.Model.Images;

/// <summary>Pictures for tests.</summary>
internal static class TestImages
{
    /// <summary>Independent random bytes: the hardest input for a filter, as every rounding and every clipping occurs.</summary>
    public static RgbImage Noise(int width, int height, int seed)
    {
        byte[] pixels = new byte[width * height * 3];
        new Random(seed).NextBytes(pixels);
        for (int i = 0; i < pixels.Length; i++) // a third black and a third white, so that negative lobes overshoot
            pixels[i] =
                pixels[i] < 85 ? (byte)0
                : pixels[i] < 170 ? (byte)255
                : pixels[i];
        return new RgbImage(width, height, pixels);
    }

    /// <summary>Smooth gradients, which lossy formats keep nearly unchanged.</summary>
    public static RgbImage Smooth(int width, int height)
    {
        byte[] pixels = new byte[width * height * 3];
        for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
        {
            int i = ((y * width) + x) * 3;
            pixels[i] = (byte)(40 + (170 * x / width));
            pixels[i + 1] = (byte)(30 + (200 * y / height));
            pixels[i + 2] = (byte)(220 - (90 * x / width) - (90 * y / height));
        }
        return new RgbImage(width, height, pixels);
    }

    public static (int R, int G, int B) At(this RgbImage image, int x, int y)
    {
        int i = ((y * image.Width) + x) * 3;
        return (image.Pixels[i], image.Pixels[i + 1], image.Pixels[i + 2]);
    }
}
