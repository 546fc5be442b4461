using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.AI;

namespace FramePainter.Extensions.AI.Tests;

/// <summary>What is counted over the whole process is not counted beside other tests.</summary>
[CollectionDefinition(nameof(TelemetryTests), DisableParallelization = true)]
public sealed class TelemetryGroup;

/// <summary>Traces and metrics, under the names of OpenTelemetry's conventions for generative AI.</summary>
[Collection(nameof(TelemetryTests))]
public sealed class TelemetryTests(ToyPainter toy) : IClassFixture<ToyPainter>
{
    // A model of its own keeps what other tests do apart.
    readonly string _model = "toy-" + Guid.NewGuid();

    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_is_a_span_with_its_stages()
    {
        var (activities, sampled) = (new ConcurrentBag<Activity>(), new ConcurrentBag<string>());
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == FramePainterTelemetry.Name,
            Sample = (ref options) =>
            {
                sampled.Add(string.Join(' ', (options.Tags ?? []).Select(t => $"{t.Key}={t.Value}").Order(StringComparer.Ordinal)));
                return ActivitySamplingResult.AllDataAndRecorded;
            },
            ActivityStopped = activities.Add,
        };
        ActivitySource.AddActivityListener(listener);
        using var generator = new FramePainterImageGenerator(toy.Painter, modelId: _model);
        await generator.GenerateAsync(ToyPainter.Request(), ToyPainter.Sketch(3), Cancel);
        await Assert.ThrowsAsync<SignalException>(() => generator.GenerateAsync(ToyPainter.Request(), null, Cancel));

        var spans = activities.Where(a => a.OperationName == $"generate_content {_model}").ToArray();
        var done = Assert.Single(spans, a => a.Status == ActivityStatusCode.Unset);
        Assert.Equal("generate_content", done.GetTagItem("gen_ai.operation.name"));
        Assert.Equal("framepainter", done.GetTagItem("gen_ai.provider.name"));
        Assert.Equal(_model, done.GetTagItem("gen_ai.request.model"));
        Assert.Equal(5L, done.GetTagItem("gen_ai.request.seed"));
        Assert.Equal(1, done.GetTagItem("gen_ai.request.choice.count"));
        Assert.Equal(3, done.GetTagItem("framepainter.request.steps"));
        Assert.Equal(64, done.GetTagItem("framepainter.request.width"));
        var stages = done.Events.Select(e => e.Tags.Single(t => t.Key == "framepainter.stage.name").Value).ToArray();
        Assert.Contains("Denoise", stages);
        Assert.Contains("Decode", stages);

        var failed = Assert.Single(spans, a => a.Status == ActivityStatusCode.Error);
        Assert.Equal(typeof(SignalException).FullName, failed.GetTagItem("error.type"));
        Assert.Equal("generate_content", failed.GetTagItem("gen_ai.operation.name"));
        Assert.Equal(2, sampled.Count(tags => tags == $"gen_ai.operation.name=generate_content gen_ai.provider.name=framepainter gen_ai.request.model={_model}"));
    }

    [Fact]
    public async Task Edits_steps_and_memory_are_metered()
    {
        var values = new ConcurrentBag<(string Name, string? Unit, double Value, string? Error)>();
        var boundaries = new ConcurrentDictionary<string, IReadOnlyList<double>?>(StringComparer.Ordinal);
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, l) =>
            {
                if (instrument.Meter.Name == FramePainterTelemetry.Name)
                {
                    l.EnableMeasurementEvents(instrument);
                    if (instrument is Histogram<double> seconds)
                    {
                        boundaries[instrument.Name] = seconds.Advice?.HistogramBucketBoundaries;
                    }
                }
            },
        };
        listener.SetMeasurementEventCallback<double>((i, v, tags, _) => Add(i, v, tags));
        listener.SetMeasurementEventCallback<long>((i, v, tags, _) => Add(i, v, tags));
        listener.Start();
        using (var generator = new FramePainterImageGenerator(toy.Painter, modelId: _model))
        {
            var options = ToyPainter.Sketch(3);
            options.Count = 2;
            await generator.GenerateAsync(ToyPainter.Request(), options, Cancel);
            await Assert.ThrowsAsync<OptionException>(() => generator.GenerateAsync(ToyPainter.Request(), ToyPainter.Sketch(0), Cancel));
            listener.RecordObservableInstruments();
            Assert.Contains(values, v => v.Name == FramePainterTelemetry.WeightMemory && v.Unit == "By" && v.Value >= toy.Painter.WeightBytes);
        }

        // The convention's: from 10 ms on, each twice the one before.
        Assert.Equal([FramePainterTelemetry.StepDuration, FramePainterTelemetry.OperationDuration], boundaries.Keys.Order(StringComparer.Ordinal));
        Assert.All(boundaries.Values, b => Assert.Equal(Enumerable.Range(0, 14).Select(i => 0.01 * (1 << i)), b!));
        Assert.Equal(2, values.Count(v => v.Name == FramePainterTelemetry.Edits && v is { Error: null, Value: 1 }));
        Assert.Equal(1, values.Count(v => v.Name == FramePainterTelemetry.Edits && v.Error == typeof(OptionException).FullName));
        var steps = values.Where(v => v.Name == FramePainterTelemetry.StepDuration).ToArray();
        Assert.Equal(6, steps.Length);
        Assert.All(steps, s => Assert.True(s is { Unit: "s", Value: > 0 and < 60 }));
        var requests = values.Where(v => v.Name == FramePainterTelemetry.OperationDuration).ToArray();
        Assert.Equal(2, requests.Length);
        Assert.True(requests.Single(r => r.Error is null).Value >= steps.Sum(s => s.Value));
        Assert.All(values.Where(v => v.Name == FramePainterTelemetry.ProcessMemory), v => Assert.True(v.Value > 1 << 20));

        void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var all = tags.ToArray().ToDictionary(t => t.Key, t => t.Value as string);
            if (instrument.IsObservable || all.GetValueOrDefault("gen_ai.request.model") == _model)
            {
                values.Add((instrument.Name, instrument.Unit, value, all.GetValueOrDefault("error.type")));
            }
        }
    }

    [Fact]
    public void Weights_are_counted_once_a_painter_and_no_longer_than_its_generators()
    {
        var before = Measure();
        using var own = Painter.Load(ToyPainter.Options);
        using (var one = new FramePainterImageGenerator(own))
        using (var two = new FramePainterImageGenerator(own))
        {
            Assert.Equal(before + own.WeightBytes, Measure());
        }

        Assert.Equal(before, Measure());

        static long Measure()
        {
            var sum = 0L;
            using var listener = new MeterListener
            {
                InstrumentPublished = (instrument, l) =>
                {
                    if (instrument.Name == FramePainterTelemetry.WeightMemory)
                    {
                        l.EnableMeasurementEvents(instrument);
                    }
                },
            };
            listener.SetMeasurementEventCallback<long>((_, value, _, _) => sum += value);
            listener.Start();
            listener.RecordObservableInstruments();
            return sum;
        }
    }
}
