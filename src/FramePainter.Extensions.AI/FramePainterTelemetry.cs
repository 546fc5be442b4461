using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace FramePainter.Extensions.AI;

/// <summary>
/// Traces and metrics of the generator. Names and units follow OpenTelemetry's conventions for generative AI where these have one
/// (<c>gen_ai.*</c>); what they lack begins with <c>framepainter.</c>.
/// </summary>
public static class FramePainterTelemetry
{
    /// <summary>Name of the activity source and of the meter, to subscribe to.</summary>
    public const string Name = "FramePainter";

    /// <summary>Histogram of a whole request, seconds: the convention's metric.</summary>
    public const string OperationDuration = "gen_ai.client.operation.duration";

    /// <summary>Counter of edits that ended, well or not (<c>error.type</c>).</summary>
    public const string Edits = "framepainter.edits";

    /// <summary>Histogram of one denoising step, seconds.</summary>
    public const string StepDuration = "framepainter.step.duration";

    /// <summary>Bytes that the packed weights of all live generators take.</summary>
    public const string WeightMemory = "framepainter.memory.weights";

    /// <summary>Histogram of the process's working set at the end of an edit, bytes.</summary>
    public const string ProcessMemory = "framepainter.memory.process";

    internal const string Operation = "generate_content";
    internal const string Provider = "framepainter";

    // The boundaries that the convention asks for; steps take the same ones.
    static readonly InstrumentAdvice<double> s_seconds = new()
    {
        HistogramBucketBoundaries = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92],
    };

    static readonly Meter s_meter = new(Name);
    static readonly ConcurrentDictionary<Painter, int> s_painters = new();
    static readonly Histogram<double> s_operation = s_meter.CreateHistogram<double>(OperationDuration, "s", "Duration of a request.", advice: s_seconds);
    static readonly Counter<long> s_edits = s_meter.CreateCounter<long>(Edits, "{edit}", "Edits that ended.");
    static readonly Histogram<double> s_step = s_meter.CreateHistogram<double>(StepDuration, "s", "Duration of a denoising step.", advice: s_seconds);
    static readonly Histogram<long> s_process = s_meter.CreateHistogram<long>(ProcessMemory, "By", "Working set of the process at the end of an edit.");

    // The instrument lives as long as the meter that made it.
    static readonly ObservableUpDownCounter<long> s_weights =
        s_meter.CreateObservableUpDownCounter(WeightMemory, () => s_painters.Keys.Sum(p => p.WeightBytes), "By", "Packed weights of live generators.");

    internal static ActivitySource Source { get; } = new(Name);

    internal static void Enter(Painter painter) => s_painters.AddOrUpdate(painter, 1, (_, users) => users + 1);

    internal static void Leave(Painter painter)
    {
        // Two steps, each atomic: the painter is forgotten only with no user left.
        s_painters.AddOrUpdate(painter, 0, (_, users) => users - 1);
        s_painters.TryRemove(KeyValuePair.Create(painter, 0));
    }

    internal static TagList Tags(string model, string? error = null)
    {
        var tags = new TagList
        {
            { "gen_ai.operation.name", Operation },
            { "gen_ai.provider.name", Provider },
            { "gen_ai.request.model", model },
        };
        if (error is not null)
        {
            tags.Add("error.type", error);
        }

        return tags;
    }

    internal static void EditEnded(string model, string? error)
    {
        var tags = Tags(model, error);
        s_edits.Add(1, tags);
        s_process.Record(Environment.WorkingSet, tags);
    }

    internal static void RequestEnded(string model, TimeSpan duration, string? error) => s_operation.Record(duration.TotalSeconds, Tags(model, error));

    internal static void StepEnded(string model, TimeSpan duration) => s_step.Record(duration.TotalSeconds, Tags(model));
}
