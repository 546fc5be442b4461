using FramePainter.Fuzz.Engine;
using FramePainter.Fuzz.Targets;

namespace FramePainter.Fuzz.Tests;

/// <summary>Every kept input and every regression, through its target, without instrumentation.</summary>
public sealed class ReplayTests
{
    static string Corpus => Path.Combine(AppContext.BaseDirectory, "corpus");

    public static TheoryData<string> Targets => [.. FuzzTargets.All.Keys];

    [Theory]
    [MemberData(nameof(Targets))]
    public void Kept_inputs_break_nothing(string name)
    {
        var target = FuzzTargets.All[name]();
        using var owned = target as IDisposable;
        var files = Directory.GetFiles(Path.Combine(Corpus, name));
        Assert.NotEmpty(files);
        var broken = files.Select(file => (File: Path.GetFileName(file), What: Trial.Run(target, File.ReadAllBytes(file)))).Where(t => t.What is not null);
        Assert.Empty(broken.Select(t => $"{t.File}: {t.What}"));
    }

    /// <summary>The harness itself: a target that breaks is seen to break, one that refuses by a typed error is not.</summary>
    [Fact]
    public void An_exception_that_is_not_ours_is_a_find()
    {
        Assert.Contains("FormatException", Trial.Run(new Throwing(new FormatException("boom")), []), StringComparison.Ordinal);
        Assert.Null(Trial.Run(new Throwing(new ImageException("refused")), []));
    }

    /// <summary>A JPEG of 400 bytes that promises 2^28 pixels is told before they are allocated.</summary>
    [Fact]
    public void A_picture_that_promises_more_than_its_bytes_can_hold_is_refused_before_it_is_decoded()
    {
        foreach (var file in Directory.GetFiles(Path.Combine(Corpus, "picture"), "jpeg-that-promises-too-much-*"))
        {
            var error = Assert.Throws<ImageException>(() => Imaging.ImageFile.Load(File.ReadAllBytes(file)));
            Assert.Contains("cannot be decoded", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Mutations_are_the_same_for_the_same_seed_and_stay_short()
    {
        var target = new SafetensorsHeaderTarget();
        byte[][] corpus = [.. target.Seeds];
        var (left, right) = (new Mutator(target, new Random(5)), new Mutator(target, new Random(5)));
        for (var i = 0; i < 200; i++)
        {
            var mutated = left.Mutate(corpus);
            Assert.Equal(mutated, right.Mutate(corpus));
            Assert.True(mutated.Length <= 1 << 13);
        }
    }

    sealed class Throwing(Exception error) : IFuzzTarget
    {
        public string Name => "throwing";

        public IEnumerable<byte[]> Seeds => [];

        public IReadOnlyList<string> Scope => [];

        public IReadOnlyList<string> Words => [];

        public void Run(ReadOnlySpan<byte> input) => throw error;
    }
}
