using System.Diagnostics;
using System.Globalization;
using Deit.Gpu;
using Deit.Model;
using Deit.Model.Images;
using Deit.Tests.Gpu;

namespace Deit.Tests.Model.Serving;

public sealed class EngineLoadTests
{
    private const int Threads = 64,
        PerThread = 157,
        Pictures = 16;

    // 64 threads, 10,048 classifications by two models of one device, one in eight of them cancelled at some moment.
    [Fact]
    public void Many_threads_get_the_answers_of_one_and_nothing_grows()
    {
        using TemporaryFolder folder = new();
        string[] paths =
        [
            EngineModels.Write(folder, EngineModels.Plain),
            EngineModels.Write(folder, EngineModels.Distilled),
        ];
        RgbImage[] images = EngineModels.Pictures(Pictures);
        DeitModel[] models = [.. paths.Select(path => DeitModel.Load(path, TestDevice.Any))];
        Classification[][] expected = [.. models.Select(model => images.Select(model.Classify).ToArray())];
        double[] milliseconds = new double[Threads * PerThread];
        int cancelled = 0,
            answered = 0;
        Exception? failure = null;
        (long Device, long Managed) middle = default,
            end = default;
        // All threads stand still when memory is looked at, in the middle and at the end.
        using Barrier measured = new(
            Threads,
            _ =>
            {
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
                GC.WaitForPendingFinalizers();
                (middle, end) = (end, (models[0].AllocatedBytes, GC.GetTotalMemory(forceFullCollection: true)));
            }
        );
        long start = Stopwatch.GetTimestamp();
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(t => new Thread(() => Work(t)))];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        GpuInfo device = models[0].Device;
        foreach (DeitModel model in models)
            model.Dispose();

        if (failure is not null)
            throw new InvalidOperationException("A thread failed.", failure);
        double[] sorted = [.. milliseconds.Where(time => time > 0).Order()];
        TestContext.Current.TestOutputHelper?.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{answered} answers and {cancelled} cancellations of {Threads} threads in {seconds:0.0} s on "
                    + $"{device.Name}: p50 {sorted[sorted.Length / 2]:0.0} ms, p99 "
                    + $"{sorted[sorted.Length * 99 / 100]:0.0} ms; device {middle.Device} then {end.Device} bytes, "
                    + $"managed {middle.Managed} then {end.Managed} bytes"
            )
        );
        Assert.Equal(Threads * PerThread, answered + cancelled);
        Assert.True(cancelled > 0);
        Assert.Equal(middle.Device, end.Device);
        // A leak of a byte a call would stay within the bound; a leak of an object a call would exceed it ten times.
        Assert.InRange(end.Managed, 0, middle.Managed * 1.01);

        void Work(int thread)
        {
            try
            {
                Random random = new(thread); // fixed seed
                for (int i = 0; i < PerThread; i++)
                {
                    if (i == PerThread / 2)
                        measured.SignalAndWait();
                    int model = random.Next(models.Length),
                        image = random.Next(images.Length);
                    long began = Stopwatch.GetTimestamp();
                    Classification? answer =
                        random.Next(8) == 0
                            ? Cancellable(models[model], images[image], random.NextDouble() * 20)
                            : models[model].Classify(images[image]);
                    if (answer is null)
                    {
                        Interlocked.Increment(ref cancelled);
                        continue;
                    }
                    milliseconds[(thread * PerThread) + i] = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
                    Assert.Equal(expected[model][image].Scores, answer.Scores);
                    Interlocked.Increment(ref answered);
                }
            }
            catch (Exception error)
            {
                failure ??= error;
            }
            measured.SignalAndWait();
        }
    }

    // Null when the cancellation came first.
    private static Classification? Cancellable(DeitModel model, RgbImage image, double milliseconds)
    {
        using CancellationTokenSource cancel = new(TimeSpan.FromMilliseconds(milliseconds));
        try
        {
            return model.ClassifyAsync(image, cancel.Token).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }
}
