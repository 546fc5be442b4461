using FramePainter.Imaging;
using FramePainter.Toy;
using Microsoft.Playwright;

namespace FramePainter.Studio.Tests;

/// <summary>The page in a real browser. The screenshots of README and docs are made here (<c>docs/generate.sh</c>).</summary>
[Collection(StudioGroup.Name)]
public sealed class PageTests(StudioFixture fixture)
{
    [Fact]
    public async Task A_sketch_drawn_with_the_mouse_brings_the_shape()
    {
        await using var server = await fixture.Start();
        await using var browser = await Browser.Open(server);
        var page = browser.Page;
        var sample = StudioFixture.Sample;
        await browser.OpenSample("007");
        Assert.True(await page.IsDisabledAsync("#run"), "Nothing is drawn, and it could be run.");

        await Trace(browser, ImageFile.Load(sample.Sketch.Span).ToGray());
        await browser.Screenshot("studio-draw");
        await page.ClickAsync("#run");
        await page.WaitForSelectorAsync("#progress[data-phase=Done]", new() { Timeout = 90_000 });
        await page.WaitForSelectorAsync("#after:not([hidden])");
        await browser.Screenshot("studio-compare");

        var source = ImageFile.Load(sample.Source.Span).ToRgb();
        var target = ImageFile.Load(sample.Target.Span).ToRgb();
        var edited = ImageFile.Load(await browser.Download()).ToRgb();
        // Where the truth differs from the source, the edit is nearer to the truth.
        var (toTarget, toSource) = (Distance(edited, target, source, target), Distance(edited, source, source, target));
        Assert.True(toTarget < 0.6 * toSource, $"The shape did not arrive: {toTarget:0.0} from the target, {toSource:0.0} from the source.");

        await page.ClickAsync("[data-view=matches]");
        var answer = await page.RunAndWaitForResponseAsync(() => browser.MoveTo(0.8f, 0.2f, steps: 1), r => r.Url.Contains("/match?", StringComparison.Ordinal));
        Assert.Equal(200, answer.Status);
        var match = (await answer.JsonAsync())!.Value;
        var (width, height) = (match.GetProperty("width").GetInt32(), match.GetProperty("height").GetInt32());
        var heat = match.GetProperty("heat").EnumerateArray().Select(h => h.GetInt32()).ToArray();
        var (hottest, coldest) = (Array.IndexOf(heat, heat.Max()), Array.LastIndexOf(heat, heat.Min()));
        await page.WaitForFunctionAsync("(c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v > 0))(document.getElementById('overlay'))");
        Assert.True(await Shown(hottest) > await Shown(coldest) + 40, "The token that was looked at is not marked.");
        await browser.Screenshot("studio-matches");
        Assert.Empty(browser.Complaints);
        Assert.DoesNotContain(server.Token, page.Url, StringComparison.Ordinal);

        // How strongly a token is marked: near its corner, where the arrow does not run.
        async Task<int> Shown(int token) =>
            (await browser.PixelOf("overlay", ((token % width) + 0.1f) / width, ((token / width) + 0.1f) / height))[3];
    }

    [Fact]
    public async Task Drags_regions_undo_and_dark_colours_work()
    {
        await using var server = await fixture.Start();
        await using var browser = await Browser.Open(server, ColorScheme.Dark);
        var page = browser.Page;
        await browser.Screenshot("studio-start-dark");
        await browser.OpenSample("003");
        await browser.Drag((0.5f, 0.5f));
        // Pink, not the white ring of the pointer.
        Assert.Equal("255 61 129 255", string.Join(' ', await browser.PixelOf("drawing", 0.5f, 0.5f)));
        await page.ClickAsync("#clear");
        await page.Keyboard.PressAsync("a");
        await browser.Drag((0.3f, 0.3f), (0.7f, 0.5f));
        Assert.True(await page.IsEnabledAsync("#run"));
        await page.Keyboard.PressAsync("Control+z");
        Assert.True(await page.IsDisabledAsync("#run"));
        await page.Keyboard.PressAsync("Control+Shift+z");
        Assert.True(await page.IsEnabledAsync("#run"));
        await page.ClickAsync("#clear");

        await page.Keyboard.PressAsync("l");
        await browser.Drag((0.2f, 0.2f), (0.6f, 0.2f), (0.6f, 0.6f), (0.2f, 0.6f), (0.2f, 0.2f));
        Assert.True(await page.IsDisabledAsync("#run"));
        await browser.Drag((0.4f, 0.4f), (0.6f, 0.55f));
        await page.FillAsync("#steps", "3");
        await page.ClickAsync("#run");
        await page.WaitForSelectorAsync("#progress[data-phase=Done]", new() { Timeout = 60_000 });
        await page.Keyboard.PressAsync("d");
        await browser.Screenshot("studio-move-dark");
        await page.SetViewportSizeAsync(420, 800);
        await page.WaitForTimeoutAsync(200);
        await browser.Screenshot("studio-narrow-dark");
        Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"), "The page is wider than its window.");
        Assert.Empty(browser.Complaints);
    }

    [Fact]
    public async Task An_edit_is_cancelled_half_way()
    {
        await using var server = await fixture.Start();
        await using var browser = await Browser.Open(server);
        var page = browser.Page;
        await browser.OpenSample("001");
        await page.ClickAsync("#sample-sketch");
        await page.WaitForSelectorAsync("#sample-sketch", new() { State = WaitForSelectorState.Hidden });
        await page.WaitForSelectorAsync("#run:enabled");
        await page.FillAsync("#steps", "1000");
        await page.ClickAsync("#run");
        await page.WaitForSelectorAsync("#progress p:has-text('step')");
        await page.Keyboard.PressAsync("Escape");
        await page.WaitForSelectorAsync("#progress[data-phase=Cancelled]");
        Assert.True(await page.IsEnabledAsync("#run"));
        Assert.False(await page.IsVisibleAsync("#results"));
        Assert.Empty(browser.Complaints);
    }

    [Fact]
    public async Task A_bad_upload_is_explained_and_the_page_stays()
    {
        await using var server = await fixture.Start();
        await using var browser = await Browser.Open(server);
        var page = browser.Page;
        await page.SetInputFilesAsync("#file", new FilePayload { Name = "photo.png", MimeType = "image/png", Buffer = "<html>"u8.ToArray() });
        await page.WaitForSelectorAsync("#problem:not([hidden])");
        Assert.Contains("PNG, JPEG and WebP", await page.TextContentAsync("#problem"), StringComparison.Ordinal);

        // What was refused leaves the page as it was.
        await page.SetInputFilesAsync("#file", new FilePayload { Name = "photo.png", MimeType = "image/png", Buffer = ToyModel.Samples[2].Source.ToArray() });
        await page.WaitForSelectorAsync("#frame:not([hidden])");
        Assert.False(await page.IsVisibleAsync("#problem"));
    }

    /// <summary>Draws the outline of a sketch's one round shape by hand: the ellipse within its bounds.</summary>
    static async Task Trace(Browser browser, PixelImage sketch)
    {
        var white = Enumerable.Range(0, sketch.Pixels.Length).Where(i => sketch.Pixels[i] > 127).Select(i => (X: i % sketch.Width, Y: i / sketch.Width)).ToArray();
        var (left, right, top, bottom) = (white.Min(p => p.X) + 0.5f, white.Max(p => p.X) + 0.5f, white.Min(p => p.Y) + 0.5f, white.Max(p => p.Y) + 0.5f);
        const int Corners = 48;
        await browser.Drag([.. Enumerable.Range(0, Corners + 1).Select(i =>
        {
            var (sin, cos) = MathF.SinCos(i * MathF.Tau / Corners);
            return ((((left + right) + ((right - left) * cos)) / 2) / sketch.Width, (((top + bottom) + ((bottom - top) * sin)) / 2) / sketch.Height);
        })]);
    }

    /// <summary>Mean difference of two pictures over the pixels in which two others differ much.</summary>
    static double Distance(PixelImage a, PixelImage b, PixelImage one, PixelImage other)
    {
        var (sum, count) = (0.0, 0);
        for (var i = 0; i < a.Pixels.Length; i++)
        {
            if (Math.Abs(one.Pixels[i] - other.Pixels[i]) < 40)
                continue;
            sum += Math.Abs(a.Pixels[i] - b.Pixels[i]);
            count++;
        }

        return sum / count;
    }
}
