using System.Buffers.Binary;
using System.Text;
using Deit.Tests.Train.Training;
using Deit.Train.Options;
using Deit.Train.Runs;

namespace Deit.Tests.Train.Runs;

/// <summary>
/// Event files, read back by a reader of TFRecord and protocol buffers that is written here from their descriptions: the
/// checksum by its polynomial, bit by bit, and fields by their numbers in event.proto and summary.proto.
/// </summary>
public sealed class TensorBoardTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_checksum_of_the_reader_is_that_of_its_standard() =>
        // RFC 3720, B.4: 32 bytes of zeros, and the usual check value of "123456789".
        Assert.Equal((0x8A9136AAu, 0xE3069283u), (Crc32C(new byte[32]), Crc32C("123456789"u8)));

    [Fact]
    public void Values_are_read_back()
    {
        string path = _folder["events"];
        TensorBoardFile file = new(path);
        file.Text(0, "command", "deit train --data '신발'");
        file.Scalars(1L << 40, ("loss/train", 0.1), ("accuracy/top1", double.NaN), ("big", 1e300));
        file.Restart(300);
        Event[] events = [.. Read(path)];
        Assert.Equal(4, events.Length);
        Assert.Equal("brain.Event:2", events[0].Version);
        Assert.Equal(("command", "deit train --data '신발'"), events[1].Texts.Single());
        Assert.Equal(1L << 40, events[2].Step);
        Assert.Equal(
            [("loss/train", 0.1f), ("accuracy/top1", float.NaN), ("big", float.PositiveInfinity)],
            events[2].Scalars
        );
        Assert.Equal((300L, true), (events[3].Step, events[3].Restarts));
        double now = (DateTime.UtcNow - DateTime.UnixEpoch).TotalSeconds;
        Assert.All(events, one => Assert.InRange(one.Time, now - 600, now));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(TinyRun.BatchSize)] // an epoch has a step more from there on
    public void A_run_has_its_epochs_and_a_resumed_one_has_each_step_once(int added)
    {
        string data = TinyRun.WritePictures(_folder),
            run = _folder["run"];
        TrainOptions options = TinyRun.Options(data, run);
        options = options with
        {
            Schedule = options.Schedule with { Epochs = 3 },
            Run = options.Run with { Log = LogKind.Tensorboard, PrintSteps = 1 },
        };
        Assert.Equal(130, TinyRun.Train(options, stopAfter: TinyRun.StepsPerEpoch + 2));
        string[] pictures = Directory.GetFiles(Path.Combine(data, "train"), "*.png", SearchOption.AllDirectories);
        foreach (string picture in pictures.Take(added))
            File.Copy(picture, picture + ".png");
        Assert.Equal(0, TinyRun.Resume(run));
        Assert.Equal(0, TinyRun.Resume(run)); // complete: no file more
        string[] files =
        [
            .. Directory.GetFiles(Path.Combine(run, TensorBoardObserver.FolderName)).Order(StringComparer.Ordinal),
        ];
        Assert.Equal(2, files.Length);
        Assert.All(
            files,
            file => Assert.StartsWith("events.out.tfevents.", Path.GetFileName(file), StringComparison.Ordinal)
        );

        // As TensorBoard: the files in the order of their names; a restart drops its step and later ones.
        List<Event> events = [];
        foreach (Event one in files.SelectMany(Read))
        {
            if (one.Restarts)
                events.RemoveAll(earlier => earlier.Step >= one.Step && earlier.Scalars.Count > 0);
            events.Add(one);
        }
        ILookup<string, (long Step, float Value)> series = events
            .SelectMany(one => one.Scalars.Select(scalar => (scalar.Tag, one.Step, scalar.Value)))
            .ToLookup(scalar => scalar.Tag, scalar => (scalar.Step, scalar.Value));
        Assert.Equal(
            Enumerable.Range(1, added == 0 ? 9 : 11).Select(i => (long)i),
            series["loss/train_running"].Select(point => point.Step)
        );
        LogRow[] rows = [.. RunLog.Watch(run)];
        Assert.Equal(rows.Select(row => (row.Step, (float)row.TrainLoss)), series["loss/train"]);
        Assert.Equal(rows.Select(row => (row.Step, (float)row.ValLoss!)), series["loss/val"]);
        Assert.Equal(rows.Select(row => (row.Step, (float)row.ValTop1!)), series["accuracy/top1"]);
        Assert.Equal(rows.Select(row => (row.Step, (float)row.Lr)), series["learning_rate"]);
        Assert.Equal(3, series["memory/device_bytes"].Count());
        Assert.Contains("deit train --data", events[1].Texts.Single().Text, StringComparison.Ordinal);
    }

    private sealed record Event(
        double Time,
        long Step,
        string Version,
        bool Restarts,
        List<(string Tag, float Value)> Scalars,
        List<(string Tag, string Text)> Texts
    );

    private static IEnumerable<Event> Read(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        for (int at = 0; at < file.Length; )
        {
            int length = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(at)));
            Assert.Equal(Masked(file.AsSpan(at, 8)), BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 8)));
            Assert.Equal(
                Masked(file.AsSpan(at + 12, length)),
                BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 12 + length))
            );
            yield return Parse(file[(at + 12)..(at + 12 + length)]);
            at += length + 16;
        }
    }

    private static Event Parse(byte[] message)
    {
        Event result = new(0, 0, "", false, [], []);
        foreach ((int field, ulong number, byte[] bytes) in Fields(message))
            switch (field)
            {
                case 1:
                    result = result with { Time = BitConverter.UInt64BitsToDouble(number) };
                    break;
                case 2:
                    result = result with { Step = (long)number };
                    break;
                case 3:
                    result = result with { Version = Encoding.UTF8.GetString(bytes) };
                    break;
                case 5:
                    foreach ((int _, ulong _, byte[] value) in Fields(bytes))
                        AddValue(result, value);
                    break;
                case 7:
                    result = result with { Restarts = Fields(bytes).Single() is (1, 1, _) };
                    break;
                default:
                    Assert.Fail($"An event has a field {field}.");
                    break;
            }
        return result;
    }

    private static void AddValue(Event result, byte[] value)
    {
        string tag = "";
        foreach ((int field, ulong number, byte[] bytes) in Fields(value))
            switch (field)
            {
                case 1:
                    tag = Encoding.UTF8.GetString(bytes);
                    break;
                case 2:
                    result.Scalars.Add((tag, BitConverter.UInt32BitsToSingle((uint)number)));
                    break;
                case 8:
                    // TensorProto: dtype 1 is DT_STRING, string_val 8.
                    Assert.Equal(7ul, Fields(bytes).Single(one => one.Field == 1).Number);
                    result.Texts.Add((tag, Encoding.UTF8.GetString(Fields(bytes).Single(one => one.Field == 8).Bytes)));
                    break;
                case 9:
                    // SummaryMetadata.plugin_data.plugin_name
                    Assert.Equal("text", Encoding.UTF8.GetString(Fields(Fields(bytes).Single().Bytes).Single().Bytes));
                    break;
                default:
                    Assert.Fail($"A value has a field {field}.");
                    break;
            }
    }

    private static List<(int Field, ulong Number, byte[] Bytes)> Fields(byte[] message)
    {
        List<(int, ulong, byte[])> fields = [];
        int at = 0;
        while (at < message.Length)
        {
            ulong key = Varint();
            (int field, int type) = ((int)(key >> 3), (int)(key & 7));
            switch (type)
            {
                case 0:
                    fields.Add((field, Varint(), []));
                    break;
                case 1:
                    fields.Add((field, BinaryPrimitives.ReadUInt64LittleEndian(message.AsSpan(at)), []));
                    at += 8;
                    break;
                case 2:
                    int length = (int)Varint();
                    fields.Add((field, 0, message[at..(at + length)]));
                    at += length;
                    break;
                case 5:
                    fields.Add((field, BinaryPrimitives.ReadUInt32LittleEndian(message.AsSpan(at)), []));
                    at += 4;
                    break;
                default:
                    Assert.Fail($"There is no wire type {type}.");
                    break;
            }
        }
        return fields;

        ulong Varint()
        {
            ulong value = 0;
            for (int shift = 0; ; shift += 7)
            {
                byte next = message[at++];
                value |= (ulong)(next & 0x7f) << shift;
                if (next < 0x80)
                    return value;
            }
        }
    }

    private static uint Masked(ReadOnlySpan<byte> data)
    {
        uint crc = Crc32C(data);
        return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
    }

    // The polynomial 0x1EDC6F41 with its bits reversed, least bit first.
    private static uint Crc32C(ReadOnlySpan<byte> data)
    {
        uint crc = 0xFFFFFFFF;
        foreach (byte value in data)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78 : crc >> 1;
        }
        return ~crc;
    }
}
