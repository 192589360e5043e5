using Deit.Model.Images;
using Deit.Train.Data.Augmentation;
using Deit.Train.Data.Loading;

namespace Deit.Tests.Train.Data.Loading;

public sealed class TransientErrorsTests
{
    public static TheoryData<Exception, bool> Errors =>
        new()
        {
            { new IOException("Input/output error"), true },
            { new IOException("Stale file handle"), true },
            { new ImageException("Reading failed.", new IOException("Connection timed out")), true },
            { new FileNotFoundException(), false },
            { new DirectoryNotFoundException(), false },
            { new EndOfStreamException(), false },
            { new UnauthorizedAccessException(), false },
            { new ImageException("It is no picture."), false },
            { new ImageException("Reading failed.", new FileNotFoundException()), false },
        };

    [Theory]
    [MemberData(nameof(Errors))]
    public void Only_what_may_be_otherwise_later_is_tried_again(Exception error, bool again)
    {
        List<TimeSpan> pauses = [];
        int tries = 0;
        Exception thrown = Assert.ThrowsAny<Exception>(() =>
            TransientErrors.Retry<int>(
                () =>
                {
                    tries++;
                    throw error;
                },
                pauses.Add
            )
        );
        Assert.Same(error, thrown);
        Assert.Equal(again ? 4 : 1, tries);
        Assert.Equal(pauses.Order(), pauses);
        Assert.True(pauses.Sum(pause => pause.TotalSeconds) < 5);
    }

    [Fact]
    public void A_picture_that_fails_twice_is_read()
    {
        int failures = 2;
        GeneratedDataset pictures = new(1)
        {
            OnLoad = _ =>
            {
                if (failures-- > 0)
                    throw new ImageException("Reading failed.", new IOException("Input/output error"));
            },
        };
        SampleReader reader = Reader(pictures);
        Assert.NotNull(reader.Load(0, 0, 0));
        Assert.Equal(3, pictures.Loads);
        Assert.Empty(reader.Unreadable);
    }

    [Fact]
    public void A_picture_that_the_system_could_not_read_is_tried_again_in_the_next_epoch_and_a_damaged_one_is_not()
    {
        bool away = true;
        GeneratedDataset pictures = new(2, unreadable: 1)
        {
            OnLoad = index =>
            {
                if (away && index == 0)
                    throw new ImageException("It is away.", new FileNotFoundException());
            },
        };
        SampleReader reader = Reader(pictures);
        reader.BeginEpoch();
        Assert.Null(reader.Load(0, 0, 0));
        Assert.Null(reader.Load(1, 0, 1));
        Assert.Null(reader.Load(0, 0, 0));
        Assert.Equal([0, 1], reader.UnreadableIndices);
        Assert.Equal(2, pictures.Loads);
        reader.BeginEpoch();
        Assert.Equal([0, 1], reader.UnreadableIndices); // not read yet
        away = false;
        Assert.NotNull(reader.Load(0, 1, 0));
        Assert.Null(reader.Load(1, 1, 1));
        Assert.Equal([1], reader.UnreadableIndices);
        Assert.Equal(3, pictures.Loads);
    }

    private static SampleReader Reader(GeneratedDataset pictures) =>
        new(pictures, new EvaluationTransform(new Preprocess { InputSize = 16 })) { Pause = _ => { } };
}
