using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Deit.Model;

/// <summary>
/// <c>config.json</c> of a model folder. Its forms are generated at build time, and each family adds the form of its
/// configurations. The value of <c>architecture</c> names the family.
/// </summary>
internal static class ModelJson
{
    /// <summary>How the file is read and written.</summary>
    public static JsonSerializerOptions Options { get; } =
        new(ModelJsonContext.Default.Options)
        {
            // Names of classes are readable in any script.
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            TypeInfoResolver = JsonTypeInfoResolver
                .Combine([
                    ModelJsonContext.Default,
                    .. NetworkFamilies.All.Select(family => family.Format?.Json).OfType<IJsonTypeInfoResolver>(),
                ])
                .WithAddedModifier(AddFamilies),
        };

    /// <summary>The whole file.</summary>
    public static JsonTypeInfo<ModelDescription> Description =>
        (JsonTypeInfo<ModelDescription>)Options.GetTypeInfo(typeof(ModelDescription));

    /// <summary>The architecture alone.</summary>
    public static JsonTypeInfo<NetworkConfig> Config =>
        (JsonTypeInfo<NetworkConfig>)Options.GetTypeInfo(typeof(NetworkConfig));

    // Attributes of the base class would say the same, but it must not know the families.
    private static void AddFamilies(JsonTypeInfo info)
    {
        if (info.Type != typeof(NetworkConfig))
            return;
        info.PolymorphismOptions = new JsonPolymorphismOptions
        {
            TypeDiscriminatorPropertyName = "architecture",
            UnknownDerivedTypeHandling = JsonUnknownDerivedTypeHandling.FailSerialization,
        };
        foreach (ConfigFormat format in NetworkFamilies.All.Select(family => family.Format).OfType<ConfigFormat>())
            info.PolymorphismOptions.DerivedTypes.Add(new JsonDerivedType(format.Type, format.Architecture));
    }
}

/// <summary>The JSON forms that know no family.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowOutOfOrderMetadataProperties = true
)]
[JsonSerializable(typeof(ModelDescription))]
[JsonSerializable(typeof(NetworkConfig))]
internal sealed partial class ModelJsonContext : JsonSerializerContext;

/// <summary>Class names as one line of JSON, as files of weights and ONNX models hold them in their metadata.</summary>
[JsonSerializable(typeof(string[]))]
internal sealed partial class LabelsJson : JsonSerializerContext;
