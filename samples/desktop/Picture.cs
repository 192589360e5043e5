using Deit.Model;
using Deit.Model.Images;

namespace Deit.Samples.Desktop;

/// <summary>A picture as Cairo draws it, and over it where the class token looks.</summary>
internal sealed unsafe class Picture
{
    private readonly int _width,
        _height;

    // Pinned: Cairo reads them in place.
    private readonly byte[] _pixels;
    private byte[]? _heat;
    private (int Width, int Height) _grid;
    private (double X, double Y, double Width, double Height) _seen;

    public Picture(RgbImage image)
    {
        (_width, _height) = (image.Width, image.Height);
        _pixels = GC.AllocateUninitializedArray<byte>(checked(_width * _height * 4), pinned: true);
        ReadOnlySpan<byte> rgb = image.Pixels;
        for (int i = 0; i < _width * _height; i++)
            (_pixels[4 * i], _pixels[(4 * i) + 1], _pixels[(4 * i) + 2], _pixels[(4 * i) + 3]) = (
                rgb[(3 * i) + 2],
                rgb[(3 * i) + 1],
                rgb[3 * i],
                byte.MaxValue
            );
    }

    /// <summary>Lays attention over the part of the picture that the model saw: dark where it looks least, glowing where most.</summary>
    public void Show(AttentionMap attention, Preprocess preprocess)
    {
        // The shorter side is resized to ShorterSide, of which the middle InputSize is cut out.
        double scale = (double)Math.Min(_width, _height) / preprocess.ShorterSide;
        (double width, double height) = (preprocess.InputSize.Width * scale, preprocess.InputSize.Height * scale);
        _seen = ((_width - width) / 2, (_height - height) / 2, width, height);
        _grid = (attention.Width, attention.Height);
        float least = attention.Values.Min(),
            range = Math.Max(attention.Values.Max() - least, float.Epsilon);
        byte[] heat = GC.AllocateUninitializedArray<byte>(attention.Values.Length * 4, pinned: true);
        for (int i = 0; i < attention.Values.Length; i++)
        {
            // From black at 35 % to orange at 45 %, multiplied by alpha as Cairo wants it.
            float share = (attention.Values[i] - least) / range;
            (heat[4 * i], heat[(4 * i) + 1], heat[(4 * i) + 2], heat[(4 * i) + 3]) = (
                0,
                (byte)(70 * share),
                (byte)(115 * share),
                (byte)(90 + (25 * share))
            );
        }
        _heat = heat;
    }

    /// <summary>Draws it as large as fits.</summary>
    public void Draw(nint cairo, int width, int height, bool attention)
    {
        Gtk.cairo_save(cairo);
        double scale = Math.Min((double)width / _width, (double)height / _height);
        Gtk.cairo_translate(cairo, (width - (_width * scale)) / 2, (height - (_height * scale)) / 2);
        Gtk.cairo_scale(cairo, scale, scale);
        Paint(cairo, _pixels, Gtk.CairoFormatRgb24, _width, _height);
        if (attention && _heat is not null)
        {
            Gtk.cairo_translate(cairo, _seen.X, _seen.Y);
            Gtk.cairo_scale(cairo, _seen.Width / _grid.Width, _seen.Height / _grid.Height);
            Paint(cairo, _heat, Gtk.CairoFormatArgb32, _grid.Width, _grid.Height);
        }
        Gtk.cairo_restore(cairo);
    }

    /// <summary>Draws the place where pictures may be dropped.</summary>
    public static void DrawPlace(nint cairo, int width, int height)
    {
        double* dashes = stackalloc double[] { 8, 6 };
        Gtk.cairo_set_source_rgb(cairo, 0.7, 0.74, 0.8);
        Gtk.cairo_set_dash(cairo, dashes, 2, 0);
        Gtk.cairo_rectangle(cairo, 1, 1, width - 2, height - 2);
        Gtk.cairo_stroke(cairo);
    }

    private static void Paint(nint cairo, byte[] pixels, int format, int width, int height)
    {
        fixed (byte* data = pixels)
        {
            nint surface = Gtk.cairo_image_surface_create_for_data(data, format, width, height, width * 4);
            Gtk.cairo_set_source_surface(cairo, surface, 0, 0);
            nint pattern = Gtk.cairo_get_source(cairo);
            Gtk.cairo_pattern_set_filter(pattern, Gtk.CairoFilterBilinear);
            Gtk.cairo_pattern_set_extend(pattern, Gtk.CairoExtendPad); // no fading at the edges
            Gtk.cairo_rectangle(cairo, 0, 0, width, height);
            Gtk.cairo_fill(cairo);
            Gtk.cairo_surface_destroy(surface);
        }
    }
}
