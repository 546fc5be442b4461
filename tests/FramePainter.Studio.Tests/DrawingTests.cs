using System.Text.Json;
using FramePainter.Imaging;
using Microsoft.Playwright;

namespace FramePainter.Studio.Tests;

/// <summary>What hands draw is what the model gets: by mouse, pen and finger, with every tool.</summary>
[Collection(StudioGroup.Name)]
public sealed class DrawingTests(StudioFixture fixture)
{
    static readonly (float X, float Y)[] s_line = [(0.25f, 0.5f), (0.5f, 0.5f), (0.75f, 0.5f)];

    [Theory]
    [InlineData("mouse")]
    [InlineData("pen")]
    [InlineData("touch")]
    public async Task A_line_arrives_where_it_was_drawn(string by)
    {
        await using var server = await fixture.Start();
        await using var browser = await Browser.Open(server);
        await browser.OpenSample("003");
        await DrawLine(browser, by);

        var sketch = SketchOf(await browser.Run(1));
        foreach (var x in new[] { 0.26f, 0.4f, 0.5f, 0.74f })
            Assert.Equal(255, At(sketch, x, 0.5f));
        foreach (var (x, y) in new[] { (0.2f, 0.5f), (0.8f, 0.5f), (0.5f, 0.45f), (0.5f, 0.55f) })
            Assert.Equal(0, At(sketch, x, y));
        Assert.Empty(browser.Complaints);
    }

    [Fact]
    public async Task A_cancelled_touch_leaves_nothing()
    {
        await using var server = await fixture.Start();
        await using var browser = await Browser.Open(server);
        await browser.OpenSample("003");
        await DrawLine(browser, "touch", end: "touchCancel");
        await browser.WaitForAlpha("drawing", 0.5f, 0.5f, 0);
        Assert.True(await browser.Page.IsDisabledAsync("#run"));
        // The next one is drawn as if nothing had been.
        await DrawLine(browser, "touch");
        await browser.WaitForAlpha("drawing", 0.5f, 0.5f, 255);
    }

    [Fact]
    public async Task The_eraser_and_the_end_of_a_pen_rub_out()
    {
        await using var server = await fixture.Start();
        await using var browser = await Browser.Open(server);
        await browser.OpenSample("003");
        await browser.Drag(s_line);
        await browser.Page.Keyboard.PressAsync("e");
        await browser.Drag((0.4f, 0.4f), (0.4f, 0.6f));
        await browser.Page.Keyboard.PressAsync("b");
        // No protocol turns a pen round: its events are made up, under the mouse's number, which is always there.
        await browser.Page.EvaluateAsync("""
            () => {
              const box = overlay.getBoundingClientRect();
              const at = (type, y) => overlay.dispatchEvent(new PointerEvent(type, {
                pointerType: 'pen', pointerId: 1, button: type === 'pointermove' ? -1 : 5, buttons: 32, clientX: box.left + 0.6 * box.width, clientY: box.top + y * box.height }));
              at('pointerdown', 0.4); at('pointermove', 0.6); at('pointerup', 0.6);
            }
            """);
        Assert.Equal("true", await browser.Page.GetAttributeAsync("[data-tool=brush]", "aria-pressed"));

        var sketch = SketchOf(await browser.Run(1));
        Assert.Equal([255, 0, 255, 0, 255], new[] { 0.3f, 0.4f, 0.5f, 0.6f, 0.7f }.Select(x => (int)At(sketch, x, 0.5f)));
    }

    [Fact]
    public async Task The_brush_is_as_wide_as_it_says()
    {
        await using var server = await fixture.Start();
        await using var browser = await Browser.Open(server);
        await browser.OpenSample("003");
        foreach (var size in new[] { "10", "100" })
        {
            await browser.Page.FillAsync("#brush", size);
            await browser.Drag(s_line);
            var said = float.Parse((await browser.Page.TextContentAsync("#brush-size"))!.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
            var sketch = SketchOf(await browser.Run(1));
            var thick = Enumerable.Range(0, sketch.Height).Count(y => sketch.Pixels[(y * sketch.Width) + (sketch.Width / 2)] > 127) * 64f / sketch.Height;
            Assert.InRange(thick, said - 0.3f, said + 0.3f);
            await browser.Page.Keyboard.PressAsync("d");
            await browser.Page.ClickAsync("#clear");
        }
    }

    [Fact]
    public async Task Arrows_are_points_of_the_picture()
    {
        await using var server = await fixture.Start();
        await using var browser = await Browser.Open(server);
        await browser.OpenSample("003");
        await browser.Page.ClickAsync("[data-tool=arrow]");
        await browser.Drag((0.25f, 0.75f), (0.5f, 0.125f));
        // Pulled past the border: it ends there.
        await browser.Drag((0.5f, 0.5f), (1.05f, 0.5f));
        var points = (await browser.Run(1)).GetProperty("points").EnumerateArray().Select(p => p.EnumerateArray().Select(c => c.GetSingle()).ToArray()).ToArray();
        float[][] expected = [[16, 48, 32, 8], [32, 32, 63.99f, 32]];
        Assert.Equal(expected.Length, points.Length);
        foreach (var (want, got) in expected.Zip(points))
            Assert.All(want.Zip(got), c => Assert.InRange(c.Second, c.First - 0.2f, c.First + 0.2f));
    }

    [Fact]
    public async Task A_lassoed_region_goes_where_it_is_pulled()
    {
        await using var server = await fixture.Start();
        await using var browser = await Browser.Open(server);
        await browser.OpenSample("003");
        await browser.Page.ClickAsync("[data-tool=lasso]");
        await browser.Drag((0.25f, 0.25f), (0.5f, 0.25f), (0.5f, 0.5f), (0.25f, 0.5f), (0.25f, 0.25f));
        await browser.Drag((0.375f, 0.375f), (0.5f, 0.625f));
        // Grabbed once more, where it is now.
        await browser.Drag((0.5f, 0.625f), (0.75f, 0.625f));
        var move = (await browser.Run(1)).GetProperty("move");
        Assert.InRange(move.GetProperty("x").GetSingle(), 23.7f, 24.3f);
        Assert.InRange(move.GetProperty("y").GetSingle(), 15.7f, 16.3f);
        var mask = ImageFile.Load(move.GetProperty("mask").GetBytesFromBase64()).ToGray();
        Assert.Equal((64, 64), (mask.Width, mask.Height));
        Assert.Equal([255, 255, 0, 0], new[] { At(mask, 0.28f, 0.28f), At(mask, 0.47f, 0.47f), At(mask, 0.22f, 0.375f), At(mask, 0.53f, 0.375f) }.Select(v => (int)v));
    }

    [Fact]
    public async Task A_sketch_beside_a_moved_region_is_explained()
    {
        await using var server = await fixture.Start();
        await using var browser = await Browser.Open(server);
        await browser.OpenSample("003");
        await browser.Drag(s_line);
        await browser.Page.ClickAsync("[data-tool=lasso]");
        await browser.Drag((0.25f, 0.25f), (0.5f, 0.25f), (0.5f, 0.5f), (0.25f, 0.25f));
        await browser.Drag((0.42f, 0.3f), (0.6f, 0.6f));
        await browser.Page.ClickAsync("#run");
        await browser.Page.WaitForSelectorAsync("#problem:not([hidden])");
        Assert.Contains("clear one of them", await browser.Page.TextContentAsync("#problem"), StringComparison.Ordinal);
    }

    static async Task DrawLine(Browser browser, string by, string end = "touchEnd")
    {
        if (by == "mouse")
        {
            await browser.Drag(s_line);
            return;
        }

        var hand = await browser.Page.Context.NewCDPSessionAsync(browser.Page);
        for (var i = 0; i <= s_line.Length; i++)
        {
            var (x, y) = await browser.Place(s_line[Math.Min(i, s_line.Length - 1)].X, 0.5f);
            var last = i == s_line.Length;
            if (by == "touch")
            {
                object[] fingers = last ? [] : [new { x, y }];
                await hand.SendAsync("Input.dispatchTouchEvent", new Dictionary<string, object> { ["type"] = last ? end : i == 0 ? "touchStart" : "touchMove", ["touchPoints"] = fingers });
            }
            else
            {
                await hand.SendAsync("Input.dispatchMouseEvent", new Dictionary<string, object>
                {
                    ["type"] = last ? "mouseReleased" : i == 0 ? "mousePressed" : "mouseMoved", ["pointerType"] = "pen", ["button"] = "left", ["buttons"] = last ? 0 : 1, ["clickCount"] = 1,
                    ["x"] = x, ["y"] = y, ["force"] = 0.5,
                });
            }
        }
    }

    /// <summary>The order's sketch as the server sees it: white where strokes are.</summary>
    static PixelImage SketchOf(JsonElement order)
    {
        var file = ImageFile.Load(order.GetProperty("sketch").GetBytesFromBase64());
        var rgba = new byte[file.Width * file.Height * 4];
        file.CopyTo(rgba, PixelFormat.Rgba32);
        return PixelImage.FromPixels(rgba.Chunk(4).Select(p => (byte)(p[0] * p[3] / 255)).ToArray(), file.Width, file.Height, PixelFormat.Gray8);
    }

    static byte At(PixelImage gray, float x, float y) => gray.Pixels[((int)(y * gray.Height) * gray.Width) + (int)(x * gray.Width)];
}
