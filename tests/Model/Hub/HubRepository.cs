namespace Deit.Tests.Model.Hub;

/// <summary>Files of repositories as they lie on the Hub.</summary>
internal static class HubRepository
{
    public const string TimmConfig = """
        {"architecture": "deit_tiny_patch16_224", "num_classes": 2, "pretrained_cfg": {"input_size": [3, 224, 224]}}
        """;

    /// <summary>Bytes that differ everywhere, so that none can take the place of others.</summary>
    public static byte[] Bytes(int length, int seed = 1)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>A repository as timm's: a description and one large file.</summary>
    public static HubServer OfTimm(byte[] weights)
    {
        HubServer server = new();
        return server.With("config.json", TimmConfig).With("model.safetensors", weights, large: true);
    }
}
