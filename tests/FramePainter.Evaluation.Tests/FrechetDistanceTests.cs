using FsCheck.Xunit;

namespace FramePainter.Evaluation.Tests;

/// <summary>The distance in cases that can be worked out by hand, by its laws, and at CLIP's width.</summary>
public sealed class FrechetDistanceTests
{
    [Fact]
    public void On_a_line_the_distance_is_that_of_means_and_deviations()
    {
        // Variances 2 and 18, means 1 and 3: (1 − 3)² + (√2 − √18)².
        Assert.Equal(4 + Math.Pow(Math.Sqrt(2) - Math.Sqrt(18), 2), FrechetDistance.Compute([0, 2], [0, 6], 1), 1e-12);
    }

    [Fact]
    public void Equal_and_shifted_sets_are_told_apart_even_when_singular()
    {
        // Three vectors of four features: their covariance has rank two.
        double[] set = [1, 2, 3, 4, 4, 3, 9, 1, 0, 5, 2, 2];
        Assert.Equal(0, FrechetDistance.Compute(set, set, 4), 1e-6);
        Assert.Equal(4 * 9, FrechetDistance.Compute(set, [.. set.Select(x => x + 3)], 4), 1e-6);
    }

    [Fact]
    public void Sets_that_are_no_vectors_are_refused()
    {
        Assert.Throws<ArgumentException>(() => FrechetDistance.Compute([1, 2, 3], [1, 2, 3, 4], 2));
        Assert.Throws<ArgumentException>(() => FrechetDistance.Compute([1, 2], [1, 2, 3, 4], 2));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.NegativeInfinity)]
    public void A_feature_that_is_no_finite_number_is_refused(double value) =>
        Assert.Throws<ArgumentException>(() => FrechetDistance.Compute([1, 2], [1, value], 1));

    [Property(MaxTest = 50)]
    public void Axes_that_do_not_depend_on_each_other_add_up(int seed)
    {
        // Orthogonal columns of a Hadamard matrix: the covariance is diagonal, and every axis stands for itself.
        var random = new Random(seed);
        var (a, b) = (Diagonal(random), Diagonal(random));
        double expected = 0;
        for (var axis = 0; axis < 3; axis++)
        {
            expected += FrechetDistance.Compute(Axis(a, axis), Axis(b, axis), 1);
        }

        Assert.Equal(expected, FrechetDistance.Compute(a, b, 3), 1e-9 * (1 + expected));
        Assert.Equal(expected, FrechetDistance.Compute(b, a, 3), 1e-9 * (1 + expected));
    }

    [Theory]
    [InlineData(24, 24)]
    [InlineData(600, 700)]
    public void At_CLIPs_width_a_scaled_and_moved_set_has_a_closed_form_and_takes_seconds(int countA, int countB)
    {
        const int Width = 512;
        var random = new Random(5);
        double[] a = [.. Enumerable.Range(0, countA * Width).Select(_ => random.NextDouble() - 0.5)];
        var clock = System.Diagnostics.Stopwatch.StartNew();

        // x → 3x + 2 has covariance 9Σ: |2 + 2μ|² + (3 − 1)²·trΣ.
        double[] b = [.. a.Select(x => (3 * x) + 2)];
        double expected = 0;
        for (var axis = 0; axis < Width; axis++)
        {
            var values = Enumerable.Range(0, countA).Select(v => a[(v * Width) + axis]).ToArray();
            var mean = values.Average();
            expected += Math.Pow(2 + (2 * mean), 2) + (4 * values.Sum(x => (x - mean) * (x - mean)) / (countA - 1));
        }

        Assert.Equal(expected, FrechetDistance.Compute(a, b, Width), 1e-9 * expected);

        double[] other = [.. Enumerable.Range(0, countB * Width).Select(_ => random.NextDouble() - 0.5)];
        Assert.True(FrechetDistance.Compute(a, other, Width) > 0);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), $"{clock.Elapsed}");
    }

    static double[] Diagonal(Random random)
    {
        double[][] columns = [[1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]];
        var (scales, means) = (columns.Select(_ => random.NextDouble() * 9).ToArray(), columns.Select(_ => random.NextDouble() * 9).ToArray());
        return [.. Enumerable.Range(0, 12).Select(i => means[i % 3] + (scales[i % 3] * columns[i % 3][i / 3]))];
    }

    static double[] Axis(double[] vectors, int axis) => [.. vectors.Where((_, i) => i % 3 == axis)];
}
