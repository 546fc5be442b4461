using Microsoft.Playwright;

namespace FramePainter.Studio.Tests;

/// <summary>A browser with the Studio open.</summary>
sealed class Browser : IAsyncDisposable
{
    static readonly string s_screenshots = Path.Combine(FindRepository(), "artifacts", "screenshots");

    readonly IPlaywright _playwright;
    readonly IBrowser _browser;

    Browser(IPlaywright playwright, IBrowser browser, IPage page) => (_playwright, _browser, Page) = (playwright, browser, page);

    public IPage Page { get; }

    /// <summary>What the browser complained of: script errors, broken policies, failed requests.</summary>
    public List<string> Complaints { get; } = [];

    public static async Task<Browser> Open(string? chromium, StudioServer server, ColorScheme colors = ColorScheme.Light)
    {
        Assert.SkipWhen(chromium is null, "Chromium is not installed.");
        var playwright = await Playwright.CreateAsync();
        var chrome = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = chromium, Args = ["--no-sandbox", "--disable-dev-shm-usage"] });
        var page = await chrome.NewPageAsync(new() { ViewportSize = new() { Width = 1180, Height = 760 }, ColorScheme = colors });
        var browser = new Browser(playwright, chrome, page);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
                browser.Complaints.Add(message.Text);
        };
        page.PageError += (_, error) => browser.Complaints.Add(error);
        await page.GotoAsync(server.Address.AbsoluteUri);
        await page.WaitForSelectorAsync("[data-sample='000'] img");
        return browser;
    }

    public async Task Screenshot(string name) =>
        await Page.ScreenshotAsync(new() { Path = Path.Combine(s_screenshots, name + ".png") });

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }

    static string FindRepository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "FramePainter.Core.sln")))
            folder = folder.Parent ?? throw new DirectoryNotFoundException("The tests lie outside of the repository.");

        return folder.FullName;
    }
}
