namespace FramePainter.Docs.Tests.Reference;

/// <summary>The reference in <c>docs/api</c> is that of the code.</summary>
public sealed class ReferenceTests
{
    static readonly ReferenceBook s_book = new();

    public static TheoryData<string> Files => [.. s_book.Pages.Select(p => p.File)];

    [Theory]
    [MemberData(nameof(Files))]
    public void A_page_is_fresh(string file) => Repository.Check($"docs/api/{file}", s_book.Pages.Single(p => p.File == file).Text);

    [Fact]
    public void There_are_no_pages_of_what_is_gone() =>
        Assert.Equal(Files.Select(f => f.Data).Order(StringComparer.Ordinal), Directory.EnumerateFiles(Repository.PathOf("docs/api")).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal));

    [Fact]
    public void What_a_user_meets_first_is_in_it()
    {
        var page = s_book.Pages.Single(p => p.File == "FramePainter.md").Text;
        Assert.Contains("\n## Painter\n\n`sealed class Painter : IDisposable`\n", page, StringComparison.Ordinal);
        Assert.Contains("- `EditResult Edit(PixelImage image, Signal signal, EditOptions? options = null, CancellationToken cancel = default)`: ", page, StringComparison.Ordinal);
        Assert.Contains("  - [SignalException](FramePainter.md#signalexception): ", page, StringComparison.Ordinal);
        Assert.Contains("`int Steps { get; init; }`: ", page, StringComparison.Ordinal);
    }
}
