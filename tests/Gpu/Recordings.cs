using Deit.Gpu;

namespace Deit.Tests.Gpu;

/// <summary>
/// The decisions that the recordings of a test take themselves: <see cref="OpRun"/> and <see cref="OpHarness"/> record
/// with them.
/// </summary>
internal static class Recordings
{
    // Each thread has its own, since classes of tests run side by side.
    [ThreadStatic]
    private static ForcedChoices? _forced;

    /// <summary>The choices that are forced now.</summary>
    public static ForcedChoices Forced => _forced ?? ForcedChoices.None;

    /// <summary>Forces choices until the result is disposed.</summary>
    public static Scope With(ForcedChoices forced)
    {
        ForcedChoices outer = Forced;
        _forced = forced;
        return new Scope(forced, outer);
    }

    /// <summary>Restores the choices that were forced before.</summary>
    public sealed class Scope(ForcedChoices forced, ForcedChoices outer) : IDisposable
    {
        public void Dispose()
        {
            // A test that had run on another thread would have tested other choices.
            Assert.Same(forced, Forced);
            _forced = outer;
        }
    }
}
