namespace Deit.Cli.Conversion;

/// <summary>
/// The weights in the value that torch.save saved. A state dictionary is the value itself, or a member of it under one of the names that
/// training programs use. A checkpoint may hold a second one, the moving average of the weights.
/// </summary>
/// <param name="Weights">The state dictionary.</param>
/// <param name="Place">The member that it is; null of the value itself.</param>
/// <param name="Average">The member with the moving average, where there is one and it was not taken.</param>
/// <param name="LeftOut">Other members that hold tensors by name.</param>
internal sealed record TorchState(
    PickleDictionary Weights,
    string? Place,
    string? Average,
    IReadOnlyList<string> LeftOut
)
{
    private const int ShownNames = 8;

    private static readonly string[] Places =
    [
        "model",
        "state_dict",
        "model_state_dict",
        "model_state",
        "net",
        "network",
        "module",
        "weights",
        "model_weights",
        "params",
    ];

    private static readonly string[] Averages =
    [
        "state_dict_ema",
        "model_ema",
        "ema_state_dict",
        "model_ema_state_dict",
        "model_state_dict_ema",
        "ema_model_state_dict",
        "ema_model",
        "ema",
        "module_ema",
        "params_ema",
        "ema_weights",
        "model_ema_best",
        "swa_model",
        "averaged_model",
    ];

    /// <summary>Whether a member of that name is a moving average.</summary>
    public static bool IsAverage(string place) => Averages.Contains(place);

    /// <summary>Finds the weights.</summary>
    /// <param name="saved">The value of the pickle.</param>
    /// <param name="average">True for the moving average in place of the weights themselves.</param>
    /// <exception cref="PickleException">They are not there.</exception>
    public static TorchState Find(object? saved, bool average)
    {
        if (saved is not PickleDictionary dictionary)
            throw new PickleException("it holds no state dictionary", "save model.state_dict()");
        (string? place, PickleDictionary? weights) = Member(dictionary, Places);
        (string? averagePlace, PickleDictionary? averaged) = Member(dictionary, Averages);
        if (weights is null && HasTensors(dictionary))
            weights = dictionary;
        if (average && averaged is null)
            throw new PickleException(
                $"it holds no moving average beside its weights, expected a member {Averages[0]}, {Averages[1]} or the like",
                "leave --ema out"
            );
        // Where a checkpoint has nothing but the average, there is no choice.
        bool takeAverage = average || weights is null;
        if ((takeAverage ? averaged : weights) is not { } taken)
            throw Nothing(dictionary);
        (string? takenFrom, string? other) = takeAverage ? (averagePlace, null) : (place, averagePlace);
        string[] leftOut =
        [
            .. Names(dictionary)
                .Where(name =>
                    name != place && name != averagePlace && taken != dictionary && Inner(dictionary[name]) is not null
                ),
        ];
        return new TorchState(taken, takenFrom, other, leftOut);
    }

    private static (string? Place, PickleDictionary? Weights) Member(PickleDictionary dictionary, string[] places)
    {
        foreach (string place in places)
            if (Inner(dictionary[place]) is { } inner)
                return (place, inner);
        return (null, null);
    }

    // The state dictionary of a member: itself, or one step further down, as in {"model_ema": {"module": ...}}.
    private static PickleDictionary? Inner(object? member) =>
        member is not PickleDictionary dictionary ? null
        : HasTensors(dictionary) ? dictionary
        : Places.Select(place => dictionary[place]).OfType<PickleDictionary>().FirstOrDefault(HasTensors);

    private static bool HasTensors(PickleDictionary dictionary) =>
        dictionary.Items.Exists(item => item is (string, TorchTensor));

    private static IEnumerable<string> Names(PickleDictionary dictionary) =>
        dictionary.Items.Select(item => item.Key).OfType<string>().Distinct(StringComparer.Ordinal);

    private static PickleException Nothing(PickleDictionary dictionary)
    {
        const string Searched = "it holds no state dictionary, neither itself nor under model, state_dict or the like";
        string[] names = [.. Names(dictionary)];
        string has =
            names.Length == 0
                ? ""
                : $"; it has {string.Join(", ", names.Take(ShownNames).Select(Shown))}{(names.Length > ShownNames ? " and more" : "")}";
        return names.FirstOrDefault(name => Inner(dictionary[name]) is not null) is { } other
            ? new PickleException(
                Searched + has,
                "save the member that is wanted alone, as "
                    + $"torch.save(torch.load(\"a.pth\", map_location=\"cpu\")[{Shown(other)}], \"b.pth\")"
            )
            : new PickleException(Searched + has, "save model.state_dict()");
    }

    private static string Shown(string name) => $"'{(name.Length > 60 ? $"{name[..60]}..." : name)}'";
}
