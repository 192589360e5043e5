using System.Security.Cryptography;
using System.Text;
using Deit.Gpu;
using Deit.Model;
using Deit.Model.Files;
using Deit.Model.Images;
using Deit.Train.Data.Augmentation;
using Deit.Train.Data.Formats;
using Deit.Train.Data.Loading;
using Deit.Train.Data.Names;
using Deit.Train.Data.Splits;

namespace Deit.Train.Distillation;

/// <summary>
/// A network that a student learns from: a trained network of any family at the student's input size, in evaluation
/// mode, without a backward pass.
/// </summary>
internal sealed class Teacher : IDisposable
{
    private const string CachedLogits = "logits",
        CacheKey = "deit.teacher_logits";
    private readonly ModelSource _source;

    private Teacher(INetwork network, ModelSource source) => (Network, _source) = (network, source);

    /// <summary>The network.</summary>
    public INetwork Network { get; }

    /// <summary>A sentence for each thing about the weights that was not simply copied.</summary>
    public IReadOnlyList<string> Notices { get; private init; } = [];

    /// <summary>Reads the description of a teacher and checks that it fits the data, before a device is
    /// opened.</summary>
    /// <exception cref="DeitException">It cannot be read, or knows other classes than the data has.</exception>
    public static (ModelSource Source, NetworkConfig Config) Describe(
        string path,
        string? name,
        Preprocess preprocess,
        IReadOnlyList<string> classNames
    )
    {
        ModelSource source = ModelSource.Open(path);
        NetworkConfig config = source.Config(name, "--teacher-model");
        if (config.NumClasses != classNames.Count)
            throw new DeitException(
                DeitErrorKind.Data,
                $"The teacher '{path}' knows {config.NumClasses} classes, the data has {classNames.Count}; "
                    + "give a teacher that was trained on the same classes."
            );
        IReadOnlyList<string>? labels =
            source.Stated?.Labels is { } stated && !ClassLabels.AreNumbers(stated) ? stated : null;
        if (
            labels is not null
            && classNames
                .ExceptBy(labels.Select(CanonicalForm.Of), CanonicalForm.Of, StringComparer.Ordinal)
                .FirstOrDefault()
                is { } unknown
        )
            throw new DeitException(
                DeitErrorKind.Data,
                $"The teacher '{path}' does not know the class '{unknown}' of the data; "
                    + "give a teacher that was trained on the same classes."
            );
        if (labels is not null && !ClassLabels.AreSame(labels, classNames))
            throw new DeitException(
                DeitErrorKind.Data,
                $"The teacher '{path}' has the data's classes in another order; give a teacher that was trained on this data."
            );
        if (
            source.Stated?.Preprocess is { } own
            && (own.Mean != preprocess.Mean || own.StandardDeviation != preprocess.StandardDeviation)
        )
            throw new DeitException(
                DeitErrorKind.Data,
                $"The teacher '{path}' was trained on pictures of mean {own.Mean} and deviation "
                    + $"{own.StandardDeviation}, the student sees {preprocess.Mean} and "
                    + $"{preprocess.StandardDeviation}, and both see the same tensor; give a teacher of the same normalisation."
            );
        return (source, config with { InputSize = preprocess.InputSize });
    }

    /// <summary>A sentence on a teacher whose classes have no names, and which therefore may have been trained on
    /// others.</summary>
    public static IEnumerable<string> ClassNotices(ModelSource source, IReadOnlyList<string> classNames) =>
        source.Stated?.Labels is { } labels
        && ClassLabels.AreNumbers(labels)
        && !ClassLabels.AreSame(labels, classNames)
            ?
            [
                $"the classes of the teacher '{source.Path}' have no names: those of the data are taken in their order, "
                    + $"'{classNames[0]}' for class 0",
            ]
            : [];

    /// <summary>Loads a teacher.</summary>
    /// <exception cref="DeitException">The weights are damaged or of another model.</exception>
    /// <exception cref="GpuException">The device has not enough memory.</exception>
    public static Teacher Load(GpuDevice device, ModelSource source, NetworkConfig config)
    {
        INetwork network = config.Validate().Create(device);
        try
        {
            return new Teacher(network, source) { Notices = WeightTransfer.Load(network, source, newHeads: false) };
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>Records the teacher's logits [B, C] of the tensor that the student sees: the mean of both heads where it has two.</summary>
    /// <param name="r">The recorder.</param>
    /// <param name="images">[B, 3, H, W].</param>
    /// <param name="precision">The student's, as the reference's autocast over both.</param>
    public Tensor Logits(Recorder r, Tensor images, Precision precision)
    {
        using Recorder.Scope scope = r.Named("teacher");
        NetworkOutput output = Network.Forward(r, images, new ForwardContext { Precision = precision });
        return output.DistillationLogits is { } second
            ? r.Scale(r.Add(output.ClassLogits, second), 0.5f)
            : output.ClassLogits;
    }

    /// <summary>The logits of every picture of a data set, from a file where it has them, else computed and written to it.</summary>
    /// <exception cref="DeitException">The file holds something else or cannot be written.</exception>
    public TeacherAnswers Answers(string path, IImageSplit pictures, Preprocess preprocess, int batchSize, int workers)
    {
        int classes = Network.Config.NumClasses;
        if ((long)pictures.Count * classes > Array.MaxLength)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"Keeping {classes} logits of {pictures.Count} images was asked for, "
                    + $"an array holds {Array.MaxLength}; drop --teacher-cache, so that the teacher answers in each step."
            );
        string key = Key(pictures, preprocess);
        float[] logits = new float[pictures.Count * classes];
        if (File.Exists(path))
        {
            using SafetensorsFile file = SafetensorsFile.Open(path);
            if (!file.Metadata.TryGetValue(CacheKey, out string? known))
                throw new DeitException(
                    DeitErrorKind.Data,
                    $"'{path}' holds no logits of a teacher; give --teacher-cache another file."
                );
            if (
                known == key
                && file.TryGet(CachedLogits, out SafetensorsEntry? entry)
                && entry.Shape.SequenceEqual([pictures.Count, (long)classes])
            )
            {
                file.ReadFloats(entry, logits);
                return new TeacherAnswers(logits, classes, path);
            }
        }
        Array.Fill(logits, float.NaN);
        BatchLoader loader = new(
            pictures,
            new SequentialSampler(pictures.Count),
            new EvaluationTransform(preprocess),
            new BatchLoaderOptions { BatchSize = Math.Min(batchSize, pictures.Count), Workers = workers }
        );
        using (Inference inference = new(Network.Parameters.Device, Network, loader.Options.BatchSize))
            foreach (Batch batch in loader.Epoch(0))
                using (batch)
                {
                    float[] answers = inference.Run(batch.Images, batch.Count).Fuse(HeadFusion.MeanLogits, classes);
                    for (int i = 0; i < batch.Count; i++)
                        answers.AsSpan(i * classes, classes).CopyTo(logits.AsSpan(batch.Indices[i] * classes));
                }
        SafetensorsWriter.Write(
            path,
            [SafetensorsSource.FromFloats(CachedLogits, [pictures.Count, classes], logits)],
            new Dictionary<string, string> { [CacheKey] = key }
        );
        return new TeacherAnswers(logits, classes, path);
    }

    /// <summary>SHA-256 of the weights.</summary>
    public static string Hash(ModelSource source)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] piece = new byte[1 << 20];
        foreach (string file in source.WeightFiles)
        {
            using FileStream weights = File.OpenRead(file);
            for (int read; (read = weights.Read(piece)) > 0; )
                hash.AppendData(piece.AsSpan(0, read));
        }
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    // The key of a file of logits: the weights, the preparation, and the pictures by name and order. The contents of
    // the pictures are taken for unchanged.
    private string Key(IImageSplit pictures, Preprocess preprocess)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(Hash(_source)));
        hash.AppendData(Encoding.UTF8.GetBytes(preprocess.ToJson()));
        for (int i = 0; i < pictures.Count; i++)
            hash.AppendData(Encoding.UTF8.GetBytes($"\n{pictures.Name(i)}"));
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    public void Dispose() => Network.Dispose();
}
