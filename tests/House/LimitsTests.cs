using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Deit.Tests.House;

/// <summary>Where a line, a method, a file asks to be two.</summary>
[Trait("Category", "Checkout")]
public sealed partial class LimitsTests
{
    private const int LongestLine = 140;
    private const int LongestFile = 400;
    private const int LongestMethod = 60;

    private static IEnumerable<string> AllFiles =>
        ((string[])[.. SourceTree.Products, "samples", "tests"]).SelectMany(SourceTree.Files);

    [Fact]
    public void No_line_is_longer_than_140_columns() =>
        RequireNone(
            AllFiles.SelectMany(file =>
                File.ReadLines(Repository.File(file))
                    .Index()
                    .Where(line => line.Item.Length > LongestLine)
                    .Select(line => $"{file}({line.Index + 1}): {line.Item.Length} columns")
            )
        );

    [Fact]
    public void No_file_is_longer_than_400_lines() =>
        RequireNone(
            AllFiles
                .Select(file => (file, Lines: File.ReadLines(Repository.File(file)).Count()))
                .Where(pair => pair.Lines > LongestFile)
                .Select(pair => $"{pair.file}: {pair.Lines} lines")
        );

    [Fact]
    public void No_method_is_longer_than_60_lines() =>
        RequireNone(
            ((string[])[.. SourceTree.Products, "samples"])
                .SelectMany(SourceTree.Files)
                .SelectMany(file => Methods(SourceTree.Parse(file)))
                .Where(method => method.Lines > LongestMethod)
                .Select(method => $"{method.Place}: {method.Lines} lines")
        );

    [Fact]
    public void A_root_holds_its_entry_alone()
    {
        // The entry of a library is the type that users meet first; that of a program is Program.cs.
        string[] entries =
        [
            "Deit.Gpu/GpuDevice.cs",
            "Deit.Model.ImageSharp/ImageSharpExtensions.cs",
            "Deit.Cli/Program.cs",
        ];
        RequireNone(
            SourceTree
                .Products.SelectMany(SourceTree.Files)
                .Where(file => !SourceTree.FolderOf(file).Contains('/') && !entries.Contains(file))
        );
    }

    /// <summary>Names of files and classes come from others. The room that prints makes them printable.</summary>
    [Fact]
    public void Commands_print_through_the_terminal_alone() =>
        RequireNone(
            SourceTree
                .Files("Deit.Cli")
                .Where(file => SourceTree.FolderOf(file) != "Deit.Cli/Terminal" && file != "Deit.Cli/Program.cs")
                .Where(file => SourceTree.Parse(file).ToString().Contains(" Console.", StringComparison.Ordinal))
        );

    /// <summary>The libraries are guests of programs. MPI alone ends a process, since the other ranks would wait for it.</summary>
    [Fact]
    public void Libraries_neither_print_nor_end_the_process() =>
        RequireNone(
            ((string[])["Deit.Gpu", "Deit.Model", "Deit.Train"])
                .SelectMany(SourceTree.Files)
                .Where(file => file != "Deit.Train/Distributed/Mpi/MpiLibrary.cs")
                .Where(file =>
                    SourceTree
                        .Parse(file)
                        .GetRoot()
                        .DescendantNodes()
                        .OfType<MemberAccessExpressionSyntax>()
                        .Any(access =>
                            access.Expression.ToString() is "Console" || access.ToString() is "Environment.Exit"
                        )
                )
        );

    /// <summary>
    /// Whoever looks at a run while another process trains it must not keep that one from replacing a file: Windows refuses
    /// to rename over a file that was opened for reading in the usual way, and the training would end.
    /// </summary>
    [Fact]
    public void Files_of_a_run_that_is_trained_are_read_without_being_in_the_way() =>
        RequireNone(
            SourceTree
                .Files("Deit.Cli/Watch")
                .Concat(["Deit.Train/Runs/RunLog.cs", "Deit.Train/Options/TrainOptions.cs"])
                .Where(file => OrdinaryRead().IsMatch(SourceTree.Parse(file).ToString()))
        );

    [GeneratedRegex(@"\bFile\.(Read|Open)|new FileStream|FileStream \w+ = new|new StreamReader\(")]
    private static partial Regex OrdinaryRead();

    private static void RequireNone(IEnumerable<string> found)
    {
        string[] all = [.. found];
        Assert.True(all.Length == 0, $"{all.Length} too many:\n{string.Join('\n', all)}");
    }

    private static IEnumerable<(string Place, int Lines)> Methods(SyntaxTree tree)
    {
        foreach (SyntaxNode node in tree.GetRoot().DescendantNodes())
        {
            if (node is not (BaseMethodDeclarationSyntax or LocalFunctionStatementSyntax or AccessorDeclarationSyntax))
                continue;
            // From the first line of the declaration, comments and attributes left out, to its closing brace.
            FileLinePositionSpan span = tree.GetLineSpan(node.Span);
            int lines = span.EndLinePosition.Line - span.StartLinePosition.Line + 1;
            yield return ($"{tree.FilePath}({span.StartLinePosition.Line + 1})", lines);
        }
    }
}
