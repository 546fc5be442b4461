using System.Diagnostics;

namespace FramePainter.Pipeline;

/// <summary>
/// Euler steps of the diffusion ODE over Karras noise levels, v-prediction, continuous timesteps.
/// Levels are computed in double and rounded to float once; what follows from them is computed from the rounded ones, as the original does.
/// </summary>
sealed class EulerScheduler
{
    /// <summary>Columns of <see cref="StepTable"/>.</summary>
    public const int TableColumns = 4;

    readonly float[] _sigmas;
    readonly float[] _timesteps;

    /// <summary>Lays out the noise levels.</summary>
    /// <param name="settings">The range of the levels.</param>
    /// <param name="steps">Number of steps, at least 1; a single step goes from the highest level to 0.</param>
    /// <exception cref="OptionException">There is less than one step.</exception>
    public EulerScheduler(SchedulerSettings settings, int steps)
    {
        if (steps < 1)
        {
            throw new OptionException("Steps", $"An edit of {steps} steps is no edit; ask for at least 1.");
        }

        Debug.Assert(settings.SigmaMin > 0 && settings.SigmaMax > settings.SigmaMin, "The config reader lets no other range pass.");
        var low = Math.Pow(settings.SigmaMin, 1 / settings.Rho);
        var high = Math.Pow(settings.SigmaMax, 1 / settings.Rho);
        _sigmas = new float[steps + 1];
        _timesteps = new float[steps];
        for (var i = 0; i < steps; i++)
        {
            var ramp = steps == 1 ? 0 : (double)i / (steps - 1);
            _sigmas[i] = (float)Math.Pow(high + (ramp * (low - high)), settings.Rho);
            _timesteps[i] = 0.25f * MathF.Log(_sigmas[i]);
        }
    }

    /// <summary>Number of steps.</summary>
    public int Steps => _timesteps.Length;

    /// <summary>Noise levels from the highest down, and a closing 0: one more than there are steps.</summary>
    public ReadOnlySpan<float> Sigmas => _sigmas;

    /// <summary>What the networks are told of each step's noise level: ln(σ)/4.</summary>
    public ReadOnlySpan<float> Timesteps => _timesteps;

    /// <summary>The scale of the initial latents, sqrt(σ₀² + 1).</summary>
    public float InitNoiseSigma => MathF.Sqrt((_sigmas[0] * _sigmas[0]) + 1);

    /// <summary>
    /// All that the device needs to know of each step, [<see cref="Steps"/>, <see cref="TableColumns"/>]:
    /// σᵢ, σᵢ₊₁, the guidance weight wᵢ, and the input scale 1/sqrt(σᵢ² + 1).
    /// </summary>
    /// <param name="guidance">The guidance scale g, finite.</param>
    /// <param name="decay">How the weight falls from g over the steps.</param>
    public float[] StepTable(double guidance, GuidanceDecay decay)
    {
        Debug.Assert(double.IsFinite(guidance), "The public face lets no other guidance pass.");
        var table = new float[Steps * TableColumns];
        for (var i = 0; i < Steps; i++)
        {
            var sigma = (double)_sigmas[i];
            var row = table.AsSpan(i * TableColumns, TableColumns);
            row[0] = _sigmas[i];
            row[1] = _sigmas[i + 1];
            row[2] = (float)GuidanceWeight(guidance, decay, i, Steps);
            row[3] = (float)(1 / Math.Sqrt((sigma * sigma) + 1));
        }

        return table;
    }

    /// <summary>
    /// How many steps compute both halves: none without guidance, and none from the first step on whose weight is below
    /// <see cref="EditOptions.SkipUnconditionalBelow"/>. Weights never rise.
    /// </summary>
    /// <param name="options">How the edit is made.</param>
    public int StepsWithBothHalves(EditOptions options)
    {
        var steps = 0;
        while (options.Guidance >= 1 && steps < Steps && GuidanceWeight(options.Guidance, options.Decay, steps, Steps) >= options.SkipUnconditionalBelow)
        {
            steps++;
        }

        return steps;
    }

    static double GuidanceWeight(double guidance, GuidanceDecay decay, int step, int steps)
    {
        if (decay == GuidanceDecay.None)
        {
            return guidance;
        }

        var left = 1 - ((double)step / steps);
        return ((guidance - 1) * left * left) + 1;
    }
}
