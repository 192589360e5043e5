using System.Runtime.InteropServices;
using Deit.Model.Images;

namespace Deit.Samples.Desktop;

/// <summary>A class that the user teaches: its name, and its pictures as they are collected.</summary>
internal sealed class ClassColumn
{
    private const int Shown = 12,
        Across = 4,
        ThumbnailSide = 160;

    private static readonly string[] Extensions = [".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"];

    private readonly nint _window,
        _name = Gtk.gtk_entry_new(),
        _canvas = Gtk.gtk_drawing_area_new(),
        _count = Gtk.gtk_label_new("no pictures yet");

    private readonly string _unnamed;
    private readonly List<(string Name, byte[] Encoded)> _pictures = [];
    private readonly List<Picture> _thumbnails = [];

    /// <summary>Makes an empty one.</summary>
    /// <param name="window">The window that it is in.</param>
    /// <param name="name">The name until the user gives another.</param>
    public ClassColumn(nint window, string name)
    {
        (_window, _unnamed) = (window, name);
        Gtk.gtk_entry_set_text(_name, name);
        nint choose = Gtk.gtk_button_new_with_label("Add a folder ...");
        Gtk.Connect(choose, "clicked", Choose);
        Gtk.ConnectDraw(_canvas, Draw);
        Gtk.ConnectDrop(_canvas, Add);
        Gtk.AddClass(_count, "share");
        Gtk.gtk_box_pack_start(Widget, _name, 0, 0, 0);
        Gtk.gtk_box_pack_start(Widget, _canvas, 1, 1, 0);
        Gtk.gtk_box_pack_start(Widget, _count, 0, 0, 0);
        Gtk.gtk_box_pack_start(Widget, choose, 0, 0, 0);
    }

    /// <summary>The column.</summary>
    public nint Widget { get; } = Gtk.gtk_box_new(Gtk.Vertical, 8);

    /// <summary>The name of the class.</summary>
    public string Name => (Marshal.PtrToStringUTF8(Gtk.gtk_entry_get_text(_name)) ?? "").Trim();

    /// <summary>The pictures, each with the name of its file.</summary>
    public IReadOnlyList<(string Name, byte[] Encoded)> Pictures => _pictures;

    /// <summary>Reads files, and those in folders, and shows the first of them.</summary>
    public async void Add(IReadOnlyList<string> paths)
    {
        if (Name == _unnamed && paths.FirstOrDefault(Directory.Exists) is { } folder)
            Gtk.gtk_entry_set_text(_name, Path.GetFileName(Path.TrimEndingDirectorySeparator(folder)));
        int room = Shown - _thumbnails.Count;
        (List<(string, byte[])> read, List<Picture> thumbnails, int damaged) = await Task.Run(() => Read(paths, room));
        _pictures.AddRange(read);
        _thumbnails.AddRange(thumbnails.Take(Shown - _thumbnails.Count));
        string left = damaged > 0 ? $", {damaged} could not be read" : "";
        Gtk.gtk_label_set_text(_count, $"{_pictures.Count} pictures{left}");
        Gtk.gtk_widget_queue_draw(_canvas);
    }

    private static (List<(string, byte[])> Read, List<Picture> Thumbnails, int Damaged) Read(
        IReadOnlyList<string> paths,
        int room
    )
    {
        List<(string, byte[])> read = [];
        List<Picture> thumbnails = [];
        int damaged = 0;
        List<string> files = [];
        foreach (string path in paths)
            try
            {
                files.AddRange(
                    Directory.Exists(path) ? Directory.EnumerateFiles(path).Order(StringComparer.Ordinal) : [path]
                );
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                damaged++; // a folder that may not be read
            }
        foreach (string file in files.Where(file => Extensions.Contains(Path.GetExtension(file).ToLowerInvariant())))
            try
            {
                byte[] encoded = File.ReadAllBytes(file);
                RgbImage image = RgbImage.Decode(encoded);
                if (thumbnails.Count < room)
                    thumbnails.Add(new Picture(Reduced(image)));
                read.Add((file, encoded));
            }
            catch (Exception error) when (error is DeitException or IOException or UnauthorizedAccessException)
            {
                damaged++;
            }
        return (read, thumbnails, damaged);
    }

    // Every so many pixels: good enough to recognise it by.
    private static RgbImage Reduced(RgbImage image)
    {
        int step = Math.Max(1, Math.Max(image.Width, image.Height) / ThumbnailSide),
            width = image.Width / step,
            height = image.Height / step;
        if (step == 1 || width == 0 || height == 0)
            return image;
        byte[] pixels = new byte[width * height * 3];
        for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            image
                .Pixels.AsSpan(((y * step * image.Width) + (x * step)) * 3, 3)
                .CopyTo(pixels.AsSpan(((y * width) + x) * 3));
        return new RgbImage(width, height, pixels);
    }

    private void Choose()
    {
        if (Gtk.ChoosePath(_window, "Choose a folder of pictures", Gtk.FileChooserActionSelectFolder) is { } folder)
            Add([folder]);
    }

    private void Draw(nint cairo)
    {
        int width = Gtk.gtk_widget_get_allocated_width(_canvas),
            height = Gtk.gtk_widget_get_allocated_height(_canvas);
        if (_thumbnails.Count == 0)
        {
            Picture.DrawPlace(cairo, width, height);
            return;
        }
        double across = (double)width / Across,
            down = (double)height / (Shown / Across);
        foreach ((int i, Picture picture) in _thumbnails.Index())
        {
            Gtk.cairo_save(cairo);
            Gtk.cairo_translate(cairo, i % Across * across, i / Across * down);
            picture.Draw(cairo, (int)across - 6, (int)down - 6, attention: false);
            Gtk.cairo_restore(cairo);
        }
    }
}
