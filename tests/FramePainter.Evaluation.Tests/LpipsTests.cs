using System.Diagnostics;
using FramePainter.Evaluation.Tests.Oracle;
using FramePainter.Tensors;

namespace FramePainter.Evaluation.Tests;

/// <summary>LPIPS on random weights of the real names and shapes.</summary>
public sealed class LpipsTests(ITestOutputHelper output) : IDisposable
{
    static readonly Dictionary<LpipsNetwork, RandomWeights> s_weights = new()
    {
        [LpipsNetwork.Alex] = PlainLpips.Weights(LpipsNetwork.Alex),
        [LpipsNetwork.Vgg16] = PlainLpips.Weights(LpipsNetwork.Vgg16),
    };

    readonly string _folder = Directory.CreateTempSubdirectory("framepainter-lpips-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(LpipsNetwork.Alex, 64, 64)]
    [InlineData(LpipsNetwork.Alex, 31, 75)]
    [InlineData(LpipsNetwork.Vgg16, 32, 32)]
    [InlineData(LpipsNetwork.Vgg16, 16, 37)]
    public void The_distance_is_the_oracles(LpipsNetwork network, int width, int height)
    {
        var lpips = Open(network);
        var (a, b) = (Pictures.Of(width, height, 1), Pictures.Of(width, height, 2));
        var expected = PlainLpips.Distance(network, s_weights[network], a, b);
        Assert.True(expected > 0.01, $"The oracle sees {expected}: too little to compare.");
        Assert.Equal(expected, lpips.Distance(a, b), 1e-5 * expected);
        Assert.Equal(expected, lpips.Distance(b, a), 1e-5 * expected);
        Assert.Equal(0, lpips.Distance(a, a));
    }

    [Fact]
    public void Weights_may_lie_in_two_files()
    {
        var weights = s_weights[LpipsNetwork.Alex];
        weights.Write(In("features.safetensors"), n => !n.StartsWith("lin", StringComparison.Ordinal));
        weights.Write(In("lin.safetensors"), n => n.StartsWith("lin", StringComparison.Ordinal));
        var (a, b) = (Pictures.Of(40, 40, 1), Pictures.Of(40, 40, 2));
        Assert.Equal(Open(LpipsNetwork.Alex).Distance(a, b), Lpips.Load(LpipsNetwork.Alex, In("features.safetensors"), In("lin.safetensors")).Distance(a, b));
        Assert.Equal("lin0.model.1.weight", Assert.Throws<CheckpointException>(() => Lpips.Load(LpipsNetwork.Alex, In("features.safetensors"))).Tensor);
    }

    [Theory]
    [InlineData("features.0.weight")]
    [InlineData("features.10.bias")]
    [InlineData("lin4.model.1.weight")]
    public void A_missing_tensor_is_named(string name)
    {
        s_weights[LpipsNetwork.Alex].Write(In("a.safetensors"), n => n != name);
        var error = Assert.Throws<CheckpointException>(() => Lpips.Load(LpipsNetwork.Alex, In("a.safetensors")));
        Assert.Equal(name, error.Tensor);
        Assert.Contains(name, error.Message, StringComparison.Ordinal);
        Assert.Contains("a.safetensors", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_of_another_network_are_refused()
    {
        s_weights[LpipsNetwork.Vgg16].Write(In("vgg.safetensors"));
        var error = Assert.Throws<CheckpointException>(() => Lpips.Load(LpipsNetwork.Alex, In("vgg.safetensors")));
        Assert.Equal("features.0.weight", error.Tensor);
        Assert.Contains("[64, 3, 11, 11]", error.Message, StringComparison.Ordinal);

        s_weights[LpipsNetwork.Alex].Write(In("turned.safetensors"), null, n => n == "features.3.weight" ? new Shape(64, 192, 5, 5) : s_weights[LpipsNetwork.Alex].ShapeOf(n));
        Assert.Equal("features.3.weight", Assert.Throws<CheckpointException>(() => Lpips.Load(LpipsNetwork.Alex, In("turned.safetensors"))).Tensor);
    }

    [Fact]
    public void Weights_that_are_no_numbers_are_refused()
    {
        s_weights[LpipsNetwork.Alex].Write(In("rest.safetensors"), n => n != "lin2.model.1.weight");
        var broken = new RandomWeights();
        broken.Add("lin2.model.1.weight", float.NaN, float.NaN, 1, 384, 1, 1);
        broken.Write(In("lin2.safetensors"));
        var lpips = Lpips.Load(LpipsNetwork.Alex, In("rest.safetensors"), In("lin2.safetensors"));
        Assert.Throws<CheckpointException>(() => lpips.Distance(Pictures.Of(40, 40, 1), Pictures.Of(40, 40, 2)));
    }

    [Fact]
    public void A_tensor_that_is_there_twice_is_refused()
    {
        s_weights[LpipsNetwork.Alex].Write(In("a.safetensors"));
        s_weights[LpipsNetwork.Alex].Write(In("b.safetensors"), n => n == "features.0.bias");
        Assert.Equal("features.0.bias", Assert.Throws<CheckpointException>(() => Lpips.Load(LpipsNetwork.Alex, In("a.safetensors"), In("b.safetensors"))).Tensor);
    }

    [Fact]
    public void What_cannot_be_compared_is_refused()
    {
        var lpips = Open(LpipsNetwork.Alex);
        Assert.Throws<ImageException>(() => lpips.Distance(Pictures.Of(40, 41, 1), Pictures.Of(41, 40, 1)));
        Assert.Throws<ImageException>(() => lpips.Distance(Pictures.Of(30, 64, 1), Pictures.Of(30, 64, 2)));
        var huge = PixelImage.FromPixels(new byte[6000 * 6000], 6000, 6000, PixelFormat.Gray8);
        Assert.Throws<ImageException>(() => lpips.Distance(huge, huge));
        Assert.Throws<ArgumentException>(() => Lpips.Load(LpipsNetwork.Alex));
        Assert.Throws<OptionException>(() => Lpips.Load((LpipsNetwork)7, In("Alex.safetensors")));
        Assert.Throws<OperationCanceledException>(() => lpips.Distance(Pictures.Of(40, 40, 1), Pictures.Of(40, 40, 2), new CancellationToken(canceled: true)));
    }

    [Theory]
    [InlineData(LpipsNetwork.Alex, 2)]
    [InlineData(LpipsNetwork.Vgg16, 30)]
    public void Two_pictures_of_256_take_less_than(LpipsNetwork network, int seconds)
    {
        var lpips = Open(network);
        var (a, b) = (Pictures.Of(256, 256, 1), Pictures.Of(256, 256, 2));
        lpips.Distance(Pictures.Of(64, 64, 1), Pictures.Of(64, 64, 2));
        var clock = Stopwatch.StartNew();
        Assert.True(lpips.Distance(a, b) > 0);
        output.WriteLine($"{network}: {clock.Elapsed.TotalSeconds:F2} s");
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(seconds), $"{clock.Elapsed}");
    }

    Lpips Open(LpipsNetwork network)
    {
        var path = In($"{network}.safetensors");
        s_weights[network].Write(path);
        return Lpips.Load(network, path);
    }

    string In(string name) => Path.Combine(_folder, name);
}
