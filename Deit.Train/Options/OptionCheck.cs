namespace Deit.Train.Options;

/// <summary>Refuses values of flags that make no sense.</summary>
internal static class OptionCheck
{
    /// <summary>Refuses a number that breaks a condition.</summary>
    /// <param name="condition">True where the number makes sense.</param>
    /// <param name="flag">The flag that has it.</param>
    /// <param name="actual">The number.</param>
    /// <param name="expected">The condition in words.</param>
    /// <exception cref="DeitException">The condition is false.</exception>
    public static void Require(bool condition, string flag, double actual, string expected)
    {
        if (!condition)
            throw new DeitException(
                DeitErrorKind.Usage,
                FormattableString.Invariant($"{flag} is {actual}, expected {expected}.")
            );
    }
}
