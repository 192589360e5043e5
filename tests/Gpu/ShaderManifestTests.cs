using System.Reflection;
using System.Security.Cryptography;
using Deit.Gpu;
using Deit.Gpu.Vulkan;

namespace Deit.Tests.Gpu;

/// <summary>The compiled shaders are those of the sources, and an op, its shaders and its tests bear one name.</summary>
public class ShaderManifestTests
{
    private const string Remedy = "run shaders/compile and commit shaders/spirv";
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "shaders");
    private static readonly Assembly Library = typeof(GpuDevice).Assembly;

    [Fact]
    public void Every_hash_of_the_manifest_is_that_of_its_file()
    {
        foreach ((string file, string hash) in Manifest())
        {
            string path = Path.Combine(Folder, file);
            Assert.True(File.Exists(path), $"{file} is in the manifest and missing; {Remedy}");
            Assert.True(
                hash == Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))),
                $"{file} changed after it was compiled; {Remedy}"
            );
        }
    }

    [Fact]
    public void Every_file_is_in_the_manifest()
    {
        string[] files =
        [
            .. Directory
                .EnumerateFiles(Folder, "*", SearchOption.AllDirectories)
                .Select(path => Path.GetRelativePath(Folder, path).Replace('\\', '/'))
                .Where(file => file is not ("compile" or "spirv/manifest.txt" or "spirv/.gitkeep")),
        ];
        Assert.NotEmpty(files);
        Assert.Equal([.. Manifest().Keys.Order(StringComparer.Ordinal)], files.Order(StringComparer.Ordinal));
    }

    // A shader compiles to its own name, to its variants' names, or to both.
    [Fact]
    public void Every_shader_has_its_compiled_files_and_no_others()
    {
        List<string> expected = [];
        foreach (string source in Manifest().Keys.Where(file => file.EndsWith(".comp", StringComparison.Ordinal)))
        {
            string[] lines = File.ReadAllLines(Path.Combine(Folder, source));
            if (!lines.Any(line => line.StartsWith("//! variants only", StringComparison.Ordinal)))
                expected.Add($"spirv/{Path.GetFileNameWithoutExtension(source)}.spv");
            expected.AddRange(
                lines
                    .Where(line => line.StartsWith("//! variant ", StringComparison.Ordinal))
                    .Select(line => $"spirv/{Path.GetFileNameWithoutExtension(source)}.{line.Split(' ')[2]}.spv")
            );
        }
        Assert.Equal(
            expected.Order(StringComparer.Ordinal),
            Manifest().Keys.Where(file => file.EndsWith(".spv", StringComparison.Ordinal)).Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void The_library_embeds_the_compiled_files()
    {
        Dictionary<string, string> compiled = Manifest()
            .Where(entry => entry.Key.EndsWith(".spv", StringComparison.Ordinal))
            .ToDictionary(entry => entry.Key["spirv/".Length..], entry => entry.Value);
        string[] embedded =
        [
            .. Library.GetManifestResourceNames().Where(name => name.EndsWith(".spv", StringComparison.Ordinal)),
        ];
        Assert.Equal(compiled.Keys.Order(StringComparer.Ordinal), embedded.Order(StringComparer.Ordinal));
        foreach (string name in embedded)
        {
            using Stream stream = Library.GetManifestResourceStream(name)!;
            Assert.True(
                compiled[name] == Convert.ToHexStringLower(SHA256.HashData(stream)),
                $"The embedded {name} is not that of the manifest; build again"
            );
        }
    }

    // LayerNormOp: layer_norm.comp, layer_norm.backward.comp, LayerNormOpTests.
    [Fact]
    public void An_op_its_shaders_and_its_tests_are_one_stem()
    {
        HashSet<string> tests =
        [
            .. Assembly
                .GetExecutingAssembly()
                .GetTypes()
                .Where(type => type.Namespace?.StartsWith("Deit.Tests.Gpu.", StringComparison.Ordinal) == true)
                .Select(type => type.Name),
        ];
        Dictionary<string, string> users = [];
        foreach (Type op in Ops())
        {
            Assert.True(
                tests.Remove($"{op.Name}Tests"),
                $"{op.Name} has no tests; write {op.Name}Tests.cs in the folder of tests/Gpu that mirrors the op's"
            );
            string stem = op.Name[..^"Op".Length].ToLowerInvariant();
            foreach (Kernel kernel in Kernels(op))
            {
                Assert.True(
                    kernel.Name.Split('.')[0].Replace("_", "", StringComparison.Ordinal) == stem,
                    $"{op.Name} owns the kernel '{kernel.Name}'; name the shader after the op"
                );
                Assert.True(
                    users.TryAdd($"spirv/{kernel.Name}.spv", op.Name),
                    $"{op.Name} and {users.GetValueOrDefault($"spirv/{kernel.Name}.spv")} both own the kernel "
                        + $"'{kernel.Name}'; let one call the other"
                );
            }
        }
        Assert.True(
            tests.All(name => !name.EndsWith("OpTests", StringComparison.Ordinal)),
            $"Tests of ops that are not there: {string.Join(", ", tests)}"
        );
        Assert.Equal(
            Manifest()
                .Keys.Where(file => file.EndsWith(".spv", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal),
            users.Keys.Order(StringComparer.Ordinal)
        );
    }

    // Some kernels run only on devices that are not here.
    [Fact]
    public void Every_kernel_is_a_module_that_takes_its_push_constants() =>
        Assert.All(
            Ops().SelectMany(Kernels),
            kernel =>
                Assert.Equal(
                    Dispatch.PushLength(kernel.PushBytes, kernel.Addresses),
                    SpirvModule.Load(kernel.Name).PushBytes
                )
        );

    private static Type[] Ops()
    {
        Type[] ops =
        [
            .. Library
                .GetExportedTypes()
                .Where(type =>
                    type is { IsAbstract: true, IsSealed: true } && type.Name.EndsWith("Op", StringComparison.Ordinal)
                ),
        ];
        Assert.NotEmpty(ops);
        return ops;
    }

    // An op's own kernels, those of each element type and of each type of the residual stream, and those of the activation that it names.
    private static IEnumerable<Kernel> Kernels(Type op) => Fields(op, BindingFlags.Static, null).SelectMany(Of);

    private static IEnumerable<Kernel> Of(object field) =>
        field is Kernel kernel ? [kernel]
        : field is Activation
        || field.GetType() is { IsGenericType: true } type
            && (
                type.GetGenericTypeDefinition() == typeof(TypedKernel<>)
                || type.GetGenericTypeDefinition() == typeof(StreamKernel<>)
            )
            ? Fields(field.GetType(), BindingFlags.Instance, field).SelectMany(Of)
        : [];

    private static IEnumerable<object> Fields(Type type, BindingFlags kind, object? owner) =>
        type.GetFields(kind | BindingFlags.NonPublic | BindingFlags.Public)
            .Select(field => field.GetValue(owner))
            .OfType<object>();

    private static Dictionary<string, string> Manifest() =>
        File.ReadAllLines(Path.Combine(Folder, "spirv", "manifest.txt"))
            .Where(line => !line.StartsWith('#'))
            .Select(line => line.Split("  ", 2))
            .ToDictionary(parts => parts[1], parts => parts[0]);
}
