using System.Diagnostics;
using FramePainter.Evaluation.Tests.Oracle;
using FramePainter.Pipeline;

namespace FramePainter.Evaluation.Tests;

/// <summary>CLIP's vision tower on random weights of the real names and shapes.</summary>
public sealed class ClipTests(ClipTests.OpenTower tower, ITestOutputHelper output) : IClassFixture<ClipTests.OpenTower>
{
    [Fact]
    public void Features_are_the_oracles()
    {
        var picture = Pictures.Of(224, 224, 3);
        var expected = PlainClip.Features(tower.Weights, picture);
        var features = tower.Tower.Features(picture, TestContext.Current.CancellationToken);
        Assert.Equal(ClipVisionTower.FeatureCount, features.Length);
        var error = Math.Sqrt(expected.Zip(features, (e, f) => (e - f) * (e - f)).Sum() / expected.Sum(e => e * e));
        Assert.True(error < 1e-5, $"relative error {error}");
    }

    [Fact]
    public void Another_picture_has_other_features_and_the_same_one_the_same()
    {
        var (a, b) = (tower.Tower.Features(Pictures.Of(64, 64, 1)), tower.Tower.Features(Pictures.Of(64, 64, 2)));
        Assert.NotEqual(a, b);
        Assert.Equal(a, tower.Tower.Features(Pictures.Of(64, 64, 1)));
    }

    [Fact]
    public void The_distance_of_sets_is_that_of_their_features()
    {
        PixelImage[] a = [Pictures.Of(64, 64, 1), Pictures.Of(64, 80, 2)], b = [Pictures.Of(70, 64, 3), Pictures.Of(64, 64, 4), Pictures.Of(64, 64, 5)];
        double[] left = [.. a.SelectMany(p => tower.Tower.Features(p)).Select(f => (double)f)], right = [.. b.SelectMany(p => tower.Tower.Features(p)).Select(f => (double)f)];
        var distance = ClipFid.Compute(tower.Tower, a, b);
        Assert.True(distance > 0);
        Assert.Equal(FrechetDistance.Compute(left, right, 512), distance);
        Assert.Equal(0, ClipFid.Compute(tower.Tower, a, a), 1e-6 * distance);
        Assert.Throws<ArgumentException>(() => ClipFid.Compute(tower.Tower, a[..1], b));
    }

    [Fact]
    public void The_evaluator_compares_all_results_with_all_targets()
    {
        PixelImage[] results = [Pictures.Of(64, 64, 1), Pictures.Of(64, 64, 2)], targets = [Pictures.Of(64, 64, 3), Pictures.Of(64, 64, 4)];
        var pairs = results.Zip(targets, (r, t) => new JudgedPair("pair", r, t)).ToList();
        var evaluator = new Evaluator { Clip = tower.Tower };
        var clock = Stopwatch.StartNew();
        var distance = evaluator.Measure("method", pairs).ClipFid;
        output.WriteLine($"four pictures: {clock.Elapsed.TotalSeconds:F2} s");
        Assert.Equal(ClipFid.Compute(tower.Tower, results, targets), distance);
        Assert.Throws<ArgumentException>(() => evaluator.Measure("method", pairs[..1]));
    }

    [Theory]
    [InlineData(300, 500, 224, 373, 0, 74)]
    [InlineData(301, 225, 299, 224, 38, 0)]
    [InlineData(64, 64, 224, 224, 0, 0)]
    [InlineData(224, 224, 224, 224, 0, 0)]
    public void Preparation_resizes_the_shorter_side_and_cuts_the_middle(int width, int height, int toWidth, int toHeight, int left, int top)
    {
        var picture = Pictures.Of(width, height, 9);
        var resized = PillowResize.Resize(picture, toWidth, toHeight, ResizeFilter.Bicubic);
        var square = ClipVisionTower.Prepare(picture);
        Assert.Equal((224, 224), (square.Width, square.Height));
        for (var y = 0; y < 224; y++)
        {
            Assert.True(square.Pixels.Slice(y * 224 * 3, 224 * 3).SequenceEqual(resized.Pixels.Slice((((y + top) * toWidth) + left) * 3, 224 * 3)), $"row {y}");
        }
    }

    [Fact]
    public void Weights_that_are_no_numbers_are_refused()
    {
        var (rest, projection) = (Path.Combine(tower.Folder, "rest.safetensors"), Path.Combine(tower.Folder, "projection.safetensors"));
        tower.Weights.Write(rest, n => n != "visual_projection.weight");
        var broken = new RandomWeights();
        broken.Add("visual_projection.weight", float.NaN, float.NaN, 512, 768);
        broken.Write(projection);
        Assert.Throws<CheckpointException>(() => ClipVisionTower.Load(rest, projection).Features(Pictures.Of(64, 64, 1)));
        File.Delete(rest);
    }

    [Theory]
    [InlineData("visual_projection.weight")]
    [InlineData("vision_model.encoder.layers.11.mlp.fc2.bias")]
    [InlineData("vision_model.pre_layrnorm.weight")]
    public void A_missing_tensor_is_named(string name)
    {
        var path = Path.Combine(tower.Folder, $"without-{Guid.NewGuid():N}.safetensors");
        try
        {
            tower.Weights.Write(path, n => n != name);
            Assert.Equal(name, Assert.Throws<CheckpointException>(() => ClipVisionTower.Load(path)).Tensor);
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>The tower, opened once: 175 MB of random halves.</summary>
    public sealed class OpenTower : IDisposable
    {
        internal RandomWeights Weights { get; } = PlainClip.Weights();

        public string Folder { get; } = Directory.CreateTempSubdirectory("framepainter-clip-").FullName;

        public ClipVisionTower Tower { get; }

        public OpenTower()
        {
            var path = Path.Combine(Folder, "clip.safetensors");
            Weights.Write(path);
            Tower = ClipVisionTower.Load(path);
        }

        public void Dispose() => Directory.Delete(Folder, recursive: true);
    }
}
