using Deit.Train.Data.Inspection;
namespace Deit.Cli.Commands;
internal sealed class CheckPage(Inspection inspection)
{
    public string ToHtml() => $"{inspection}";
}
