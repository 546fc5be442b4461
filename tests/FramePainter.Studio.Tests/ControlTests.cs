using FramePainter.Imaging;
using FramePainter.Toy;
using Microsoft.Playwright;

namespace FramePainter.Studio.Tests;

/// <summary>The page around the picture: settings, progress, slider, history, keys, files, its size and its colours.</summary>
[Collection(StudioGroup.Name)]
public sealed class ControlTests(StudioFixture fixture)
{
    static readonly (float X, float Y)[] s_stroke = [(0.3f, 0.3f), (0.7f, 0.7f)];

    [Fact]
    public async Task Settings_reach_the_edit_and_its_download()
    {
        await using var server = await fixture.Start();
        await using var browser = await Browser.Open(server);
        var page = browser.Page;
        await browser.OpenSample("003");
        await browser.Drag(s_stroke);
        await page.FillAsync("#seed", "77");
        await page.FillAsync("#scale", "1.25");
        await page.ClickAsync("summary");
        await page.FillAsync("#guidance", "2.5");
        await page.SetCheckedAsync("#float32", false);
        await browser.Run(3);
        var options = EditFile.ReadMetadata(await browser.Download())!.Options;
        Assert.Equal((3, 77L, 1.25f, 2.5f, DrawPrecision.Float16), (options.Steps, options.Seed, options.ControlScale, options.Guidance, options.Draws));
    }

    [Fact]
    public async Task Progress_and_preview_come_while_it_runs()
    {
        await using var server = await fixture.Start();
        await using var browser = await Browser.Open(server);
        var page = browser.Page;
        await browser.OpenSample("007");
        await page.ClickAsync("#sample-sketch");
        await page.FillAsync("#steps", "1000");
        await page.ClickAsync("#run");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < 3; i++)
        {
            await page.WaitForFunctionAsync(
                "seen => { const i = document.getElementById('preview'); return !i.hidden && i.complete && i.naturalWidth > 0 && !seen.includes(i.getAttribute('src')) && parseFloat(document.querySelector('.bar i').style.width) > 5; }",
                seen.ToArray(), new() { Timeout = 60_000 });
            seen.Add((await page.GetAttributeAsync("#preview", "src"))!);
        }

        Assert.Matches("Denoising, step [0-9]+ of 1000 · [0-9.]+ s", await page.TextContentAsync("#progress p"));
        Assert.Matches("^[0-9]+ % · ", await page.TitleAsync());
        await browser.Screenshot("studio-run");
        await page.ClickAsync("#cancel");
        await page.WaitForSelectorAsync("#progress[data-phase=Cancelled]");
        Assert.False(await page.IsVisibleAsync("#preview"));
    }

    /// <summary>An edit may be over before the request that began it is answered.</summary>
    [Fact]
    public async Task An_answer_behind_the_end_does_not_take_it_back()
    {
        await using var server = await fixture.Start();
        await using var browser = await Browser.Open(server);
        var page = browser.Page;
        await browser.OpenSample("003");
        await browser.Drag(s_stroke);
        await page.FillAsync("#steps", "1");
        await page.RouteAsync("**/edits", async route =>
        {
            var answer = await route.FetchAsync();
            await page.WaitForSelectorAsync("#history li");
            await route.FulfillAsync(new() { Response = answer });
        });
        await page.RunAndWaitForRequestFinishedAsync(() => page.ClickAsync("#run"), new() { Predicate = r => r.Url.EndsWith("/edits", StringComparison.Ordinal) });
        await Task.Delay(300, TestContext.Current.CancellationToken);
        Assert.Equal(1, await browser.Results());
        Assert.True(await page.IsVisibleAsync("#run"));
    }

    [Fact]
    public async Task The_slider_parts_before_from_after()
    {
        await using var server = await fixture.Start();
        await using var browser = await Browser.Open(server);
        var page = browser.Page;
        await browser.OpenSample("007");
        await page.ClickAsync("#sample-sketch");
        await browser.Run(8);
        var (source, edited) = (ImageFile.Load(StudioFixture.Sample.Source.Span).ToRgb(), ImageFile.Load(await browser.Download()).ToRgb());
        // The middle of the old disc: green before, gone after.
        var (x, y) = (29, 14);
        Assert.True(Difference(source, x, y, edited, x, y) > 100, "The sample's disc did not leave its place.");

        foreach (var (slider, expected) in new[] { (0.2f, edited), (0.8f, source) })
        {
            await browser.Drag((0.5f, 0.9f), (slider, 0.9f));
            Assert.InRange(await NearestTo(expected), 0, 12);
        }

        // By keys: 20 of them take it from 0.8 to 0.4, past the disc.
        for (var i = 0; i < 20; i++)
            await page.Keyboard.PressAsync("ArrowLeft");
        Assert.InRange(await NearestTo(edited), 0, 12);

        async Task<int> NearestTo(PixelImage expected)
        {
            await page.WaitForFunctionAsync("document.getElementById('after').complete");
            var (left, top) = await browser.Place((x + 0.5f) / 64, (y + 0.5f) / 64);
            return Difference(await browser.Look(), (int)left, (int)top, expected, x, y);
        }
    }

    [Fact]
    public async Task The_history_keeps_results_to_choose_from()
    {
        await using var server = await fixture.Start();
        await using var browser = await Browser.Open(server);
        var page = browser.Page;
        await browser.OpenSample("003");
        await browser.Drag(s_stroke);
        foreach (var seed in new[] { "11", "22" })
        {
            await page.FillAsync("#seed", seed);
            await browser.Run(2);
        }

        Assert.Equal(22, EditFile.ReadMetadata(await browser.Download())!.Options.Seed);
        await page.ClickAsync("#history button:has-text('seed 11')");
        Assert.Equal(11, EditFile.ReadMetadata(await browser.Download())!.Options.Seed);
        Assert.Equal("/edits/1/picture", (await page.GetAttributeAsync("#after", "src"))![^16..]);
    }

    [Fact]
    public async Task A_reload_and_a_way_back_keep_pictures_and_results()
    {
        await using var server = await fixture.Start();
        await using var browser = await Browser.Open(server);
        var page = browser.Page;
        await browser.OpenSample("003");
        await browser.Drag(s_stroke);
        await browser.Run(1);
        await page.ReloadAsync();
        await page.WaitForSelectorAsync("#history li");
        Assert.Equal(1, await browser.Results());
        await browser.Drag(s_stroke);

        // The result becomes the next picture; Back returns to the one before, with its drawing and results.
        await page.ClickAsync("#continue");
        await page.WaitForSelectorAsync("#results", new() { State = WaitForSelectorState.Hidden });
        Assert.Equal(0, (await browser.PixelOf("drawing", 0.5f, 0.5f))[3]);
        await page.GoBackAsync();
        await page.WaitForSelectorAsync("#results:not([hidden])");
        Assert.Equal(1, await browser.Results());
        Assert.Equal(255, (await browser.PixelOf("drawing", 0.5f, 0.5f))[3]);

        // The logo leads to the start; a picture that is gone is told of, once.
        await page.ClickAsync("header a");
        await page.WaitForSelectorAsync("#empty:not([hidden])");
        Assert.Empty(browser.Complaints);
        await page.GotoAsync($"http://127.0.0.1:{server.Address.Port}/#0123456789abcdef");
        await page.WaitForSelectorAsync("#problem:not([hidden])");
        Assert.Contains("no such session", await page.TextContentAsync("#problem"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_picture_is_dropped_in()
    {
        await using var server = await fixture.Start();
        await using var browser = await Browser.Open(server);
        var file = Path.Combine(Directory.CreateTempSubdirectory("framepainter-drop-").FullName, "photo.png");
        try
        {
            await File.WriteAllBytesAsync(file, ToyModel.Samples[4].Source.ToArray(), TestContext.Current.CancellationToken);
            var hand = await browser.Page.Context.NewCDPSessionAsync(browser.Page);
            foreach (var type in new[] { "dragEnter", "dragOver", "drop" })
            {
                await hand.SendAsync("Input.dispatchDragEvent", new Dictionary<string, object>
                {
                    ["type"] = type, ["x"] = 400, ["y"] = 400, ["data"] = new { items = Array.Empty<object>(), files = new[] { file }, dragOperationsMask = 1 },
                });
                if (type == "dragOver")
                    await browser.Page.WaitForSelectorAsync("#stage.dropping");
            }

            await browser.Page.WaitForSelectorAsync("#frame:not([hidden])");
            var source = ImageFile.Load(ToyModel.Samples[4].Source.Span).ToRgb();
            var pixel = await browser.PixelOf("picture", 0.5f, 0.5f);
            Assert.Equal(source.Pixels.Slice(((32 * 64) + 32) * 3, 3).ToArray(), pixel[..3].Select(v => (byte)v));
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
        }
    }

    [Fact]
    public async Task A_file_that_is_too_large_is_not_even_sent()
    {
        await using var server = await fixture.Start(new StudioOptions { MaxUploadBytes = 4096 });
        await using var browser = await Browser.Open(server);
        await browser.Page.SetInputFilesAsync("#file", new FilePayload { Name = "photo.png", MimeType = "image/png", Buffer = new byte[4097] });
        await browser.Page.WaitForSelectorAsync("#problem:not([hidden])");
        Assert.Contains("too large", await browser.Page.TextContentAsync("#problem"), StringComparison.Ordinal);
        Assert.Empty(browser.Complaints);
    }

    [Fact]
    public async Task Keys_do_what_the_documentation_says()
    {
        await using var server = await fixture.Start();
        await using var browser = await Browser.Open(server);
        var page = browser.Page;
        // Asked for long before, so that the browser is ready to be caught at it.
        var chooser = page.WaitForFileChooserAsync(new() { Timeout = 120_000 });
        await browser.OpenSample("007");
        foreach (var (key, tool) in new[] { ("e", "eraser"), ("a", "arrow"), ("l", "lasso"), ("b", "brush") })
        {
            await page.Keyboard.PressAsync(key);
            Assert.Equal("true", await page.GetAttributeAsync($"[data-tool={tool}]", "aria-pressed"));
        }

        var brush = await page.InputValueAsync("#brush");
        await page.Keyboard.PressAsync("]");
        Assert.NotEqual(brush, await page.InputValueAsync("#brush"));
        await page.Keyboard.PressAsync("[");
        Assert.Equal(brush, await page.InputValueAsync("#brush"));
        // A slider keeps its own keys.
        await page.FocusAsync("#brush");
        await page.Keyboard.PressAsync("ArrowRight");
        Assert.NotEqual(brush, await page.InputValueAsync("#brush"));

        await page.Keyboard.PressAsync("r");
        Assert.NotEqual("3420", await page.InputValueAsync("#seed"));
        await page.Keyboard.PressAsync("o");
        Assert.False((await chooser).IsMultiple);

        await browser.Drag(s_stroke);
        await page.FillAsync("#steps", "1");
        // Letters and arrows in a field are the field's.
        await page.Keyboard.PressAsync("l");
        Assert.Equal("true", await page.GetAttributeAsync("[data-tool=brush]", "aria-pressed"));
        await page.Keyboard.PressAsync("Control+Enter");
        await page.WaitForSelectorAsync("#history li", new() { Timeout = 60_000 });
        await page.ClickAsync("#stage", new() { Position = new() { X = 5, Y = 300 } });
        foreach (var (key, view) in new[] { ("d", "draw"), ("m", "matches"), ("c", "compare") })
        {
            await page.Keyboard.PressAsync(key);
            Assert.Equal("true", await page.GetAttributeAsync($"[data-view={view}]", "aria-pressed"));
        }

        Assert.EndsWith(".png", (await page.RunAndWaitForDownloadAsync(() => page.Keyboard.PressAsync("s"))).SuggestedFilename, StringComparison.Ordinal);
        await page.Keyboard.PressAsync("Delete");
        Assert.True(await page.IsDisabledAsync("#run"));
    }

    [Fact]
    public async Task A_window_of_another_size_keeps_the_drawing_in_its_place()
    {
        await using var server = await fixture.Start();
        await using var browser = await Browser.Open(server);
        var page = browser.Page;
        await browser.OpenSample("003");
        await browser.Drag((0.25f, 0.25f));
        foreach (var (width, height) in new[] { (1600, 1000), (700, 500), (400, 900) })
        {
            await page.SetViewportSizeAsync(width, height);
            await page.WaitForFunctionAsync("() => { const f = document.getElementById('frame').getBoundingClientRect(), s = document.getElementById('stage').getBoundingClientRect(); return f.width > 100 && f.left >= s.left && f.right <= s.right && f.top >= s.top && f.bottom <= s.bottom; }");
            Assert.Equal(255, (await browser.PixelOf("drawing", 0.25f, 0.25f))[3]);
            Assert.Equal(0, (await browser.PixelOf("drawing", 0.75f, 0.75f))[3]);
            Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"), "The page is wider than its window.");
        }
    }

    [Fact]
    public async Task Light_and_dark_follow_the_system()
    {
        await using var server = await fixture.Start();
        await using var browser = await Browser.Open(server, ColorScheme.Light);
        var light = await browser.Look();
        await browser.Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        var dark = await browser.Look();
        Assert.True(Mean(light) > 200, $"{Mean(light)}");
        Assert.True(Mean(dark) < 80, $"{Mean(dark)}");
    }

    [Fact]
    public async Task A_page_whose_command_ended_says_so()
    {
        await using var server = await fixture.Start();
        await using var browser = await Browser.Open(server);
        await browser.OpenSample("003");
        await server.DisposeAsync();
        await browser.Page.WaitForSelectorAsync("#problem:not([hidden])");
        Assert.Contains("still running", await browser.Page.TextContentAsync("#problem"), StringComparison.Ordinal);
    }

    static double Mean(PixelImage picture)
    {
        var sum = 0L;
        foreach (var value in picture.Pixels)
            sum += value;
        return sum / (double)picture.Pixels.Length;
    }

    /// <summary>How far a pixel of one picture is from one of another, all channels together.</summary>
    static int Difference(PixelImage a, int ax, int ay, PixelImage b, int bx, int by) =>
        Enumerable.Range(0, 3).Sum(c => Math.Abs(a.Pixels[(((ay * a.Width) + ax) * 3) + c] - b.Pixels[(((by * b.Width) + bx) * 3) + c]));
}
