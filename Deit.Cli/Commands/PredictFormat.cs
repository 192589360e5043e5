namespace Deit.Cli.Commands;

/// <summary>The ways in which <c>deit predict</c> writes its answers.</summary>
internal enum PredictFormat
{
    /// <summary>For a reader: the picture, and under it a line for each class.</summary>
    Text,

    /// <summary>One array of JSON, when all pictures are answered; a picture that cannot be read has an error.</summary>
    Json,

    /// <summary>A line of JSON for each picture, as it is answered; a picture that cannot be read has an error.</summary>
    Jsonl,

    /// <summary>RFC 4180 with a heading: a row for each picture and class. Names are as they are, but on a terminal.</summary>
    Csv,
}
