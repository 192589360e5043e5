using Deit.Model.Networks;
using Deit.Model.Text;

namespace Deit.Model;

/// <summary>The families of networks, and the questions that any of them may answer.</summary>
internal static class NetworkFamilies
{
    /// <summary>All families: a line each.</summary>
    public static IReadOnlyList<NetworkFamily> All { get; } =
    [
        // Where two families have a model of one configuration, the configuration bears the name that comes first.
        new DeitFamily(),
        new VitFamily(),
        new Deit3Family(),
        new RegNetFamily(),
    ];

    /// <summary>The names of all reference models.</summary>
    public static IEnumerable<string> Names => All.SelectMany(family => family.Models.Keys);

    /// <summary>The reference model of a name.</summary>
    /// <exception cref="DeitException">There is no model of that name.</exception>
    public static ReferenceModel Model(string name) =>
        All.Select(family => family.Models.GetValueOrDefault(name)).FirstOrDefault(model => model is not null)
        ?? throw new DeitException(
            DeitErrorKind.Usage,
            $"There is no model '{name}'{Meant(name)}, or give a free configuration."
        );

    // All names are many: they are listed where none is near.
    private static string Meant(string name) =>
        NearestNames.Question(name, Names) is { } question
            ? $", {question}; take that"
            : $"; choose one of {string.Join(", ", Names)}";

    /// <summary>The configuration of the reference model of a name.</summary>
    /// <exception cref="DeitException">There is no model of that name.</exception>
    public static NetworkConfig Find(string name) => Model(name).Config;

    /// <summary>The name of the reference model that has a configuration, with any number of classes; null where none
    /// has it.</summary>
    public static string? NameOf(NetworkConfig config)
    {
        NetworkConfig published = config.AsPublished();
        return All.SelectMany(family => family.Models).FirstOrDefault(model => model.Value.Config == published).Key;
    }

    /// <summary>The family that writes configurations of a type.</summary>
    /// <exception cref="ArgumentException">None does.</exception>
    public static NetworkFamily Of(NetworkConfig config) =>
        All.FirstOrDefault(family => family.Format?.Type == config.GetType())
        ?? throw new ArgumentException($"A {config.GetType()} belongs to no family.", nameof(config));

    /// <summary>The configuration that options describe.</summary>
    /// <param name="options">The options.</param>
    /// <param name="classes">Number of classes.</param>
    /// <exception cref="DeitException">They describe none, or more than one.</exception>
    public static NetworkConfig Configure(ArchitectureOptions options, int classes)
    {
        (NetworkFamily Family, NetworkConfig Config)[] free =
        [
            .. All.Select(family => (Family: family, Config: family.Free(options)!))
                .Where(described => described.Config is not null),
        ];
        if (free is [var first, var second, ..])
            throw new DeitException(
                DeitErrorKind.Usage,
                $"{second.Family.FreeFlags} describes a {second.Family.Name}, {first.Family.FreeFlags} "
                    + $"a {first.Family.Name}; give one or the other."
            );
        NetworkConfig config = free is [var only] ? only.Config : Find(options.Model);
        config = config with { NumClasses = classes, InputSize = options.InputSize ?? config.InputSize };
        return config.With(options).Validate();
    }

    /// <summary>The configuration that names and shapes of weights tell.</summary>
    /// <param name="shapes">The tensors of a file.</param>
    /// <returns>The configuration of the family which has exactly these names, else of the first family that fits; null
    /// where none fits.</returns>
    /// <exception cref="DeitException">The shapes leave a number open; the message is a clause without a full stop.</exception>
    /// <exception cref="OverflowException">A shape is too large for a configuration.</exception>
    public static NetworkConfig? FromWeights(IReadOnlyDictionary<string, long[]> shapes)
    {
        List<NetworkConfig> possible = [];
        DeitException? unclear = null;
        foreach (NetworkFamily family in All)
            try
            {
                if (family.FromWeights(shapes) is { } config)
                    possible.Add(config);
            }
            catch (DeitException error)
            {
                unclear = error; // another family may have exactly these names
            }
        HashSet<string> names = [.. shapes.Keys];
        return possible.FirstOrDefault(config => names.SetEquals(config.Specs().Select(spec => spec.Name)))
            ?? (unclear is null ? possible.FirstOrDefault() : throw unclear);
    }
}
