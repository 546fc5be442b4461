using FramePainter.Pipeline;

namespace FramePainter.Goldens;

/// <summary>Noise levels of the Euler scheduler.</summary>
internal sealed class SchedulerKind : IGoldenKind
{
    public string Kind => "scheduler";

    public GoldenOutputs Run(GoldenCase golden)
    {
        var config = golden.Args.GetProperty("config");
        var settings = new SchedulerSettings(config.GetProperty("sigma_min").GetDouble(), config.GetProperty("sigma_max").GetDouble());
        var scheduler = new EulerScheduler(settings, golden.Args.GetProperty("steps").GetInt32());
        return new GoldenOutputs
        {
            ["sigmas"] = GoldenTensor.Of(scheduler.Sigmas.ToArray(), scheduler.Sigmas.Length),
            ["timesteps"] = GoldenTensor.Of(scheduler.Timesteps.ToArray(), scheduler.Timesteps.Length),
            ["init_noise_sigma"] = GoldenTensor.Of([scheduler.InitNoiseSigma]),
        };
    }
}
