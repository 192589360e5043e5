using Deit.Gpu;
using Deit.Model;
using Deit.Tests.Gpu;

namespace Deit.Tests.Model.Networks;

/// <summary>A convolutional student and a transformer as its teacher, in one recording, each in an arithmetic of its own.</summary>
public class ArithmeticTests
{
    [Theory]
    [InlineData(ProductArithmetic.BF16x3, ProductArithmetic.F32)]
    [InlineData(ProductArithmetic.F32, ProductArithmetic.BF16x3)]
    [InlineData(ProductArithmetic.BF16x3, ProductArithmetic.BF16x3)]
    public void A_student_and_its_teacher_compute_in_their_own_arithmetic(
        ProductArithmetic ofStudent,
        ProductArithmetic ofTeacher
    )
    {
        using RegNet student = new(
            TestDevice.Current,
            new RegNetConfig
            {
                InitialWidth = 32,
                WidthSlope = 32,
                WidthMultiplier = 2,
                Depth = 2,
                GroupWidth = 8,
                StemWidth = 32,
                NumClasses = 8,
                InputSize = 32,
            }
        );
        using VisionTransformer teacher = new(
            TestDevice.Current,
            new DeitConfig
            {
                EmbedDim = 32,
                Depth = 2,
                NumHeads = 2,
                PatchSize = 8,
                InputSize = 32,
                NumClasses = 8,
            }
        );
        student.Parameters.Train();
        using OpRun run = new();
        Tensor images = run.Empty([8, 3, 32, 32]);
        Recorder r = UnitsRecorder.Create();
        Tensor z,
            targets;
        using (r.Named("student"))
            z = student
                .Forward(
                    r,
                    images,
                    new ForwardContext { Training = true, Precision = new(DType.F32, DType.F32, ofStudent) }
                )
                .ClassLogits;
        using (r.Named("teacher"))
            targets = teacher
                .Forward(r, images, new ForwardContext { Precision = new(DType.F32, DType.F32, ofTeacher) })
                .ClassLogits;
        int forward = UnitsRecorder.Products(r, "student").Count();
        r.Tape.Backward(r.SoftDistillation(z, targets, 1, 1), r.Full([1], 1));

        string[] students = [.. UnitsRecorder.Products(r, "student")];
        AssertIn(ofStudent, students[..forward]);
        AssertIn(ofStudent, students[forward..]);
        AssertIn(ofTeacher, [.. UnitsRecorder.Products(r, "teacher")]);
    }

    // Matrix units take the products whose extents are multiples of eight. In plain F32 they take none, and otherwise
    // some.
    private static void AssertIn(ProductArithmetic products, string[] kernels)
    {
        Assert.NotEmpty(kernels);
        Assert.Equal(
            products != ProductArithmetic.F32,
            kernels.Any(kernel => kernel.EndsWith("x3", StringComparison.Ordinal))
        );
    }
}
