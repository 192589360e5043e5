using Deit.Model.Images;

namespace Deit.Tests.Samples;

/// <summary>Pictures of a few colours with noise, which a small network tells apart after a few steps.</summary>
internal static class ColorData
{
    /// <summary>The classes, in the order of a folder's.</summary>
    public static readonly string[] Colors = ["blue", "green", "grey", "red"];

    /// <summary>Writes pictures of 40 pixels into <c>FOLDER/{train,val}/COLOR</c>, a fifth of them for validation.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="ofClass">Pictures of a class, a multiple of 5.</param>
    /// <returns>The folder.</returns>
    public static string Write(string folder, int ofClass)
    {
        Random random = new(5);
        foreach (string color in Colors)
            for (int number = 0; number < ofClass; number++)
            {
                string place = Path.Combine(folder, number % 5 == 0 ? "val" : "train", color);
                Directory.CreateDirectory(place);
                ImageEncoder.SavePng(Draw(color, random), Path.Combine(place, $"{number:00}.png"));
            }
        return folder;
    }

    /// <summary>A picture of a colour.</summary>
    public static RgbImage Draw(string color, Random random)
    {
        int channel = Array.IndexOf(["red", "green", "blue"], color);
        byte[] pixels = new byte[40 * 40 * 3];
        random.NextBytes(pixels);
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)((pixels[i] / 4) + (color == "grey" || i % 3 == channel ? 150 : 40));
        return new RgbImage(40, 40, pixels);
    }
}
