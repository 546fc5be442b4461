using FramePainter.Core.Tests.Support;
using FramePainter.Pipeline;
using FsCheck.Xunit;

namespace FramePainter.Core.Tests.Pipeline;

public sealed class EulerSchedulerTests
{
    static readonly SchedulerSettings s_svd = new(0.002, 700);

    [Fact]
    public void Levels_are_those_of_the_goldens()
    {
        foreach (var golden in GoldenCase.OfKind("scheduler"))
        {
            var config = golden.Args.GetProperty("config");
            var settings = new SchedulerSettings(config.GetProperty("sigma_min").GetDouble(), config.GetProperty("sigma_max").GetDouble());
            var scheduler = new EulerScheduler(settings, golden.Args.GetProperty("steps").GetInt32());
            golden.AssertClose(golden.OutputFloats("sigmas").Values, scheduler.Sigmas, "sigmas");
            golden.AssertClose(golden.OutputFloats("timesteps").Values, scheduler.Timesteps, "timesteps");
            golden.AssertClose(golden.OutputFloats("init_noise_sigma").Values, [scheduler.InitNoiseSigma], "init_noise_sigma");
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-3)]
    public void Less_than_one_step_is_refused(int steps) =>
        Assert.Equal("Steps", Assert.Throws<OptionException>(() => new EulerScheduler(s_svd, steps)).Option);

    [Property]
    public bool Levels_fall_from_the_highest_to_zero(byte count, byte low, byte range)
    {
        var settings = new SchedulerSettings(0.001 + (low / 100.0), 3 + low + range);
        var sigmas = new EulerScheduler(settings, 1 + count).Sigmas.ToArray();
        return sigmas.Length == count + 2
            && Math.Abs(sigmas[0] / settings.SigmaMax - 1) < 1e-6
            && (count == 0 || Math.Abs(sigmas[^2] / settings.SigmaMin - 1) < 1e-5)
            && sigmas[^1] == 0
            && sigmas.Zip(sigmas.Skip(1)).All(pair => pair.First > pair.Second);
    }

    [Fact]
    public void Guidance_falls_with_the_square_of_what_is_left()
    {
        const int Steps = 4;
        var table = new EulerScheduler(s_svd, Steps).StepTable(3, GuidanceDecay.InverseSquare);
        Assert.Equal([3f, 2.125f, 1.5f, 1.125f], Enumerable.Range(0, Steps).Select(i => table[(i * EulerScheduler.TableColumns) + 2]));
    }

    [Property]
    public bool Guidance_without_decay_is_the_same_at_every_step(byte count, byte guidance)
    {
        var table = new EulerScheduler(s_svd, 1 + count).StepTable(guidance / 8.0, GuidanceDecay.None);
        return table.Where((_, i) => i % EulerScheduler.TableColumns == 2).All(w => w == guidance / 8f);
    }

    [Property]
    public bool The_table_holds_each_step_s_levels_and_input_scale(byte count)
    {
        var scheduler = new EulerScheduler(s_svd, 1 + count);
        return scheduler.StepTable(1, GuidanceDecay.InverseSquare).Chunk(EulerScheduler.TableColumns).Index().All(row =>
            row.Item[0] == scheduler.Sigmas[row.Index]
            && row.Item[1] == scheduler.Sigmas[row.Index + 1]
            && row.Item[2] == 1
            && Math.Abs((row.Item[3] * Math.Sqrt(((double)row.Item[0] * row.Item[0]) + 1)) - 1) < 1e-6);
    }

    /// <summary>A network that knows the answer leads any number of steps to it, from noise of the initial scale.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(25)]
    public void A_perfect_prediction_ends_at_the_answer(int steps)
    {
        double[] answer = [0.5, -1.25, 3];
        var scheduler = new EulerScheduler(s_svd, steps);
        double[] latents = [.. answer.Select((a, i) => a + (scheduler.InitNoiseSigma * (i - 1.1)))];
        double[] nothing = [7, -8, 9];
        foreach (var row in scheduler.StepTable(1, GuidanceDecay.InverseSquare).Chunk(EulerScheduler.TableColumns))
        {
            double sigma = row[0], scale = (sigma * sigma) + 1;
            double[] v = [.. latents.Select((x, i) => (answer[i] - (x / scale)) * -Math.Sqrt(scale) / sigma)];
            latents = GuidedEulerOracle.Step(latents, nothing, v, row[2], sigma, row[1]);
        }

        for (var i = 0; i < answer.Length; i++)
        {
            Assert.Equal(answer[i], latents[i], 1e-6);
        }
    }

    [Fact]
    public void Guidance_goes_beyond_the_condition_by_its_weight()
    {
        double[] x = [1, 2], u = [0.25, -0.5], c = [0.75, 0.5];
        double[] extrapolated = [u[0] + (3 * (c[0] - u[0])), u[1] + (3 * (c[1] - u[1]))];
        Assert.Equal(GuidedEulerOracle.Step(x, extrapolated, extrapolated, 1, 2, 1), GuidedEulerOracle.Step(x, u, c, 3, 2, 1));
        Assert.Equal(x, GuidedEulerOracle.Step(x, u, c, 3, 2, 2));
    }
}
