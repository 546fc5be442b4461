using System.Text.Json;
using FramePainter.Imaging;
using Microsoft.Playwright;

namespace FramePainter.Studio.Tests;

/// <summary>A browser with the Studio open, and the hands on it. Places on the picture are shares of its width and height.</summary>
sealed class Browser : IAsyncDisposable
{
    static readonly string? s_chromium = new[] { "/usr/bin/chromium", "/usr/bin/chromium-browser" }.FirstOrDefault(File.Exists);

    // One program for all tests, which takes seconds to start; every test has a context of its own, which shares nothing with the others.
    static readonly Lazy<Task<(IPlaywright Playwright, IBrowser Chromium)>> s_program = new(Start);

    readonly IBrowserContext _context;

    Browser(IBrowserContext context, IPage page) => (_context, Page) = (context, page);

    /// <summary>The repository's root.</summary>
    public static string Repository { get; } = FindRepository();

    public IPage Page { get; }

    /// <summary>What the browser complained of: script errors, broken policies, failed requests.</summary>
    public List<string> Complaints { get; } = [];

    public static async Task<Browser> Open(StudioServer server, ColorScheme colors = ColorScheme.Light)
    {
        Assert.SkipWhen(s_chromium is null, "Chromium is not installed.");
        var context = await (await s_program.Value).Chromium.NewContextAsync(new() { ViewportSize = new() { Width = 1180, Height = 760 }, ColorScheme = colors, HasTouch = true });
        var page = await context.NewPageAsync();
        var browser = new Browser(context, page);
        page.Console += (_, message) =>
        {
            // The tests themselves look at canvases more often than a page should.
            if (message.Type is "error" or "warning" && !message.Text.StartsWith("Canvas2D: Multiple readback", StringComparison.Ordinal))
                browser.Complaints.Add(message.Text);
        };
        page.PageError += (_, error) => browser.Complaints.Add(error);
        await page.GotoAsync(server.Address.AbsoluteUri);
        await page.WaitForSelectorAsync("[data-sample='000'] img");
        return browser;
    }

    public async Task OpenSample(string name)
    {
        await Page.ClickAsync($"[data-sample='{name}']");
        await Page.WaitForSelectorAsync("#frame:not([hidden])");
    }

    /// <summary>Draws by the mouse: pressed at the first place, released at the last.</summary>
    public async Task Drag(params (float X, float Y)[] way)
    {
        for (var i = 0; i < way.Length; i++)
        {
            await MoveTo(way[i].X, way[i].Y);
            if (i == 0)
                await Page.Mouse.DownAsync();
        }

        await Page.Mouse.UpAsync();
    }

    /// <summary>Moves the mouse there, in so many steps.</summary>
    public async Task MoveTo(float x, float y, int steps = 4)
    {
        var (left, top) = await Place(x, y);
        await Page.Mouse.MoveAsync(left, top, new() { Steps = steps });
    }

    /// <summary>Where a place of the picture is in the window.</summary>
    public async Task<(float X, float Y)> Place(float x, float y)
    {
        var box = (await Page.Locator("#overlay").BoundingBoxAsync())!;
        return (box.X + (x * box.Width), box.Y + (y * box.Height));
    }

    const string Pixel = "const c = document.getElementById(id), pixel = c.getContext('2d').getImageData(Math.floor(x * c.width), Math.floor(y * c.height), 1, 1).data;";

    /// <summary>Red, green, blue and alpha of a canvas at a place.</summary>
    public Task<int[]> PixelOf(string canvas, float x, float y) => Page.EvaluateAsync<int[]>(
        $"([id, x, y]) => {{ {Pixel} return [...pixel]; }}",
        new object[] { canvas, (double)x, (double)y });

    /// <summary>Waits until a canvas is so opaque at a place: fingers' events may still be on their way when the protocol has sent them.</summary>
    public Task WaitForAlpha(string canvas, float x, float y, int alpha) => Page.WaitForFunctionAsync(
        $"([id, x, y, alpha]) => {{ {Pixel} return pixel[3] === alpha; }}",
        new object[] { canvas, (double)x, (double)y, alpha }, new() { Timeout = 10_000 });

    /// <summary>Runs what is drawn and waits for its end.</summary>
    /// <returns>The order that the page sent.</returns>
    public async Task<JsonElement> Run(int steps)
    {
        await Page.FillAsync("#steps", $"{steps}");
        var before = await Results();
        var request = await Page.RunAndWaitForRequestAsync(() => Page.ClickAsync("#run"), r => r.Method == "POST" && r.Url.EndsWith("/edits", StringComparison.Ordinal));
        await Page.WaitForFunctionAsync("before => document.querySelectorAll('#history li').length > before", before, new() { Timeout = 90_000 });
        return JsonDocument.Parse(request.PostData!).RootElement;
    }

    /// <summary>How many results the history shows.</summary>
    public Task<int> Results() => Page.Locator("#history li").CountAsync();

    /// <summary>The file that the download button gives.</summary>
    public async Task<byte[]> Download()
    {
        var download = await Page.RunAndWaitForDownloadAsync(() => Page.ClickAsync("#download"));
        Assert.EndsWith(".png", download.SuggestedFilename, StringComparison.Ordinal);
        await using var stream = await download.CreateReadStreamAsync();
        using var bytes = new MemoryStream();
        await stream.CopyToAsync(bytes, TestContext.Current.CancellationToken);
        return bytes.ToArray();
    }

    /// <summary>What the window shows.</summary>
    public async Task<PixelImage> Look() => ImageFile.Load(await Page.ScreenshotAsync()).ToRgb();

    /// <summary>Keeps what the window shows below <c>artifacts/screenshots</c>; where the documentation has a picture of that name and is being made anew, there too.</summary>
    public async Task Screenshot(string name)
    {
        await Page.ScreenshotAsync(new() { Path = Path.Combine(Repository, "artifacts", "screenshots", name + ".png") });
        var documented = Path.Combine(Repository, "docs", "images", name + ".png");
        if (Environment.GetEnvironmentVariable("FRAMEPAINTER_UPDATE_DOCS") == "1" && File.Exists(documented))
            await Page.ScreenshotAsync(new() { Path = documented });
    }

    public ValueTask DisposeAsync() => _context.DisposeAsync();

    /// <summary>Ends the program, where it was started.</summary>
    public static async ValueTask End()
    {
        if (!s_program.IsValueCreated)
            return;

        var (playwright, chromium) = await s_program.Value;
        await chromium.DisposeAsync();
        playwright.Dispose();
    }

    static async Task<(IPlaywright Playwright, IBrowser Chromium)> Start()
    {
        var playwright = await Playwright.CreateAsync();
        return (playwright, await playwright.Chromium.LaunchAsync(new() { ExecutablePath = s_chromium, Args = ["--no-sandbox", "--disable-dev-shm-usage"] }));
    }

    static string FindRepository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "FramePainter.Core.sln")))
            folder = folder.Parent ?? throw new DirectoryNotFoundException("The tests lie outside of the repository.");

        return folder.FullName;
    }
}
