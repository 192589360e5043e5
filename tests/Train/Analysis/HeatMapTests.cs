using Deit.Model.Images;
using Deit.Tests.Model.Images;
using Deit.Train.Analysis;

namespace Deit.Tests.Train.Analysis;

public class HeatMapTests
{
    [Fact]
    public void The_input_becomes_the_picture_again()
    {
        Preprocess preprocess = new() { InputSize = new ImageSize(20, 30), CropRatio = 1 };
        RgbImage image = TestImages.Noise(30, 20, 1);
        float[] chw = new float[preprocess.OutputLength];
        preprocess.Apply(image, chw);
        RgbImage back = HeatMap.Picture(chw, preprocess);
        Assert.Equal((30, 20), (back.Width, back.Height));
        Assert.Equal(image.Pixels, back.Pixels);
    }

    // On black, heat is the colour map at 60 %. Two rows of three patches of 5 pixels, whose middles are the pixels 2, 7 and 12.
    [Fact]
    public void Heat_lies_on_its_patch_from_the_least_to_the_largest()
    {
        RgbImage heat = HeatMap.Overlay(new RgbImage(15, 10, new byte[15 * 10 * 3]), [5, 1, 1, 1, 1, 9], (2, 3));
        Near(0.5, heat.At(0, 0)); // 5 of 1 to 9; outside the middles nothing changes
        Near(0.5, heat.At(2, 2));
        Near(0, heat.At(7, 0));
        Near(0, heat.At(0, 9));
        Near(1, heat.At(14, 9));
        Near(0.2, heat.At(5, 0)); // three fifths of the way from 5 to 1
        Near(0.5 * 0.8, heat.At(2, 3)); // a fifth of the way down to 1
        Near(0.64, heat.At(11, 6)); // four fifths of the way from 1 to 9, in both directions

        static void Near(double value, (int R, int G, int B) actual)
        {
            Rgb color = Rgb.Black.Towards(ColorMap.Inferno(value), 0.6);
            Assert.InRange(actual.R, color.Red - 1, color.Red + 1);
            Assert.InRange(actual.G, color.Green - 1, color.Green + 1);
            Assert.InRange(actual.B, color.Blue - 1, color.Blue + 1);
        }
    }

    [Fact]
    public void Even_heat_is_dark_and_no_error() =>
        Assert.All(
            HeatMap.Overlay(new RgbImage(4, 4, new byte[48]), [2, 2, 2, 2], (2, 2)).Pixels,
            value => Assert.InRange(value, 0, 3)
        );

    // A map is perceptual if lightness goes one way, in even steps. Luma stands for lightness.
    [Fact]
    public void Colours_grow_lighter_or_darker_throughout()
    {
        double[] inferno = [.. Enumerable.Range(0, 101).Select(i => ColorMap.Inferno(i / 100.0).Luma)],
            blues = [.. Enumerable.Range(0, 101).Select(i => ColorMap.Blues(i / 100.0).Luma)];
        for (int i = 1; i <= 100; i++)
        {
            Assert.InRange(inferno[i] - inferno[i - 1], 0.001, 0.03);
            Assert.InRange(blues[i - 1] - blues[i], 0.001, 0.03);
        }
        Assert.Equal(ColorMap.Inferno(0), ColorMap.Inferno(double.NaN));
        Assert.Equal(ColorMap.Blues(1), ColorMap.Blues(7));
    }
}
