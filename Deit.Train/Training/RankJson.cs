using System.Text.Json.Serialization;

namespace Deit.Train.Training;

/// <summary>What ranks tell each other as text.</summary>
[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class RankJson : JsonSerializerContext;
