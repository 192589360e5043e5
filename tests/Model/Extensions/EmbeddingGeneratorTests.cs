using Deit.Model;
using Deit.Model.Extensions.AI;
using Deit.Model.Images;
using Deit.Tests.Gpu;
using Deit.Tests.Model.Serving;
using Deit.Tests.Train.Training;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace Deit.Tests.Model.Extensions;

/// <summary>Models as generators of embeddings for programs that know Microsoft.Extensions.AI alone.</summary>
public sealed class EmbeddingGeneratorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Pictures_are_embedded_in_their_order_as_by_the_model()
    {
        using DeitModel model = DeitModel.Load(EngineModels.Write(_folder, EngineModels.Distilled), TestDevice.Any);
        using IEmbeddingGenerator<DataContent, Embedding<float>> generator = model.AsIEmbeddingGenerator();
        RgbImage[] images = EngineModels.Pictures(12);
        GeneratedEmbeddings<Embedding<float>> vectors = await generator.GenerateAsync(
            images.Select(Encoded),
            cancellationToken: Cancellation
        );
        Assert.Equal(
            images.Select(image => model.Embed(image).Class),
            vectors.Select(vector => vector.Vector.ToArray())
        );
        int dimensions = vectors[0].Dimensions;
        Assert.Single(
            await generator.GenerateAsync(
                [Encoded(images[0])],
                new EmbeddingGenerationOptions { Dimensions = dimensions },
                Cancellation
            )
        );
        Assert.Contains(
            $"the model's have {dimensions}",
            (
                await Assert.ThrowsAsync<DeitException>(() =>
                    generator.GenerateAsync(
                        [Encoded(images[0])],
                        new EmbeddingGenerationOptions { Dimensions = 5 },
                        Cancellation
                    )
                )
            ).Message
        );
        Assert.Empty(await generator.GenerateAsync([], cancellationToken: Cancellation));
        EmbeddingGeneratorMetadata metadata = generator.GetRequiredService<EmbeddingGeneratorMetadata>();
        Assert.Equal(("deit", (int?)dimensions), (metadata.ProviderName, metadata.DefaultModelDimensions));
        Assert.Same(model, generator.GetService<IDeitModel>());
        Assert.Same(generator, generator.GetService<DeitEmbeddingGenerator>());
        Assert.Null(generator.GetService(typeof(IDeitModel), "key"));
        generator.Dispose();
        Assert.NotEmpty(model.Embed(images[0]).Class); // the model is the caller's
    }

    [Fact]
    public async Task A_container_gives_the_generator_of_its_model()
    {
        ServiceCollection services = new();
        services.AddSingleton<IDeitModel>(new FakeModel());
        services.AddSingleton(provider => provider.GetRequiredService<IDeitModel>().AsIEmbeddingGenerator());
        await using ServiceProvider provider = services.BuildServiceProvider();
        Embedding<float> vector = await provider
            .GetRequiredService<IEmbeddingGenerator<DataContent, Embedding<float>>>()
            .GenerateAsync(Encoded(new RgbImage(1, 1, [7, 0, 0])), cancellationToken: Cancellation);
        Assert.Equal([7, 0, 0, 0], vector.Vector.ToArray());
    }

    [Fact]
    public async Task What_cannot_be_embedded_is_said()
    {
        using FakeModel fake = new();
        using DeitEmbeddingGenerator generator = new(fake);
        await Assert.ThrowsAsync<ImageException>(() =>
            generator.GenerateAsync(
                [new DataContent(new byte[] { 1, 2, 3 }, "image/png")],
                cancellationToken: Cancellation
            )
        );
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            generator.GenerateAsync(
                [Encoded(new RgbImage(1, 1, [7, 0, 0]))],
                cancellationToken: new CancellationToken(canceled: true)
            )
        );
        TinyRun.WriteModel(_folder["regnet"], TinyRun.Teacher);
        using DeitModel regnet = DeitModel.Load(_folder["regnet"], TestDevice.Any);
        using IEmbeddingGenerator<DataContent, Embedding<float>> none = regnet.AsIEmbeddingGenerator();
        Assert.Null(none.GetRequiredService<EmbeddingGeneratorMetadata>().DefaultModelDimensions);
        Assert.Contains(
            "RegNetY",
            (
                await Assert.ThrowsAsync<DeitException>(() =>
                    none.GenerateAsync([Encoded(EngineModels.Pictures(1)[0])], cancellationToken: Cancellation)
                )
            ).Message
        );
    }

    private DataContent Encoded(RgbImage image)
    {
        string path = _folder[$"{Guid.NewGuid()}.png"];
        ImageEncoder.SavePng(image, path);
        return new DataContent(File.ReadAllBytes(path), "image/png");
    }
}
