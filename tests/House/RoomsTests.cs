namespace Deit.Tests.House;

/// <summary>
/// A room is a folder with code. Arrows between rooms go one way: a room uses those before it in <see cref="Order"/>, so that there is no
/// circle. The compiler resolves the names, so that an arrow is found whether a <c>using</c> says it or not.
/// </summary>
[Trait("Category", "Checkout")]
public sealed class RoomsTests
{
    /// <summary>The rooms of the house, from the ground up.</summary>
    private static readonly string[] Order =
    [
        "Deit.Gpu/Devices",
        "Deit.Gpu/Vulkan",
        "Deit.Gpu/Tensors",
        "Deit.Gpu/Random",
        "Deit.Gpu/Recording/Layouts",
        "Deit.Gpu/Recording",
        "Deit.Gpu/Ops/Reductions",
        "Deit.Gpu/Ops/Elementwise",
        "Deit.Gpu/Ops/Layout",
        "Deit.Gpu/Ops/Activations",
        "Deit.Gpu/Ops/Normalization",
        "Deit.Gpu/Ops/Losses",
        "Deit.Gpu/Ops/Mixing",
        "Deit.Gpu/Ops/Products",
        "Deit.Gpu/Ops/Attention",
        "Deit.Gpu/Ops/Convolution",
        "Deit.Gpu/Ops/Optimizers",
        "Deit.Gpu/Tuning",
        "Deit.Gpu",
        "Deit.Model/Text",
        "Deit.Model/Files",
        "Deit.Model/Hub",
        "Deit.Model/Images",
        "Deit.Model/Networks/Shared",
        "Deit.Model/Networks/Transformer",
        "Deit.Model/Networks/DeiT",
        "Deit.Model/Networks/ViT",
        "Deit.Model/Networks/Deit3",
        "Deit.Model/Networks/RegNet",
        "Deit.Model/Networks",
        "Deit.Model/Formats",
        "Deit.Model/Serving",
        "Deit.Model.AspNetCore/Options",
        "Deit.Model.AspNetCore/Requests",
        "Deit.Model.AspNetCore/Answers",
        "Deit.Model.AspNetCore/Metrics",
        "Deit.Model.AspNetCore/Endpoints",
        "Deit.Model.Extensions.AI/Embeddings",
        "Deit.Model.ImageSharp",
        "Deit.Model.OnnxRuntime/Serving",
        "Deit.Train/Options",
        "Deit.Train/Reporting",
        "Deit.Train/Pages",
        "Deit.Train/Data/Randomness",
        "Deit.Train/Data/Names",
        "Deit.Train/Data/Splits",
        "Deit.Train/Data/Formats",
        "Deit.Train/Data/Augmentation",
        "Deit.Train/Data/Loading",
        "Deit.Train/Data/Inspection",
        "Deit.Train/Schedules",
        "Deit.Train/Optimizers",
        "Deit.Train/Distillation",
        "Deit.Train/Distributed",
        "Deit.Train/Distributed/Mpi",
        "Deit.Train/Training",
        "Deit.Train/Analysis",
        "Deit.Train/Runs",
        "Deit.Train/Api",
        "bench/Reports",
        "bench/Suites",
        "bench/Experiments",
        "Deit.Cli/Terminal",
        "Deit.Cli/Help",
        "Deit.Cli/Watch",
        "Deit.Cli/Serving",
        "Deit.Cli/Demo",
        "Deit.Cli/Conversion",
        "Deit.Cli/Analysis",
        "Deit.Cli/Health",
        "Deit.Cli/Commands",
        "Deit.Cli",
        "bench/Host",
        "bench/TorchSharp",
    ];

    [Fact]
    public void Arrows_between_rooms_go_one_way()
    {
        string[] wrong = [.. Wrong(SourceTree.OfProducts())];
        Assert.True(wrong.Length == 0, $"{wrong.Length} arrows go up:\n{string.Join('\n', wrong)}");
    }

    /// <summary>Rooms have an order; folders inside a room have none that is written down, but no circle either.</summary>
    [Fact]
    public void No_folders_use_each_other_in_a_circle()
    {
        ILookup<string, string> uses = SourceTree
            .OfProducts()
            .Uses()
            .SelectMany(use =>
                use.Declarations.Select(file => (From: SourceTree.FolderOf(use.File), To: SourceTree.FolderOf(file)))
                    .Where(arrow => use.Declarations.All(file => SourceTree.FolderOf(file) != arrow.From))
            )
            .Distinct()
            .ToLookup(arrow => arrow.From, arrow => arrow.To);
        string[] circles =
        [
            .. uses.Select(folder => folder.Key)
                .SelectMany(folder =>
                    uses[folder]
                        .Where(other => string.CompareOrdinal(folder, other) < 0 && Reaches(uses, other, folder))
                        .Select(other => $"{folder} uses {other}, which leads back")
                ),
        ];
        Assert.True(circles.Length == 0, string.Join('\n', circles));
    }

    [Fact]
    public void A_using_of_a_higher_room_is_named()
    {
        const string File = "Deit.Train/Data/Splits/SplitPlan.cs";
        SourceTree tree = SourceTree.With(File, text => "using Deit.Train.Runs;\n" + text);
        string arrow = Assert.Single(Wrong(tree, File));
        Assert.Equal(
            $"{File}(1): 'using Deit.Train.Runs' leads from room Deit.Train/Data/Splits up to Deit.Train/Runs",
            arrow
        );
    }

    [Fact]
    public void A_type_of_a_higher_room_is_named()
    {
        const string File = "Deit.Gpu/Devices/GpuInfo.cs";
        SourceTree tree = SourceTree.With(File, text => text + "\ninternal sealed record Wrong(Recorder Recorder);\n");
        string arrow = Assert.Single(Wrong(tree, File));
        Assert.Contains("'Recorder' leads from room Deit.Gpu/Devices up to Deit.Gpu/Recording", arrow);
    }

    [Fact]
    public void Every_folder_with_code_is_a_room()
    {
        string[] strange = [.. SourceTree.Products.SelectMany(SourceTree.Files).Where(file => RoomOf(file) < 0)];
        Assert.True(
            strange.Length == 0,
            $"These files lie in no room; add their folder to the order of {nameof(RoomsTests)}: {string.Join(", ", strange)}"
        );
    }

    [Fact]
    public void Only_the_room_Vulkan_mentions_the_binding()
    {
        string[] wrong =
        [
            .. SourceTree
                .Products.SelectMany(SourceTree.Files)
                .Where(file => !file.StartsWith("Deit.Gpu/Vulkan/", StringComparison.Ordinal))
                .Where(file => File.ReadAllText(Repository.File(file)).Contains("Silk.NET", StringComparison.Ordinal)),
        ];
        Assert.True(wrong.Length == 0, $"Silk.NET is mentioned outside Deit.Gpu/Vulkan: {string.Join(", ", wrong)}");
    }

    // One sentence for each name and each room it leads up to.
    private static IEnumerable<string> Wrong(SourceTree tree, string? file = null) =>
        tree.Uses(file)
            .Where(use => use.Declarations.All(file => RoomOf(file) > RoomOf(use.File)))
            .DistinctBy(use => (use.File, use.Name))
            .Select(use =>
            {
                string lowest = use.Declarations.MinBy(RoomOf)!;
                string name = use.IsUsing ? $"using {SourceTree.FolderOf(lowest).Replace('/', '.')}" : use.Name;
                return $"{use.File}({use.Line}): '{name}' leads from room {Order[RoomOf(use.File)]} up to {Order[RoomOf(lowest)]}";
            });

    private static bool Reaches(ILookup<string, string> uses, string from, string to)
    {
        HashSet<string> seen = [from];
        Queue<string> open = new([from]);
        while (open.TryDequeue(out string? folder))
            foreach (string next in uses[folder])
            {
                if (next == to)
                    return true;
                if (seen.Add(next))
                    open.Enqueue(next);
            }
        return false;
    }

    // A file belongs to the innermost room around it; -1 where there is none. A root's room holds the entry alone.
    private static int RoomOf(string file)
    {
        for (string folder = SourceTree.FolderOf(file); ; folder = SourceTree.FolderOf(folder))
        {
            int room = Array.IndexOf(Order, folder);
            if (room >= 0 && (folder.Contains('/') || folder == SourceTree.FolderOf(file)))
                return room;
            if (!folder.Contains('/'))
                return -1;
        }
    }
}
