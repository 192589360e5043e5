using Deit.Cli.Commands.Root;
using Deit.Cli.Help;

namespace Deit.Tests.Cli.Help;

/// <summary>The chapter of all commands and flags is made from the program. <c>DEIT_COMMANDS_PAGE=write</c> writes it.</summary>
[Trait("Category", "Checkout")]
public sealed class CommandsPageTests
{
    [Fact]
    public void The_page_of_the_book_is_that_of_the_program()
    {
        string file = Repository.File("docs/commands.md"),
            text = HelpMarkdown.Of([.. HelpPage.All(DeitCommands.Create()).Select(HelpAction.Page)]);
        if (Environment.GetEnvironmentVariable("DEIT_COMMANDS_PAGE") == "write")
            File.WriteAllText(file, text);
        Assert.Equal(File.ReadAllText(file), text);
    }
}
