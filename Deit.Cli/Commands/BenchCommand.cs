using System.CommandLine;
using Deit.Bench.Experiments;
using Deit.Bench.Reports;
using Deit.Bench.Suites;
using Deit.Cli.Terminal;
using Deit.Gpu;
using Deit.Model;
using Deit.Train.Reporting;

namespace Deit.Cli.Commands;

/// <summary><c>deit bench</c>: how fast a device runs, and how fast the host feeds it.</summary>
internal static class BenchCommand
{
    public static Command Create() =>
        new("bench", "Measure the device, the host that feeds it, and methods on both.")
        {
            Ops(),
            Products(),
            Model(
                ModelRow.Infer,
                "Time whole models' forward passes: images/s, TFLOP/s, the share of the device's best product, memory."
            ),
            Model(
                ModelRow.Train,
                "Time whole models' training steps: images/s, TFLOP/s, the share of the device's best product, memory."
            ),
            Profile(),
            Compare(),
            Page(),
            Data(),
            Distillation(),
        };

    private static Command Ops()
    {
        Option<string?> device = new("--device")
        {
            Description = "Vulkan device by index, name or UUID (also DEIT_DEVICE)",
        };
        Option<int?> batch = new("--batch-size")
        {
            Description = "images of a batch; without it 64, on a CPU driver 4",
        };
        Command ops = new("ops", "Time every op: ms, GFLOP/s or GB/s, and the share of the device's own measured best.")
        {
            batch,
            device,
        };
        BenchOutput output = new(ops);
        ops.SetAction(result =>
        {
            if (result.GetValue(batch) is < 1 or > 4096)
                throw new DeitException($"--batch-size is {result.GetValue(batch)}, expected 1 to 4096.");
            using GpuDevice gpu = GpuDevice.Open(result.GetValue(device));
            output.Write(result, OpsBench.Run(gpu, result.GetValue(batch) ?? OpsBench.DefaultBatch(gpu)));
            return 0;
        });
        return ops;
    }

    private static Command Products()
    {
        Option<string?> device = new("--device")
        {
            Description = "Vulkan device by index, name or UUID (also DEIT_DEVICE)",
        };
        Option<int?> batch = new("--batch-size")
        {
            Description = "images of a batch; without it 256, on a CPU driver 1",
        };
        Option<int?> square = new("--square")
        {
            Description =
                "also a product of square matrices of this side, 0 for none; without it 8192, on a CPU driver 0",
        };
        Option<string[]> precisions = new("--precisions")
        {
            Description = "arithmetics; without it all of a card, on a CPU driver fp32 and those of its matrix units",
            AllowMultipleArgumentsPerToken = true,
        };
        precisions.AcceptOnlyFromAmong([.. Precision.Names]);
        Command products = new(
            "products",
            "Time DeiT-B's products by every kernel of the device: matrix units of a subgroup, of a workgroup, or none."
        )
        {
            batch,
            square,
            precisions,
            device,
        };
        BenchOutput output = new(products);
        products.SetAction(result =>
        {
            if (result.GetValue(batch) is < 1 or > 4096)
                throw new DeitException($"--batch-size is {result.GetValue(batch)}, expected 1 to 4096.");
            if (result.GetValue(square) is < 0 or > 32768)
                throw new DeitException($"--square is {result.GetValue(square)}, expected 0 to 32768.");
            using GpuDevice gpu = GpuDevice.Open(result.GetValue(device));
            output.Write(
                result,
                ProductBench.Run(
                    gpu,
                    result.GetValue(batch) ?? ProductBench.DefaultBatch(gpu),
                    result.GetValue(square) ?? ProductBench.DefaultSquare(gpu),
                    result.GetValue(precisions) is { Length: > 0 } chosen
                        ? chosen
                        : ProductBench.DefaultPrecisions(gpu),
                    Console.Error.WriteLine
                )
            );
            return 0;
        });
        return products;
    }

    private static Command Model(string task, string description)
    {
        Command command = new(task, description);
        OptionBinder<ModelBenchOptions> binder = new(command);
        BenchOutput output = new(command);
        command.SetAction(result =>
        {
            ModelBenchOptions options = binder.Bind(result);
            options.Validate();
            if (options.Peer is not null && task != ModelRow.Infer)
                throw new DeitException(
                    "--peer was given with training, and peers are measured at inference alone; use deit bench infer."
                );
            using GpuDevice gpu = GpuDevice.Open(options.Device);
            if (options.Peer is not null)
            {
                (BenchReport ours, BenchReport peer) = PeerBench.Run(gpu, options, Console.Error.WriteLine);
                output.Write(result, ours);
                // With the peer as A, B / A is above 1 where ours is faster.
                (output.PrintsJson(result) ? Console.Error : Console.Out).Write(
                    $"\n{new BenchComparison(peer, ours)}Rates are medians of {options.Rounds} rounds in turn, spreads from the slowest to the fastest of them.\n"
                );
                return 0;
            }
            output.Write(result, ModelBench.Run(gpu, options, task, Console.Error.WriteLine));
            return 0;
        });
        return command;
    }

    private static Command Profile()
    {
        Command profile = new(
            "profile",
            "Time a model's step kernel by kernel and layer by layer, beside the least that each could take on the device."
        );
        OptionBinder<ProfileOptions> binder = new(profile);
        profile.SetAction(result =>
        {
            ProfileOptions options = binder.Bind(result);
            options.Config();
            using GpuDevice gpu = GpuDevice.Open(options.Device);
            string text = ProfileBench.Run(gpu, options);
            Console.Write(text);
            if (options.Markdown is { } markdown)
                Report.WriteText(markdown, text);
            return 0;
        });
        return profile;
    }

    private static Command Compare()
    {
        Argument<string> a =
                new("A") { Description = "JSON of bench ops, products, infer or train, or of a PyTorch run" },
            b = new("B") { Description = "another" };
        Command compare = new(
            "compare",
            "Compare two files of measurements row by row: faster, slower, or no different by the spread of both."
        )
        {
            a,
            b,
        };
        compare.SetAction(result =>
        {
            BenchReport first = BenchReport.Load(result.GetValue(a)!),
                second = BenchReport.Load(result.GetValue(b)!);
            Console.Write(new BenchComparison(first, second));
            return 0;
        });
        return compare;
    }

    private static Command Page()
    {
        Option<string> results = new("--results")
        {
            Description = "folder of measured devices",
            DefaultValueFactory = _ => "bench/results",
        };
        Command page = new(
            "page",
            $"Write {BenchFolder.Page} and the roofline pictures of a folder of measured devices."
        )
        {
            results,
        };
        page.SetAction(result =>
        {
            (string path, int devices) = BenchFolder.WritePage(result.GetValue(results)!);
            Console.WriteLine($"{path}: {devices} devices");
            return 0;
        });
        return page;
    }

    private static Command Distillation()
    {
        Command distillation = new(
            "distillation",
            "Train a teacher and students by every way of distillation; write the paper's Tables 3 and 4 of the data."
        );
        OptionBinder<DistillationExperimentOptions> binder = new(distillation);
        distillation.SetAction(result => new DistillationExperiment(binder.Bind(result), TrainTerminal.Run).Run());
        return distillation;
    }

    private static Command Data()
    {
        Option<bool> json = new("--json") { Description = "print JSON" };
        Command data = new(
            "data",
            "Time the training pipeline, from files to normalised pictures: images/s on all cores, and the share of each step."
        )
        {
            json,
        };
        OptionBinder<DataBenchOptions> binder = new(data);
        data.SetAction(result =>
        {
            DataBench.Run(binder.Bind(result), result.GetValue(json));
            return 0;
        });
        return data;
    }
}
