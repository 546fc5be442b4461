using FramePainter.Backends.Cpu;
using FramePainter.Backends.Cpu.Simd;

namespace FramePainter.Goldens.Tests;

public sealed class GoldenTests
{
    public static TheoryData<string> Cases => [.. GoldenCase.Names(GoldenCase.DefaultRoot())];

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_case_is_within_its_tolerance(string name)
    {
        using var backend = new CpuBackend(2);
        var verdict = new GoldenRunner(backend).Run(GoldenCase.DefaultRoot(), name);
        Assert.True(verdict.Passed, verdict.ToString());
    }

    /// <summary>Instruction paths of this machine, that of AVX-512 with tiles of one panel and of two, each with Winograd's convolution and without.</summary>
    public static TheoryData<string, string, bool> Paths =>
        [.. from path in Enum.GetValues<InstructionPath>().Where(InstructionPaths.IsSupported)
            from tiles in path == InstructionPath.Avx512 ? Enum.GetValues<TileForm>() : [TileForm.OnePanel]
            from winograd in new[] { false, true }
            select new TheoryDataRow<string, string, bool>(path.ToString(), tiles.ToString(), winograd)];

    [Theory]
    [MemberData(nameof(Paths))]
    public void Every_network_is_within_its_tolerance_on_every_path_and_the_same_bits_on_one_thread_and_on_two(string path, string tiles, bool winograd)
    {
        var use = winograd ? WinogradUse.Always : WinogradUse.Never;
        var numbers = new CpuNumbers { Tiles = Enum.Parse<TileForm>(tiles) };
        using var one = new CpuBackend(1, Enum.Parse<InstructionPath>(path), numbers, use);
        using var two = new CpuBackend(2, Enum.Parse<InstructionPath>(path), numbers, use);
        var root = GoldenCase.DefaultRoot();
        foreach (var golden in GoldenCase.Names(root).Select(name => GoldenCase.Open(root, name)).Where(g => GoldenRunner.UsesBackend(g.Kind)))
        {
            var (alone, shared) = (new GoldenRunner(one).Compute(golden), new GoldenRunner(two).Compute(golden));
            var verdict = Verdict.Of(golden, alone);
            Assert.True(verdict.Passed, verdict.ToString());
            foreach (var (name, tensor) in alone)
            {
                Assert.True(tensor.Values.SequenceEqual(shared[name].Values), $"{golden.Name}: {name} differs between one thread and two.");
            }
        }
    }

    [Fact]
    public void A_wrong_value_a_missing_tensor_and_wrong_extents_fail_every_case()
    {
        var root = GoldenCase.DefaultRoot();
        foreach (var name in GoldenCase.Names(root))
        {
            var golden = GoldenCase.Open(root, name);
            Assert.True(Verdict.Of(golden, golden.Outputs).Passed);
            foreach (var (output, tensor) in golden.Outputs)
            {
                Dictionary<string, GoldenTensor> With(GoldenTensor other) => new(golden.Outputs) { [output] = other };
                Assert.False(Verdict.Of(golden, With(tensor with { Values = [.. tensor.Values.Select(v => v + 2 + (Math.Abs(v) / 10))] })).Passed);
                Assert.False(Verdict.Of(golden, With(tensor with { Values = [double.NaN, .. tensor.Values[1..]] })).Passed);
                Assert.False(Verdict.Of(golden, With(tensor with { Shape = [.. tensor.Shape, 1] })).Passed);
                Assert.False(Verdict.Of(golden, golden.Outputs.Where(o => o.Key != output).ToDictionary()).Passed);
            }
        }
    }

    [Fact]
    public void An_unknown_kind_fails_by_name()
    {
        using var folder = new TemporaryFolder();
        var first = Directory.EnumerateDirectories(GoldenCase.DefaultRoot()).First(f => File.Exists(Path.Combine(f, "case.json")));
        var copy = Directory.CreateDirectory(Path.Combine(folder.Path, "strange")).FullName;
        File.Copy(Path.Combine(first, "outputs.safetensors"), Path.Combine(copy, "outputs.safetensors"));
        File.WriteAllText(Path.Combine(copy, "case.json"), """{ "format": 1, "kind": "astrology", "args": {}, "tolerance": { "relative_l2": 1 } }""");
        using var backend = new CpuBackend(1);
        var verdict = new GoldenRunner(backend).Run(folder.Path, "strange");
        Assert.False(verdict.Passed);
        Assert.Contains("astrology", verdict.Text, StringComparison.Ordinal);
    }

    sealed class TemporaryFolder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("framepainter-goldens-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
