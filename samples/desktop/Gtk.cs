using System.Runtime.InteropServices;

namespace Deit.Samples.Desktop;

/// <summary>
/// The functions of GTK 3, GLib and Cairo that the window needs, under their own names. The libraries' documentation describes them.
/// </summary>
internal static unsafe partial class Gtk
{
    public const int Horizontal = 0,
        Vertical = 1,
        DestDefaultAll = 7,
        ActionCopy = 2,
        FileChooserActionOpen = 0,
        FileChooserActionSelectFolder = 2,
        AlignCenter = 3,
        ResponseAccept = -3,
        StyleProviderPriorityApplication = 600;
    public const int CairoFormatArgb32 = 0,
        CairoFormatRgb24 = 1,
        CairoFilterBilinear = 4,
        CairoExtendPad = 3;

    private const string GtkLibrary = "libgtk-3.so.0",
        GdkLibrary = "libgdk-3.so.0",
        GObject = "libgobject-2.0.so.0",
        GLib = "libglib-2.0.so.0",
        Cairo = "libcairo.so.2";

    /// <summary>Calls an action on a signal without arguments, such as <c>clicked</c>.</summary>
    public static void Connect(nint widget, string signal, Action action) =>
        Connect(widget, signal, (delegate* unmanaged<nint, nint, void>)&OnSignal, action);

    /// <summary>Calls an action with a Cairo context when a widget is to be drawn.</summary>
    public static void ConnectDraw(nint widget, Action<nint> action) =>
        Connect(widget, "draw", (delegate* unmanaged<nint, nint, nint, int>)&OnDraw, action);

    /// <summary>Lets files be dropped on a widget, and calls an action with their paths.</summary>
    public static void ConnectDrop(nint widget, Action<IReadOnlyList<string>> action)
    {
        gtk_drag_dest_set(widget, DestDefaultAll, 0, 0, ActionCopy);
        gtk_drag_dest_add_uri_targets(widget);
        Connect(
            widget,
            "drag-data-received",
            (delegate* unmanaged<nint, nint, int, int, nint, uint, uint, nint, void>)&OnDrop,
            action
        );
    }

    // The window lives as long as the process, and so do its handlers.
    private static void Connect(nint widget, string signal, void* handler, Delegate action) =>
        g_signal_connect_data(widget, signal, handler, GCHandle.ToIntPtr(GCHandle.Alloc(action)), 0, 0);

    [UnmanagedCallersOnly]
    private static void OnSignal(nint widget, nint data) => ((Action)GCHandle.FromIntPtr(data).Target!)();

    [UnmanagedCallersOnly]
    private static int OnDraw(nint widget, nint cairo, nint data)
    {
        ((Action<nint>)GCHandle.FromIntPtr(data).Target!)(cairo);
        return 1;
    }

    [UnmanagedCallersOnly]
    private static void OnDrop(nint widget, nint context, int x, int y, nint selection, uint info, uint time, nint data)
    {
        byte** uris = gtk_selection_data_get_uris(selection);
        if (uris == null)
            return;
        List<string> paths = [];
        for (byte** uri = uris; *uri != null; uri++)
            if (Text(g_filename_from_uri(*uri, 0, 0)) is { } path)
                paths.Add(path);
        g_strfreev(uris);
        if (paths.Count > 0)
            ((Action<IReadOnlyList<string>>)GCHandle.FromIntPtr(data).Target!)(paths);
    }

    /// <summary>Asks for a file or a folder; null where the user wants none.</summary>
    public static string? ChoosePath(nint window, string title, int action)
    {
        nint dialog = gtk_file_chooser_native_new(title, window, action, null, null);
        string? path =
            gtk_native_dialog_run(dialog) == ResponseAccept ? Text(gtk_file_chooser_get_filename(dialog)) : null;
        g_object_unref(dialog);
        return path;
    }

    /// <summary>Gives a widget a class of the style sheet.</summary>
    public static void AddClass(nint widget, string name) =>
        gtk_style_context_add_class(gtk_widget_get_style_context(widget), name);

    // A text of GLib, which is freed.
    private static string? Text(nint text)
    {
        string? copy = Marshal.PtrToStringUTF8(text);
        g_free(text);
        return copy;
    }

    [LibraryImport(GtkLibrary)]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool gtk_init_check(nint argc, nint argv);

    [LibraryImport(GtkLibrary)]
    public static partial void gtk_main();

    [LibraryImport(GtkLibrary)]
    public static partial void gtk_main_quit();

    [LibraryImport(GtkLibrary)]
    public static partial nint gtk_window_new(int type);

    [LibraryImport(GtkLibrary, StringMarshalling = StringMarshalling.Utf8)]
    public static partial void gtk_window_set_title(nint window, string title);

    [LibraryImport(GtkLibrary)]
    public static partial void gtk_window_set_default_size(nint window, int width, int height);

    [LibraryImport(GtkLibrary)]
    public static partial void gtk_container_add(nint container, nint widget);

    [LibraryImport(GtkLibrary)]
    public static partial void gtk_container_set_border_width(nint container, uint width);

    [LibraryImport(GtkLibrary)]
    public static partial nint gtk_overlay_new();

    [LibraryImport(GtkLibrary)]
    public static partial void gtk_overlay_add_overlay(nint overlay, nint widget);

    [LibraryImport(GtkLibrary)]
    public static partial nint gtk_box_new(int orientation, int spacing);

    [LibraryImport(GtkLibrary)]
    public static partial void gtk_box_pack_start(nint box, nint child, int expand, int fill, uint padding);

    [LibraryImport(GtkLibrary)]
    public static partial void gtk_box_pack_end(nint box, nint child, int expand, int fill, uint padding);

    [LibraryImport(GtkLibrary, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint gtk_label_new(string text);

    [LibraryImport(GtkLibrary, StringMarshalling = StringMarshalling.Utf8)]
    public static partial void gtk_label_set_text(nint label, string text);

    [LibraryImport(GtkLibrary)]
    public static partial void gtk_label_set_xalign(nint label, float alignment);

    [LibraryImport(GtkLibrary)]
    public static partial void gtk_label_set_line_wrap(nint label, int wrap);

    [LibraryImport(GtkLibrary)]
    public static partial void gtk_label_set_max_width_chars(nint label, int characters);

    [LibraryImport(GtkLibrary)]
    public static partial void gtk_label_set_ellipsize(nint label, int mode);

    [LibraryImport(GtkLibrary, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint gtk_button_new_with_label(string label);

    [LibraryImport(GtkLibrary, StringMarshalling = StringMarshalling.Utf8)]
    public static partial void gtk_button_set_label(nint button, string label);

    [LibraryImport(GtkLibrary)]
    public static partial nint gtk_entry_new();

    [LibraryImport(GtkLibrary, StringMarshalling = StringMarshalling.Utf8)]
    public static partial void gtk_entry_set_text(nint entry, string text);

    [LibraryImport(GtkLibrary)]
    public static partial nint gtk_entry_get_text(nint entry);

    [LibraryImport(GtkLibrary)]
    public static partial nint gtk_stack_new();

    [LibraryImport(GtkLibrary, StringMarshalling = StringMarshalling.Utf8)]
    public static partial void gtk_stack_add_titled(nint stack, nint child, string name, string title);

    [LibraryImport(GtkLibrary, StringMarshalling = StringMarshalling.Utf8)]
    public static partial void gtk_stack_set_visible_child_name(nint stack, string name);

    [LibraryImport(GtkLibrary)]
    public static partial nint gtk_stack_switcher_new();

    [LibraryImport(GtkLibrary)]
    public static partial void gtk_stack_switcher_set_stack(nint switcher, nint stack);

    [LibraryImport(GtkLibrary)]
    public static partial void gtk_widget_set_halign(nint widget, int align);

    [LibraryImport(GtkLibrary, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint gtk_check_button_new_with_label(string label);

    [LibraryImport(GtkLibrary)]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool gtk_toggle_button_get_active(nint button);

    [LibraryImport(GtkLibrary)]
    public static partial void gtk_toggle_button_set_active(nint button, int active);

    [LibraryImport(GtkLibrary)]
    public static partial nint gtk_progress_bar_new();

    [LibraryImport(GtkLibrary)]
    public static partial void gtk_progress_bar_set_fraction(nint bar, double fraction);

    [LibraryImport(GtkLibrary)]
    public static partial nint gtk_drawing_area_new();

    [LibraryImport(GtkLibrary)]
    public static partial void gtk_widget_set_size_request(nint widget, int width, int height);

    [LibraryImport(GtkLibrary)]
    public static partial int gtk_widget_get_allocated_width(nint widget);

    [LibraryImport(GtkLibrary)]
    public static partial int gtk_widget_get_allocated_height(nint widget);

    [LibraryImport(GtkLibrary)]
    public static partial void gtk_widget_queue_draw(nint widget);

    [LibraryImport(GtkLibrary)]
    public static partial void gtk_widget_show_all(nint widget);

    [LibraryImport(GtkLibrary)]
    public static partial void gtk_widget_set_visible(nint widget, int visible);

    [LibraryImport(GtkLibrary)]
    public static partial nint gtk_widget_get_style_context(nint widget);

    [LibraryImport(GtkLibrary, StringMarshalling = StringMarshalling.Utf8)]
    public static partial void gtk_style_context_add_class(nint context, string name);

    [LibraryImport(GtkLibrary, StringMarshalling = StringMarshalling.Utf8)]
    public static partial void gtk_style_context_remove_class(nint context, string name);

    [LibraryImport(GtkLibrary)]
    public static partial void gtk_style_context_add_provider_for_screen(nint screen, nint provider, uint priority);

    [LibraryImport(GtkLibrary)]
    public static partial nint gtk_css_provider_new();

    [LibraryImport(GtkLibrary, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int gtk_css_provider_load_from_data(nint provider, string data, nint length, nint error);

    [LibraryImport(GtkLibrary, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint gtk_file_chooser_native_new(
        string title,
        nint parent,
        int action,
        string? accept,
        string? cancel
    );

    [LibraryImport(GtkLibrary)]
    public static partial int gtk_native_dialog_run(nint dialog);

    [LibraryImport(GtkLibrary)]
    public static partial nint gtk_file_chooser_get_filename(nint chooser);

    [LibraryImport(GtkLibrary)]
    private static partial void gtk_drag_dest_set(nint widget, int flags, nint targets, int count, int actions);

    [LibraryImport(GtkLibrary)]
    private static partial void gtk_drag_dest_add_uri_targets(nint widget);

    [LibraryImport(GtkLibrary)]
    private static partial byte** gtk_selection_data_get_uris(nint selection);

    [LibraryImport(GdkLibrary)]
    public static partial nint gdk_screen_get_default();

    [LibraryImport(GObject, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nuint g_signal_connect_data(
        nint instance,
        string signal,
        void* handler,
        nint data,
        nint destroy,
        int flags
    );

    [LibraryImport(GObject)]
    public static partial void g_object_unref(nint instance);

    [LibraryImport(GLib)]
    public static partial uint g_idle_add(delegate* unmanaged<nint, int> function, nint data);

    [LibraryImport(GLib)]
    public static partial void g_free(nint memory);

    [LibraryImport(GLib)]
    private static partial void g_strfreev(byte** strings);

    [LibraryImport(GLib)]
    private static partial nint g_filename_from_uri(byte* uri, nint hostname, nint error);

    [LibraryImport(Cairo)]
    public static partial nint cairo_image_surface_create_for_data(
        byte* data,
        int format,
        int width,
        int height,
        int stride
    );

    [LibraryImport(Cairo)]
    public static partial void cairo_surface_destroy(nint surface);

    [LibraryImport(Cairo)]
    public static partial void cairo_save(nint cairo);

    [LibraryImport(Cairo)]
    public static partial void cairo_restore(nint cairo);

    [LibraryImport(Cairo)]
    public static partial void cairo_translate(nint cairo, double x, double y);

    [LibraryImport(Cairo)]
    public static partial void cairo_scale(nint cairo, double x, double y);

    [LibraryImport(Cairo)]
    public static partial void cairo_set_source_rgb(nint cairo, double red, double green, double blue);

    [LibraryImport(Cairo)]
    public static partial void cairo_set_source_surface(nint cairo, nint surface, double x, double y);

    [LibraryImport(Cairo)]
    public static partial nint cairo_get_source(nint cairo);

    [LibraryImport(Cairo)]
    public static partial void cairo_pattern_set_filter(nint pattern, int filter);

    [LibraryImport(Cairo)]
    public static partial void cairo_pattern_set_extend(nint pattern, int extend);

    [LibraryImport(Cairo)]
    public static partial void cairo_rectangle(nint cairo, double x, double y, double width, double height);

    [LibraryImport(Cairo)]
    public static partial void cairo_fill(nint cairo);

    [LibraryImport(Cairo)]
    public static partial void cairo_stroke(nint cairo);

    [LibraryImport(Cairo)]
    public static partial void cairo_set_dash(nint cairo, double* dashes, int count, double offset);
}
