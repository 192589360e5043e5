using System.CommandLine;
using Deit.Bench.Suites;
using Deit.Cli.Help;
using Deit.Cli.Terminal;
using Deit.Gpu;
using Deit.Model;
using Deit.Train.Options;

namespace Deit.Cli.Commands.Bench;

/// <summary><c>deit bench products</c>: DeiT-B's products by every kernel of the device.</summary>
internal static class ProductsCommand
{
    public static Command Create()
    {
        Option<int?> batch = BenchFlags.BatchSize("256, on a CPU driver 1");
        Option<int?> square = NumberOption.Strict(
            new Option<int?>("--square")
            {
                Description =
                    "also a product of square matrices of this side, 0 for none; without it 8192, on a CPU driver 0",
            }
        );
        Option<string[]> precisions = new("--precisions")
        {
            Description = "arithmetics; without it all of a card, on a CPU driver fp32 and those of its matrix units",
            AllowMultipleArgumentsPerToken = true,
        };
        precisions.AcceptOnlyFromAmong([.. Precision.Names]);
        ExplainedCommand products = new(
            "products",
            "Time DeiT-B's products by every kernel of the device: matrix units of a subgroup, of a workgroup, or none.",
            new Example("deit bench products", "Shows a table."),
            new Example("deit bench products --precisions fp16 bf16", "Measures two arithmetics alone."),
            new Example("deit bench products --square 4096 --batch-size 64", "Takes other sizes.")
        )
        {
            batch,
            square,
            precisions,
        };
        OptionBinder<DeviceOptions> device = new(products);
        BenchOutput output = new(products);
        products.SetAction(result =>
        {
            int? images = result.GetValue(batch),
                side = result.GetValue(square);
            BenchFlags.CheckBatchSize(images);
            if (side is < 0 or > 32768)
                throw new DeitException(DeitErrorKind.Usage, $"--square is {side}, expected 0 to 32768.");
            using GpuDevice gpu = CommandDevice.Open(device.Bind(result).Selector);
            output.Write(
                result,
                ProductBench.Run(
                    gpu,
                    images ?? ProductBench.DefaultBatch(gpu),
                    side ?? ProductBench.DefaultSquare(gpu),
                    result.GetValue(precisions) is { Length: > 0 } chosen
                        ? chosen
                        : ProductBench.DefaultPrecisions(gpu),
                    Output.Aside
                )
            );
            return 0;
        });
        return products;
    }
}
