namespace FramePainter.Pipeline;

/// <summary>
/// Box–Muller in half precision. A half uniform has 2048 levels, so that every radius, cosine and sine there is fits a table.
/// Each step is rounded to half: 1−u, its logarithm, −2 times it, the root; the angle, its cosine, its sine.
/// The values are kept widened, which is exact.
/// </summary>
static class HalfBoxMuller
{
    /// <summary>Uniforms are k / 2048, k from 0.</summary>
    public const int Levels = 2048;

    /// <summary>The radius for the first uniform of a pair.</summary>
    public static readonly float[] Radius = Table(u => Rounded(MathF.Sqrt(Rounded(-2f * Rounded(MathF.Log(1f - u))))));

    /// <summary>The cosine for the second uniform of a pair.</summary>
    public static readonly float[] Cosine = Table(u => Rounded(MathF.Cos(Angle(u))));

    /// <summary>The sine for the second uniform of a pair.</summary>
    public static readonly float[] Sine = Table(u => Rounded(MathF.Sin(Angle(u))));

    static float Angle(float u) => Rounded((float)(double.Tau * u));

    static float Rounded(float value) => (float)(Half)value;

    static float[] Table(Func<float, float> entry)
    {
        var table = new float[Levels];
        for (var k = 0; k < Levels; k++)
        {
            table[k] = entry(k / (float)Levels);
        }

        return table;
    }
}
