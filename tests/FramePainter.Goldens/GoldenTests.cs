namespace FramePainter.Goldens;

public sealed class GoldenTests
{
    static readonly Lazy<IReadOnlyDictionary<string, GoldenCase>> s_cases = new(() =>
        GoldenCase.Discover(GoldenRunner.DefaultFolder()).ToDictionary(c => c.Name, StringComparer.Ordinal));

    public static TheoryData<string> Cases => [.. s_cases.Value.Values.Where(c => !GoldenKinds.NotYetBound.Contains(c.Kind)).Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Meets_the_reference(string name)
    {
        var verdict = GoldenKinds.Run(s_cases.Value[name]);
        Assert.True(verdict.Passed, $"{name}: {verdict.Text}");
    }
}
