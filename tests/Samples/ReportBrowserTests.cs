using System.Text.Json.Nodes;
using Deit.Tests.Train.Training;
using Deit.Train.Runs;

namespace Deit.Tests.Samples;

/// <summary>The report of a training in a browser, from the disk.</summary>
[Trait("Category", "Samples")]
public sealed class ReportBrowserTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_report_is_whole_in_narrow_and_wide_windows_of_both_themes()
    {
        string data = TinyRun.WritePictures(_folder),
            run = _folder["run"];
        string hostile = "<img src=x onerror=\"document.title='broken'\">";
        foreach (string split in (string[])["train", "val"])
            Directory.Move(Directory.GetDirectories(Path.Combine(data, split))[0], Path.Combine(data, split, hostile));
        Assert.Equal(0, TinyRun.Train(TinyRun.Options(data, run)));

        using Browser browser = await Browser.Open(new Uri(Path.Combine(run, RunReport.FileName)).AbsoluteUri);
        Assert.Equal("Deit: run", await Text("document.title"));
        Assert.True(await Number("document.querySelectorAll('svg path.line-1[d]').length") >= 6);
        // Every picture was decoded, and nothing was asked for elsewhere.
        Assert.True(await Number("document.images.length") > 8);
        Assert.Equal(0, await Number("[...document.images].filter(i => !i.complete || !i.naturalWidth).length"));
        Assert.Equal(
            0,
            await Number("performance.getEntriesByType('resource').filter(r => !r.name.startsWith('data:')).length")
        );
        List<string> papers = [];
        foreach (bool dark in (bool[])[false, true])
        foreach (int width in (int[])[400, 1600])
        {
            await browser.Resize(width, dark);
            await browser.Until($"innerWidth === {width}");
            // The page never scrolls sideways, and no letter of a chart is below 10 pixels.
            Assert.Equal(width, await Number("document.documentElement.scrollWidth"));
            Assert.True(
                await Number(
                    "Math.min(...[...document.querySelectorAll('figure > svg')].map(s => 13 * s.getBoundingClientRect().width / 420))"
                ) >= 10
            );
            papers.Add(await Text("getComputedStyle(document.body).backgroundColor"));
        }
        Assert.Equal(["rgb(255, 255, 255)", "rgb(15, 19, 24)"], papers.Distinct());
        Assert.Empty(browser.Errors);

        async Task<double> Number(string expression) => (await browser.Evaluate(expression))!.GetValue<double>();

        async Task<string> Text(string expression)
        {
            JsonNode? value = await browser.Evaluate(expression);
            return value!.GetValue<string>();
        }
    }
}
