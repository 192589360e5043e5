namespace Deit.Model.Hub;

/// <summary>
/// Repositories of the Hub whose weights the reference's authors, or timm's, published for models that are known here. Of several trainings
/// of one model it is the one that timm takes when its plain name is asked for; of regnety_160 it is DeiT's teacher.
/// </summary>
internal static class PublishedModels
{
    private static readonly Dictionary<string, string> TagOf = new(StringComparer.Ordinal)
    {
        ["deit_tiny_patch16_224"] = "fb_in1k",
        ["deit_small_patch16_224"] = "fb_in1k",
        ["deit_base_patch16_224"] = "fb_in1k",
        ["deit_base_patch16_384"] = "fb_in1k",
        ["deit_tiny_distilled_patch16_224"] = "fb_in1k",
        ["deit_small_distilled_patch16_224"] = "fb_in1k",
        ["deit_base_distilled_patch16_224"] = "fb_in1k",
        ["deit_base_distilled_patch16_384"] = "fb_in1k",
        ["deit3_small_patch16_224"] = "fb_in1k",
        ["deit3_small_patch16_384"] = "fb_in1k",
        ["deit3_medium_patch16_224"] = "fb_in1k",
        ["deit3_base_patch16_224"] = "fb_in1k",
        ["deit3_base_patch16_384"] = "fb_in1k",
        ["deit3_large_patch16_224"] = "fb_in1k",
        ["deit3_large_patch16_384"] = "fb_in1k",
        ["vit_tiny_patch16_224"] = "augreg_in21k_ft_in1k",
        ["vit_tiny_patch16_384"] = "augreg_in21k_ft_in1k",
        ["vit_small_patch16_224"] = "augreg_in21k_ft_in1k",
        ["vit_small_patch16_384"] = "augreg_in21k_ft_in1k",
        ["vit_base_patch16_224"] = "augreg2_in21k_ft_in1k",
        ["vit_base_patch16_384"] = "augreg_in21k_ft_in1k",
        ["regnety_040"] = "ra3_in1k",
        ["regnety_080"] = "ra3_in1k",
        ["regnety_120"] = "sw_in12k_ft_in1k",
        ["regnety_160"] = "deit_in1k",
    };

    /// <summary>The names of the models.</summary>
    public static IEnumerable<string> Names => TagOf.Keys;

    /// <summary>The repository of a model; null of an unknown name.</summary>
    public static string? Repository(string name) =>
        TagOf.TryGetValue(name, out string? tag) ? $"timm/{name}.{tag}" : null;
}
