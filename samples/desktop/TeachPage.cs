using Deit.Model;
using Deit.Train;

namespace Deit.Samples.Desktop;

/// <summary>Pictures of two classes that the user collects, and a training that learns to tell them apart.</summary>
internal sealed class TeachPage : IDisposable
{
    // With fewer pictures of a class the network would learn them by heart: its last layer alone is trained then.
    private const int Few = 20,
        Least = 5;

    private readonly ClassColumn[] _classes;
    private readonly nint _train = Gtk.gtk_button_new_with_label("Train"),
        _bar = Gtk.gtk_progress_bar_new(),
        _status = Gtk.gtk_label_new("");

    private readonly string _weights,
        _runs;

    private CancellationTokenSource? _stop;
    private Task? _training;

    /// <summary>Makes the page.</summary>
    /// <param name="window">The window that it is in.</param>
    /// <param name="weights">The model that trainings start from.</param>
    /// <param name="runs">The folder for the runs.</param>
    public TeachPage(nint window, string weights, string runs)
    {
        (_weights, _runs) = (weights, runs);
        _classes = [new ClassColumn(window, "first class"), new ClassColumn(window, "second class")];
        nint columns = Gtk.gtk_box_new(Gtk.Horizontal, 20);
        foreach (ClassColumn one in _classes)
            Gtk.gtk_box_pack_start(columns, one.Widget, 1, 1, 0);
        Gtk.gtk_box_pack_start(Widget, columns, 1, 1, 0);
        Gtk.AddClass(_train, "train");
        Gtk.Connect(_train, "clicked", TrainOrStop);
        Gtk.gtk_box_pack_start(Widget, _train, 0, 0, 0);
        Gtk.gtk_box_pack_start(Widget, _bar, 0, 0, 0);
        Gtk.gtk_label_set_line_wrap(_status, 1);
        Gtk.AddClass(_status, "status");
        Gtk.gtk_box_pack_start(Widget, _status, 0, 0, 0);
        Gtk.gtk_container_set_border_width(Widget, 20);
        Say("Collect pictures of two classes: drop files or folders, or choose a folder.");
    }

    /// <summary>The page.</summary>
    public nint Widget { get; } = Gtk.gtk_box_new(Gtk.Vertical, 12);

    /// <summary>Gets each model that was trained, and owns it.</summary>
    public Action<DeitModel>? Trained { get; init; }

    /// <summary>Adds the pictures of a folder to each class, which takes the folder's name.</summary>
    public void Collect(string first, string second)
    {
        _classes[0].Add([first]);
        _classes[1].Add([second]);
    }

    /// <summary>Stops a training, whose state is saved.</summary>
    public void Dispose()
    {
        _stop?.Cancel();
        Task.WaitAny([_training ?? Task.CompletedTask], TimeSpan.FromSeconds(10));
    }

    private void TrainOrStop()
    {
        if (_stop is not null)
            _stop.Cancel();
        else if (_classes.Any(one => one.Name.Length == 0) || _classes[0].Name == _classes[1].Name)
            Say("Give each class a name of its own.", "error");
        else if (_classes.Any(one => one.Pictures.Count < Least))
            Say($"Collect at least {Least} pictures of each class.", "error");
        else
            Train();
    }

    private async void Train()
    {
        using CancellationTokenSource stop = _stop = new CancellationTokenSource();
        Gtk.gtk_button_set_label(_train, "Stop");
        Say("Preparing the device ...");
        try
        {
            Task<TrainingResult> training = TrainingRun.StartAsync(
                Options(),
                new Progress<TrainingProgress>(Show), // comes back to the thread of the window
                stop.Token
            );
            _training = training;
            TrainingResult trained = await training;
            DeitModel model = await DeitModel.LoadAsync(
                trained.BestModel,
                new DeitModelOptions { CpuFallback = true },
                cancellationToken: stop.Token
            );
            Trained?.Invoke(model);
            Say(
                $"{trained.BestTop1:p0} of the pictures that were held out are recognised. Try others on the first page.",
                "done"
            );
        }
        catch (OperationCanceledException)
        {
            Say("Stopped.");
        }
        catch (DeitException error)
        {
            Say(error.Message, "error");
        }
        finally
        {
            _stop = null;
            Gtk.gtk_button_set_label(_train, "Train");
        }
    }

    private TrainingOptions Options()
    {
        InMemoryImageDataset images = new(_classes.Select(one => one.Name));
        foreach (ClassColumn one in _classes)
        foreach ((string name, byte[] encoded) in one.Pictures)
            images.Add(one.Name, encoded, name);
        bool few = _classes.Any(one => one.Pictures.Count < Few);
        return new TrainingOptions
        {
            Data = TrainingData.FromImages(images),
            ValidationFraction = 0.2,
            Output = Enumerable
                .Range(1, int.MaxValue)
                .Select(number => Path.Combine(_runs, $"{number}"))
                .First(folder => !Path.Exists(folder)),
            Recipe = "finetune",
            Weights = _weights,
            BatchSize = Math.Clamp(images.Count / 4, 2, 32),
            LearningRate = few ? 6.4e-2 : null,
            Flags = new Dictionary<string, string> { ["freeze"] = few ? "backbone" : "0" },
        };
    }

    private void Show(TrainingProgress now)
    {
        if (_stop is null)
            return; // a report that was on its way at the end
        Gtk.gtk_progress_bar_set_fraction(_bar, now.Fraction);
        string loss = now.Loss is { } known ? $", loss {known:f2}" : "";
        Say($"Epoch {now.Epoch} of {now.Epochs} on {now.Device.Name}{loss}");
    }

    private void Say(string text, string kind = "")
    {
        Gtk.gtk_label_set_text(_status, text);
        nint context = Gtk.gtk_widget_get_style_context(_status);
        foreach (string other in (string[])["error", "done"])
            if (other == kind)
                Gtk.gtk_style_context_add_class(context, other);
            else
                Gtk.gtk_style_context_remove_class(context, other);
    }
}
