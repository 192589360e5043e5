using Deit.Model;
using Deit.Model.Images;

namespace Deit.Samples.Desktop;

/// <summary>
/// Two pages. The first has a picture on the left, with where the model looks, and the classes with their probabilities on
/// the right; the second teaches the model two classes.
/// </summary>
internal sealed class MainWindow : IDisposable
{
    private readonly nint _window = Gtk.gtk_window_new(0),
        _canvas = Gtk.gtk_drawing_area_new(),
        _hint = Gtk.gtk_label_new("Drop a picture here"),
        _attention = Gtk.gtk_check_button_new_with_label("Show where the model looks"),
        _pages = Gtk.gtk_stack_new(),
        _loadingBar = Gtk.gtk_progress_bar_new(),
        _status = Gtk.gtk_label_new("");

    private readonly ClassRow[] _rows = [.. Enumerable.Range(0, 5).Select(_ => new ClassRow())];
    private readonly TeachPage _teach;
    private readonly List<Task<DeitModel?>> _former = [];
    private Task<DeitModel?> _model;
    private Picture? _picture;
    private int _opened;

    /// <summary>Shows the window and loads the model in the background.</summary>
    /// <param name="folder">The model.</param>
    /// <param name="runs">The folder for models that the user trains.</param>
    public MainWindow(string folder, string runs)
    {
        _teach = new TeachPage(_window, folder, runs) { Trained = Use };
        Gtk.gtk_window_set_title(_window, "Deit");
        Gtk.gtk_window_set_default_size(_window, 980, 620);
        Style();
        AddPages();
        Gtk.Connect(_window, "destroy", Gtk.gtk_main_quit);
        Gtk.ConnectDrop(_window, paths => Open(paths[0]));
        Gtk.ConnectDraw(_canvas, Draw);
        Gtk.Connect(_attention, "toggled", () => Gtk.gtk_widget_queue_draw(_canvas));
        Gtk.gtk_widget_show_all(_window);
        foreach (ClassRow row in _rows)
            row.Hide();
        _model = Load(folder);
    }

    /// <summary>Classifies a picture file and shows it; the last one opened stays.</summary>
    public async void Open(string path)
    {
        int turn = ++_opened;
        try
        {
            if (await _model is not { } model)
                return; // why stands in the status line
            Say($"Looking at {Path.GetFileName(path)} ...");
            (Picture picture, Classification answer) = await Task.Run(() =>
            {
                RgbImage image = RgbImage.Decode(path);
                Picture drawn = new(image);
                if (model.Config is TransformerConfig) // other networks have no attention
                    drawn.Show(model.ComputeAttention(image).Rollout, model.Preprocess);
                return (drawn, model.Classify(image));
            });
            if (turn != _opened)
                return;
            _picture = picture;
            Gtk.gtk_widget_set_visible(_hint, 0);
            Gtk.gtk_widget_queue_draw(_canvas);
            for (int i = 0; i < Math.Min(_rows.Length, answer.Scores.Count); i++)
                _rows[i].Show(answer.Scores[i]);
            Say($"{Path.GetFileName(path)} on {model.Device.Name}");
        }
        catch (DeitException error)
        {
            Say(error.Message, isError: true);
        }
    }

    /// <summary>Shows the second page, with the pictures of two folders.</summary>
    public void Teach(string first, string second)
    {
        Gtk.gtk_stack_set_visible_child_name(_pages, "teach");
        _teach.Collect(first, second);
    }

    public void Dispose()
    {
        _teach.Dispose();
        foreach (Task<DeitModel?> model in (IEnumerable<Task<DeitModel?>>)[.. _former, _model])
            if (model.IsCompletedSuccessfully)
                model.Result?.Dispose();
    }

    private async Task<DeitModel?> Load(string folder)
    {
        try
        {
            Progress<LoadProgress> progress = new(now =>
            {
                Gtk.gtk_progress_bar_set_fraction(_loadingBar, now.Fraction);
                string stage = now.Stage switch
                {
                    LoadStage.Download => "fetching the model",
                    LoadStage.Description => "what the model is",
                    LoadStage.Device => "the device",
                    LoadStage.Weights => "the weights",
                    _ => "the kernels",
                };
                Say($"Loading: {stage} ...");
            });
            DeitModel model = await DeitModel.LoadAsync(folder, new DeitModelOptions { CpuFallback = true }, progress);
            Say($"Ready on {model.Device.Name}");
            return model;
        }
        catch (DeitException error)
        {
            Say(error.Message, isError: true);
            return null;
        }
        finally
        {
            Gtk.gtk_widget_set_visible(_loadingBar, 0);
        }
    }

    private void Say(string text, bool isError = false)
    {
        Gtk.gtk_label_set_text(_status, text);
        nint context = Gtk.gtk_widget_get_style_context(_status);
        if (isError)
            Gtk.gtk_style_context_add_class(context, "error");
        else
            Gtk.gtk_style_context_remove_class(context, "error");
    }

    private void Draw(nint cairo)
    {
        int width = Gtk.gtk_widget_get_allocated_width(_canvas),
            height = Gtk.gtk_widget_get_allocated_height(_canvas);
        if (_picture is not null)
        {
            _picture.Draw(cairo, width, height, Gtk.gtk_toggle_button_get_active(_attention));
            return;
        }
        Picture.DrawPlace(cairo, width, height);
    }

    private void Choose()
    {
        if (Gtk.ChoosePath(_window, "Choose a picture", Gtk.FileChooserActionOpen) is { } path)
            Open(path);
    }

    // The model that the user has trained takes the place of the one before, which may still be answering.
    private void Use(DeitModel trained)
    {
        _former.Add(_model);
        _model = Task.FromResult<DeitModel?>(trained);
        Say($"Trained: {string.Join(", ", trained.Labels)}");
        foreach (ClassRow row in _rows)
            row.Hide();
    }

    private void AddPages()
    {
        nint rows = Gtk.gtk_box_new(Gtk.Vertical, 0),
            switcher = Gtk.gtk_stack_switcher_new();
        Gtk.gtk_stack_switcher_set_stack(switcher, _pages);
        Gtk.gtk_widget_set_halign(switcher, Gtk.AlignCenter);
        Gtk.gtk_stack_add_titled(_pages, Build(), "look", "Look");
        Gtk.gtk_stack_add_titled(_pages, _teach.Widget, "teach", "Teach");
        Gtk.gtk_box_pack_start(rows, switcher, 0, 0, 8);
        Gtk.gtk_box_pack_start(rows, _pages, 1, 1, 0);
        Gtk.gtk_container_add(_window, rows);
    }

    private nint Build()
    {
        nint overlay = Gtk.gtk_overlay_new();
        Gtk.gtk_container_add(overlay, _canvas);
        Gtk.gtk_overlay_add_overlay(overlay, _hint);
        nint side = Gtk.gtk_box_new(Gtk.Vertical, 10);
        Gtk.gtk_widget_set_size_request(side, 300, -1);
        nint choose = Gtk.gtk_button_new_with_label("Choose a picture ...");
        Gtk.Connect(choose, "clicked", Choose);
        Gtk.gtk_box_pack_start(side, choose, 0, 0, 0);
        foreach (ClassRow row in _rows)
            Gtk.gtk_box_pack_start(side, row.Widget, 0, 0, 4);
        Gtk.gtk_toggle_button_set_active(_attention, 1);
        Gtk.gtk_label_set_line_wrap(_status, 1);
        Gtk.gtk_label_set_max_width_chars(_status, 30); // no wider than the column, however long a device's name
        Gtk.gtk_label_set_xalign(_status, 0);
        Gtk.AddClass(_status, "status");
        Gtk.AddClass(_hint, "share");
        // From the bottom up.
        Gtk.gtk_box_pack_end(side, _status, 0, 0, 0);
        Gtk.gtk_box_pack_end(side, _loadingBar, 0, 0, 0);
        Gtk.gtk_box_pack_end(side, _attention, 0, 0, 0);
        nint columns = Gtk.gtk_box_new(Gtk.Horizontal, 20);
        Gtk.gtk_container_set_border_width(columns, 20);
        Gtk.gtk_box_pack_start(columns, overlay, 1, 1, 0);
        Gtk.gtk_box_pack_start(columns, side, 0, 0, 0);
        return columns;
    }

    private static void Style()
    {
        using StreamReader reader = new(typeof(MainWindow).Assembly.GetManifestResourceStream("style.css")!);
        nint provider = Gtk.gtk_css_provider_new();
        _ = Gtk.gtk_css_provider_load_from_data(provider, reader.ReadToEnd(), -1, 0);
        Gtk.gtk_style_context_add_provider_for_screen(
            Gtk.gdk_screen_get_default(),
            provider,
            Gtk.StyleProviderPriorityApplication
        );
    }

    /// <summary>A class with a bar as long as it is probable.</summary>
    private sealed class ClassRow
    {
        private readonly nint _name = Gtk.gtk_label_new(""),
            _share = Gtk.gtk_label_new(""),
            _bar = Gtk.gtk_progress_bar_new();

        public ClassRow()
        {
            nint texts = Gtk.gtk_box_new(Gtk.Horizontal, 8);
            Gtk.gtk_label_set_xalign(_name, 0);
            Gtk.gtk_label_set_ellipsize(_name, 3); // PANGO_ELLIPSIZE_END
            Gtk.gtk_box_pack_start(texts, _name, 1, 1, 0);
            Gtk.gtk_box_pack_end(texts, _share, 0, 0, 0);
            Gtk.AddClass(_name, "name");
            Gtk.AddClass(_share, "share");
            Gtk.gtk_box_pack_start(Widget, texts, 0, 0, 0);
            Gtk.gtk_box_pack_start(Widget, _bar, 0, 0, 0);
        }

        public nint Widget { get; } = Gtk.gtk_box_new(Gtk.Vertical, 4);

        public void Show(ClassScore score)
        {
            Gtk.gtk_label_set_text(_name, score.Label);
            Gtk.gtk_label_set_text(_share, $"{score.Probability:p1}");
            Gtk.gtk_progress_bar_set_fraction(_bar, score.Probability);
            Gtk.gtk_widget_set_visible(Widget, 1);
        }

        public void Hide() => Gtk.gtk_widget_set_visible(Widget, 0);
    }
}
