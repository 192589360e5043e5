using System.IO.Compression;
using CsCheck;
using Deit.Cli.Conversion;
using Deit.Model;
using Deit.Tests.Golden;

namespace Deit.Tests.Cli.Conversion;

/// <summary>Files of torch.save with random damage.</summary>
public sealed class DamagedTorchFileTests
{
    // Bytes are changed, cut out, doubled or exchanged anywhere. The file is then read or refused; nothing else may happen.
    [Fact]
    public void Random_damage_never_does_more_than_be_refused()
    {
        byte[] reference = File.ReadAllBytes(GoldenData.Path("models/deit_test_distilled.pth"));
        byte[] pickle = Entries(reference)
            .Single(entry => entry.Name.EndsWith("data.pkl", StringComparison.Ordinal))
            .Bytes;
        byte[] whole = PickleBytes.Archive(
            PickleBytes
                .Begin.Code("}(")
                .Text("a")
                .Tensor("FloatStorage", "0", 150, 0, [2, 75], [75, 1])
                .Text("b")
                .Tensor("HalfStorage", "1", 60, 1, [5], [10])
                .Code("u")
                .End(),
            PickleBytes.Floats(150),
            PickleBytes.Floats(30)
        );
        int read = 0,
            refused = 0;
        Gen<(int At, int Length, int Kind, byte Value)[]> damage = Gen.Select(
            Gen.Int[0, int.MaxValue],
            Gen.Int[1, 8],
            Gen.Int[0, 3],
            Gen.Byte,
            (at, length, kind, value) => (at, length, kind, value)
        ).Array[1, 4];
        Gen.Select(Gen.Bool, damage)
            .Sample(
                (inPickle, changes) =>
                {
                    byte[] bytes = inPickle ? PickleBytes.Archive(Damaged(pickle, changes)) : Damaged(whole, changes);
                    try
                    {
                        using TorchFile file = TorchFile.Open("damaged.pth", new MemoryStream(bytes));
                        foreach (string name in file.Shapes.Keys)
                            file.Read(name);
                        read++;
                    }
                    catch (CheckpointException error)
                    {
                        Assert.DoesNotContain('\n', error.Message);
                        refused++;
                    }
                },
                iter: 6000,
                threads: 1
            );
        // The mutations lead to both outcomes many times.
        Assert.True(read > 300 && refused > 1000, $"{read} read, {refused} refused");
    }

    private static byte[] Damaged(byte[] bytes, (int At, int Length, int Kind, byte Value)[] changes)
    {
        List<byte> damaged = [.. bytes];
        foreach ((int at, int length, int kind, byte value) in changes)
        {
            int start = at % damaged.Count,
                count = Math.Min(length, damaged.Count - start);
            if (kind == 0)
                damaged[start] = value;
            else if (kind == 1)
                damaged[start] ^= (byte)(1 << (value % 8));
            else if (kind == 2 && damaged.Count > count)
                damaged.RemoveRange(start, count);
            else
                damaged.InsertRange(start, damaged.GetRange(start, count));
        }
        return [.. damaged];
    }

    private static IEnumerable<(string Name, byte[] Bytes)> Entries(byte[] zip)
    {
        using ZipArchive archive = new(new MemoryStream(zip));
        foreach (ZipArchiveEntry entry in archive.Entries)
        {
            using MemoryStream bytes = new();
            using Stream stream = entry.Open();
            stream.CopyTo(bytes);
            yield return (entry.FullName, bytes.ToArray());
        }
    }
}
