using Deit.Gpu;

// ab KIND ROUNDS VARIANT... ; KIND att or profile (loop for seconds)
GpuDevice device = GpuDevice.Open(GpuDevice.Enumerate()[0]);
int rounds = int.Parse(args[0]);
bool dump = Environment.GetEnvironmentVariable("DUMP") is not null;
int B = 8,
    N = 197,
    H = 3,
    D = 64;
Shape packed = [B, N, 3 * H * D],
    outp = [B, N, H * D];
using Arena arena = device.CreateArena("x", Arena.SizeOf(DType.F32, packed, packed, outp, outp));
Tensor x = arena.Allocate(packed),
    g = arena.Allocate(packed),
    seed = arena.Allocate(outp);
Random random = new(1);
device.Write<float>(x, [.. Enumerable.Range(0, (int)x.Elements).Select(_ => random.NextSingle() - 0.5f)]);
device.Write<float>(seed, [.. Enumerable.Range(0, (int)seed.Elements).Select(_ => random.NextSingle() - 0.5f)]);
x.Train(g);
var graphs = args.Skip(1)
    .Select(v =>
        device.Record(
            r =>
            {
                var y = r.Attention(x, H);
                r.Tape.Backward(y, seed);
            },
            new GraphOptions { Forced = new ForcedChoices { Attention = v } }
        )
    )
    .ToArray();
var times = new Dictionary<string, List<double>>();
for (int i = 0; i < rounds; i++)
for (int v = 0; v < graphs.Length; v++)
    foreach (var row in graphs[v].Profile().Rows)
    {
        string key = args[v + 1].PadRight(20) + row.Kernel;
        if (!times.TryGetValue(key, out var list))
            times[key] = list = [];
        list.Add(row.Cost.Flops / row.Nanoseconds);
    }
foreach (var (k, l) in times)
{
    l.Sort();
    Console.WriteLine($"{k, -55} median {l[l.Count / 2]:0.0} best {l[^1]:0.0} GFLOP/s");
}
if (dump)
{
    string prefix = Environment.GetEnvironmentVariable("DUMP")!;
    using var mem = File.OpenRead("/proc/self/mem");
    foreach (string line in File.ReadAllLines("/proc/self/maps"))
    {
        var parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length > 5 && !parts[5].Contains("memfd") && parts[5] != "[heap]")
            continue;
        if (!parts[1].Contains('x'))
            continue;
        var range = parts[0].Split('-');
        long a = Convert.ToInt64(range[0], 16),
            b = Convert.ToInt64(range[1], 16);
        byte[] buf = new byte[b - a];
        mem.Seek(a, SeekOrigin.Begin);
        try
        {
            int n = mem.ReadAtLeast(buf, buf.Length, false);
            File.WriteAllBytes($"{prefix}.{a:x}.bin", buf[..n]);
        }
        catch { }
    }
}
