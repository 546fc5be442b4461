using System.Text.Json;

namespace FramePainter.Weights;

/// <summary>
/// The noise schedule, from <c>scheduler/scheduler_config.json</c>: Karras sigmas between two bounds. Every other setting must
/// be the one that the original uses, since it would change the schedule.
/// </summary>
sealed record SchedulerConfig
{
    /// <summary>The lowest sigma before the closing zero.</summary>
    public required double SigmaMin { get; init; }

    /// <summary>The highest sigma.</summary>
    public required double SigmaMax { get; init; }

    /// <summary>Reads the config.</summary>
    /// <param name="file">The path of scheduler_config.json.</param>
    /// <exception cref="CheckpointException">It is unreadable, of another scheduler, or a value is not supported.</exception>
    public static SchedulerConfig Load(string file) => Read(ConfigReader.Open(file));

    /// <summary>Reads the config from JSON already parsed.</summary>
    /// <param name="json">The config's object.</param>
    /// <param name="file">Its name, for errors.</param>
    /// <exception cref="CheckpointException">It is of another scheduler, or a value is not supported.</exception>
    public static SchedulerConfig Parse(JsonElement json, string file) => Read(new ConfigReader(json, file));

    // A missing key means the library's default, which for most of these is another schedule and refused by name.
    static SchedulerConfig Read(ConfigReader json)
    {
        json.ExpectModel("_class_name", "EulerDiscreteScheduler");
        json.Choice("prediction_type", "epsilon", "v_prediction");
        json.Choice("timestep_type", "discrete", "continuous");
        json.Choice("timestep_spacing", "linspace", "leading");
        json.Choice("beta_schedule", "linear", "scaled_linear");
        json.Choice("interpolation_type", "linear", "linear");
        json.Choice("final_sigmas_type", "zero", "zero");
        json.ExpectNull("trained_betas");
        json.ExpectNumber("num_train_timesteps", 1000, 1000);
        json.ExpectNumber("beta_start", 0.00085, 0.0001);
        json.ExpectNumber("beta_end", 0.012, 0.02);
        json.ExpectNumber("steps_offset", 1, 0);
        json.ExpectBoolean("use_karras_sigmas", supported: true, fallback: false);
        json.ExpectBoolean("use_exponential_sigmas", supported: false, fallback: false);
        json.ExpectBoolean("use_beta_sigmas", supported: false, fallback: false);
        json.ExpectBoolean("rescale_betas_zero_snr", supported: false, fallback: false);

        var minimum = json.Number("sigma_min", null, 0);
        var maximum = json.Number("sigma_max", null, 0);
        return minimum < maximum
            ? new() { SigmaMin = minimum, SigmaMax = maximum }
            : throw json.Refuse("sigma_max", FormattableString.Invariant($"a number above sigma_min ({minimum})"));
    }
}
