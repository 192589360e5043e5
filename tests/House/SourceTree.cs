using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Deit.Tests.House;

/// <summary>The C# sources of the repository, parsed, and the names in them resolved by the compiler.</summary>
internal sealed class SourceTree
{
    // The projects are compiled as one: a name then leads to the file that declares it, whichever project that is in.
    private readonly CSharpCompilation _compilation;

    private SourceTree(IEnumerable<SyntaxTree> trees) =>
        _compilation = CSharpCompilation.Create(
            "Deit.House",
            [.. trees, CSharpSyntaxTree.ParseText(ImplicitUsings, Parsing)],
            Libraries(),
            new CSharpCompilationOptions(OutputKind.ConsoleApplication, allowUnsafe: true)
        );

    /// <summary>The folders with product code.</summary>
    public static ImmutableArray<string> Products { get; } =
    [
        "Deit.Gpu",
        "Deit.Model",
        "Deit.Model.AspNetCore",
        "Deit.Model.Extensions.AI",
        "Deit.Model.ImageSharp",
        "Deit.Model.OnnxRuntime",
        "Deit.Train",
        "bench",
        "Deit.Cli",
    ];

    private static CSharpParseOptions Parsing { get; } = new(LanguageVersion.Preview);

    private const string ImplicitUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    /// <summary>Reads the product code of the checkout.</summary>
    public static SourceTree OfProducts() => new(Products.SelectMany(Files).Select(Parse));

    /// <summary>Reads the product code with other text in the place of one file.</summary>
    /// <param name="file">The file, relative to the root of the repository.</param>
    /// <param name="change">Makes the other text.</param>
    public static SourceTree With(string file, Func<string, string> change) =>
        new(
            Products
                .SelectMany(Files)
                .Select(path =>
                    path == file
                        ? CSharpSyntaxTree.ParseText(change(File.ReadAllText(Repository.File(path))), Parsing, path)
                        : Parse(path)
                )
        );

    /// <summary>The C# files below a folder of the repository, relative to its root, with <c>/</c> between folders.</summary>
    public static IEnumerable<string> Files(string folder) =>
        Directory
            .EnumerateFiles(Repository.File(folder), "*.cs", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Repository.Root, path).Replace('\\', '/'))
            .Where(path => !path.Split('/').Any(part => part is "bin" or "obj"))
            .Order(StringComparer.Ordinal);

    /// <summary>Parses a file of the repository.</summary>
    public static SyntaxTree Parse(string path) =>
        CSharpSyntaxTree.ParseText(File.ReadAllText(Repository.File(path)), Parsing, path);

    /// <summary>The folder of a file, relative to the root of the repository.</summary>
    public static string FolderOf(string path) => Path.GetDirectoryName(path)!.Replace('\\', '/');

    /// <summary>Each name in the sources that a file of the sources declares, and each <c>using</c> of a namespace of theirs.</summary>
    /// <param name="file">The one file that is asked; null for all.</param>
    public IEnumerable<Use> Uses(string? file = null) =>
        _compilation
            .SyntaxTrees.Where(tree => tree.FilePath.Length > 0 && (file is null || tree.FilePath == file))
            .AsParallel()
            .AsOrdered()
            .SelectMany(UsesOf);

    private IEnumerable<Use> UsesOf(SyntaxTree tree)
    {
        SemanticModel model = _compilation.GetSemanticModel(tree);
        foreach (SimpleNameSyntax name in tree.GetRoot().DescendantNodes().OfType<SimpleNameSyntax>())
        {
            SymbolInfo info = model.GetSymbolInfo(name);
            ISymbol? symbol = info.Symbol ?? info.CandidateSymbols.FirstOrDefault();
            if (symbol is null or ILocalSymbol or IParameterSymbol or ITypeParameterSymbol or IRangeVariableSymbol)
                continue;
            bool isUsing = name.FirstAncestorOrSelf<UsingDirectiveSyntax>() is not null;
            if (symbol is INamespaceSymbol && !isUsing)
                continue;
            // A partial class or a namespace has several files; the use is an arrow to the nearest, so to none of its own.
            string[] files =
            [
                .. symbol.DeclaringSyntaxReferences.Select(reference => reference.SyntaxTree.FilePath).Distinct(),
            ];
            int line = tree.GetLineSpan(name.Span).StartLinePosition.Line + 1;
            if (files.Length > 0 && (symbol is not INamespaceSymbol || IsWhole(name)))
                yield return new Use(tree.FilePath, line, name.Identifier.Text, files, isUsing);
        }
    }

    // Of "using Deit.Train.Runs" the last part is the namespace that is meant.
    private static bool IsWhole(SimpleNameSyntax name) =>
        name.Parent is UsingDirectiveSyntax
        || (name.Parent is QualifiedNameSyntax { Parent: UsingDirectiveSyntax } qualified && qualified.Right == name);

    private static IEnumerable<MetadataReference> Libraries() =>
        ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
            .Split(Path.PathSeparator)
            .Where(path => !Path.GetFileName(path).StartsWith("Deit", StringComparison.OrdinalIgnoreCase))
            .Select(path => MetadataReference.CreateFromFile(path));
}

/// <summary>A name in a source file that leads to other files.</summary>
/// <param name="File">The file that uses it.</param>
/// <param name="Line">The line there, from 1.</param>
/// <param name="Name">The name.</param>
/// <param name="Declarations">The files that declare it.</param>
/// <param name="IsUsing">True for a <c>using</c> directive.</param>
internal sealed record Use(string File, int Line, string Name, IReadOnlyList<string> Declarations, bool IsUsing);
