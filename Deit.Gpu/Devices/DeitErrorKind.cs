namespace Deit;

/// <summary>The kinds of errors that a user can mend, coarse enough to decide how to go on.</summary>
public enum DeitErrorKind
{
    /// <summary>None of the others.</summary>
    Other,

    /// <summary>What was asked for makes no sense, does not exist or does not go together.</summary>
    Usage,

    /// <summary>What is read is missing, damaged or does not fit: pictures, data sets, models, runs, files of settings.</summary>
    Data,

    /// <summary>What is to be written cannot be: no space, no permission, another writer, or something that would be lost.</summary>
    Output,

    /// <summary>The machine or its device has not enough memory.</summary>
    Memory,

    /// <summary>A loss or an answer is NaN or infinite.</summary>
    NotFinite,

    /// <summary>A model could not be fetched: no connection, no such repository, no access, or a server that answers wrongly.</summary>
    Network,

    /// <summary>There is no device, or it was lost or cannot do what was asked for.</summary>
    Device,
}
