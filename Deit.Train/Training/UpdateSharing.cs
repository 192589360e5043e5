using Deit.Train.Distributed;

namespace Deit.Train.Training;

/// <summary>How ranks share the updates of a training.</summary>
/// <param name="World">The ranks.</param>
/// <param name="BucketBytes">Bytes of gradients that are exchanged at once at least; 0 for all of them.</param>
/// <param name="Sharded">Whether each rank updates a part of the weights.</param>
internal sealed record UpdateSharing(World World, long BucketBytes, bool Sharded);
