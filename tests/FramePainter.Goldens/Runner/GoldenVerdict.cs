using System.Globalization;
using System.Text.Json;

namespace FramePainter.Goldens;

/// <summary>How a case went.</summary>
/// <param name="Passed">Whether every output is within the case's tolerance.</param>
/// <param name="Text">Measured distances of the worst output and what was allowed, or what went wrong.</param>
internal sealed record GoldenVerdict(bool Passed, string Text)
{
    /// <summary>Compares outputs by a case's tolerance.</summary>
    /// <param name="tolerance">The case's <c>tolerance</c>.</param>
    /// <param name="want">What must come out.</param>
    /// <param name="got">What came out; more than wanted is no fault.</param>
    public static GoldenVerdict Compare(JsonElement tolerance, IReadOnlyDictionary<string, GoldenTensor> want, IReadOnlyDictionary<string, GoldenTensor> got)
    {
        var allowed = Allowed.Of(tolerance);
        if (want.Count == 0)
        {
            return new GoldenVerdict(false, "the case has no outputs");
        }

        var (worstL2, worstAbs) = (0.0, 0.0);
        var faults = new List<string>();
        foreach (var (name, expected) in want.OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            if (!got.TryGetValue(name, out var actual))
            {
                faults.Add($"{name} is missing");
                continue;
            }

            if (actual.Shape != expected.Shape)
            {
                faults.Add($"{name} has shape {actual.Shape}, not {expected.Shape}");
                continue;
            }

            var distance = Distance.Between(expected, actual);
            (worstL2, worstAbs) = (Larger(worstL2, distance.RelativeL2), Larger(worstAbs, distance.MaxAbs));
            if (allowed.Fault(name, distance) is { } fault)
            {
                faults.Add($"{name} {fault}");
            }
        }

        var measured = string.Create(CultureInfo.InvariantCulture, $"relative L2 {worstL2:E2}, max abs {worstAbs:E2}, allowed {allowed}");
        return new GoldenVerdict(faults.Count == 0, faults.Count == 0 ? measured : $"{measured}: {string.Join("; ", faults)}");
    }

    static double Larger(double a, double b) => double.IsNaN(a) || double.IsNaN(b) ? double.NaN : Math.Max(a, b);

    /// <summary>How far two tensors are apart.</summary>
    sealed record Distance(double RelativeL2, double MaxAbs, double ShareDifferent, bool SameBits)
    {
        public static Distance Between(GoldenTensor want, GoldenTensor got)
        {
            var (expected, actual) = (want.Doubles(), got.Doubles());
            double squares = 0, norm = 0, largest = 0;
            var different = 0;
            for (var i = 0; i < expected.Length; i++)
            {
                // Equal infinities are no distance; everything else that is not finite is.
                var d = expected[i].Equals(actual[i]) ? 0 : Math.Abs(actual[i] - expected[i]);
                squares += d * d;
                norm += double.IsFinite(expected[i]) ? expected[i] * expected[i] : 0;
                largest = Larger(largest, d);
                different += d == 0 ? 0 : 1;
            }

            var relative = squares == 0 ? 0 : Math.Sqrt(squares / norm);
            return new Distance(relative, largest, expected.Length == 0 ? 0 : (double)different / expected.Length, want.Type == got.Type && want.Data.AsSpan().SequenceEqual(got.Data));
        }
    }

    /// <summary>What a case allows.</summary>
    sealed record Allowed(double? RelativeL2, double? MaxAbs, bool Exact, double? FramesOffByOne)
    {
        public static Allowed Of(JsonElement tolerance)
        {
            var allowed = new Allowed(null, null, false, null);
            foreach (var field in tolerance.EnumerateObject())
            {
                allowed = field.Name switch
                {
                    "relative_l2" => allowed with { RelativeL2 = field.Value.GetDouble() },
                    "max_abs" => allowed with { MaxAbs = field.Value.GetDouble() },
                    "exact" => allowed with { Exact = field.Value.GetBoolean() },
                    "frames_off_by_one" => allowed with { FramesOffByOne = field.Value.GetDouble() },
                    _ => throw new NotSupportedException($"The tolerance '{field.Name}' is unknown."),
                };
            }

            return allowed is { RelativeL2: null, MaxAbs: null, Exact: false, FramesOffByOne: null }
                ? throw new NotSupportedException("The case has no tolerance.")
                : allowed;
        }

        public string? Fault(string name, Distance d)
        {
            if (Exact && !d.SameBits)
            {
                return string.Create(CultureInfo.InvariantCulture, $"differs on {d.ShareDifferent:P3} of its values");
            }

            if (name == "frames" && FramesOffByOne is { } share)
            {
                return d.MaxAbs <= 1 && d.ShareDifferent <= share
                    ? null
                    : string.Create(CultureInfo.InvariantCulture, $"differs on {d.ShareDifferent:P3} of its values, by up to {d.MaxAbs}");
            }

            if (RelativeL2 is { } l2 && !(d.RelativeL2 <= l2))
            {
                return string.Create(CultureInfo.InvariantCulture, $"is off by {d.RelativeL2:E2}");
            }

            return MaxAbs is { } most && !(d.MaxAbs <= most) ? string.Create(CultureInfo.InvariantCulture, $"is off by up to {d.MaxAbs:E2}") : null;
        }

        public override string ToString()
        {
            var parts = new List<string>();
            void Add(string name, double? value) => parts.AddRange(value is { } v ? [string.Create(CultureInfo.InvariantCulture, $"{name} {v:G3}")] : Array.Empty<string>());
            Add("relative L2", RelativeL2);
            Add("max abs", MaxAbs);
            Add("frames off by one", FramesOffByOne);
            return string.Join(", ", Exact ? parts.Prepend("no difference") : parts);
        }
    }
}
