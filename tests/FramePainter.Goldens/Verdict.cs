using System.Globalization;
using System.Text.Json;

namespace FramePainter.Goldens;

/// <summary>How a case came out.</summary>
/// <param name="Case">The case's name.</param>
/// <param name="Passed">Whether every output tensor is within its tolerance.</param>
/// <param name="Text">Measured differences, the tolerance, and what failed.</param>
internal sealed record Verdict(string Case, bool Passed, string Text)
{
    /// <summary>Frames of 8-bit pictures, which may differ by one on a share of their values.</summary>
    const string Frames = "frames";

    public override string ToString() => $"{Case}: {Text}: {(Passed ? "passed" : "FAILED")}";

    /// <summary>Holds computed outputs against the original's.</summary>
    public static Verdict Of(GoldenCase golden, IReadOnlyDictionary<string, GoldenTensor> computed)
    {
        var texts = new List<string>();
        var passed = golden.Outputs.Count > 0;
        foreach (var (name, want) in golden.Outputs.OrderBy(o => o.Key, StringComparer.Ordinal))
        {
            if (!computed.TryGetValue(name, out var got))
            {
                texts.Add($"{name} was not computed");
                passed = false;
            }
            else if (!got.Shape.AsSpan().SequenceEqual(want.Shape))
            {
                texts.Add($"{name} has the extents [{string.Join(", ", got.Shape)}], not [{string.Join(", ", want.Shape)}]");
                passed = false;
            }
            else
            {
                passed &= Compare(golden.Tolerance, name, got.Values, want.Values, texts);
            }
        }

        return new Verdict(golden.Name, passed, string.Join("; ", texts));
    }

    static bool Compare(JsonElement tolerance, string name, double[] got, double[] want, List<string> texts)
    {
        double difference = 0, norm = 0, worst = 0;
        var (byOne, byMore) = (0, 0);
        for (var i = 0; i < want.Length; i++)
        {
            // A NaN must fail every comparison below: Max carries it on.
            var apart = Math.Abs(got[i] - want[i]);
            difference += apart * apart;
            norm += want[i] * want[i];
            worst = Math.Max(worst, apart);
            byOne += apart == 1 ? 1 : 0;
            byMore += apart == 0 || apart == 1 ? 0 : 1;
        }

        var relative = difference == 0 ? 0 : Math.Sqrt(difference / norm);
        var text = string.Create(CultureInfo.InvariantCulture, $"{name} relative L2 {relative:E2}, max abs {worst:E2}");
        if (name == Frames && tolerance.TryGetProperty("frames_off_by_one", out var share))
        {
            var part = (double)byOne / want.Length;
            texts.Add(string.Create(CultureInfo.InvariantCulture, $"{text}, off by one {part:P3}, by more {byMore} (allowed {share.GetDouble():P1}, 0)"));
            return byMore == 0 && part <= share.GetDouble();
        }

        if (tolerance.TryGetProperty("exact", out var exact) && exact.GetBoolean())
        {
            texts.Add($"{text} (exact)");
            return got.AsSpan().SequenceEqual(want);
        }

        var passed = true;
        var limits = new List<string>();
        if (tolerance.TryGetProperty("relative_l2", out var limit))
        {
            passed &= relative <= limit.GetDouble();
            limits.Add(string.Create(CultureInfo.InvariantCulture, $"{limit.GetDouble():E0}"));
        }

        if (tolerance.TryGetProperty("max_abs", out var most))
        {
            passed &= worst <= most.GetDouble();
            limits.Add(string.Create(CultureInfo.InvariantCulture, $"max abs {most.GetDouble():E1}"));
        }

        texts.Add($"{text} (allowed {string.Join(", ", limits)})");
        return passed && limits.Count > 0;
    }
}
