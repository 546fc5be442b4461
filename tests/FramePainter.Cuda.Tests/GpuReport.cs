using System.Diagnostics;
using System.Text.Json;
using FramePainter.Backends;
using FramePainter.Conformance;
using FramePainter.Core.Tests.Engine;
using FramePainter.Graphs;
using FramePainter.Pipeline;
using FramePainter.Tensors;
using FramePainter.Weights;

namespace FramePainter.Cuda.Tests;

/// <summary>
/// Times of the kernels on the shapes of SVD, and of whole edits, for kernels/check-on-gpu.sh. FRAMEPAINTER_REPORT names the folder that receives
/// <c>kernels.json</c>, <c>kernels_bf16.json</c> and <c>edits.json</c>; without it the smallest shape alone is run, to see that this works.
/// </summary>
public sealed class GpuReport
{
    const int Images = 4;
    const int Repeats = 20;

    /// <summary>Copies of an op over buffers of their own, so that none finds its input in the cache.</summary>
    const int Copies = 4;
    const int Rounds = 5;

    static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>Height, width and channels of the U-Net's levels at 576×1024 and 512×512.</summary>
    static readonly (int Height, int Width, int Channels)[] s_levels = [(72, 128, 320), (36, 64, 640), (18, 32, 1280), (64, 64, 320), (32, 32, 640), (16, 16, 1280)];

    /// <summary>Numbers for inputs, again and again: many more would take longer to draw than to compute with.</summary>
    static readonly float[] s_normals = RandomData.Normals(new Random(1), (1 << 20) - 3);

    static string? Folder => Environment.GetEnvironmentVariable("FRAMEPAINTER_REPORT");

    [Fact]
    public void Kernels()
    {
        using var backend = CudaBackend.Open();
        Write("kernels.json", backend.Info, Times(backend, Folder is null ? [(2, 4, 64)] : s_levels));
    }

    /// <summary>A few products and attention in bfloat16, named as their rows in float16.</summary>
    [Fact]
    public void KernelsInBFloat16()
    {
        using var backend = CudaBackend.Open(precision: Precision.BFloat16);
        Write("kernels_bf16.json", backend.Info, Times(backend, Folder is null ? [(2, 4, 64)] : s_levels[..3], "linear", "conv3x3", "attention"));
    }

    [Fact]
    public void Model()
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("FRAMEPAINTER_MODEL") is null, "Set FRAMEPAINTER_MODEL to a folder to make random weights there, while other parts run.");
        using var model = new ReportModel(real: true);
        Assert.True(Directory.EnumerateFileSystemEntries(model.Path).Any());
    }

    /// <summary>Steps of the U-Net at the real size, whole and launch by launch; without a folder, of the tiny model.</summary>
    [Fact]
    public void Steps()
    {
        using var model = new ReportModel(Folder is not null);
        using var checkpoint = Checkpoint.Open(model.Path);
        using var backend = CudaBackend.Open();
        using var weights = backend.CreateStore(checkpoint);
        var rows = new List<StepTime>();
        foreach (var (width, height) in Folder is null ? [(64, 64)] : new[] { (512, 512), (1024, 576) })
        {
            using var graphs = StepOf(backend, weights, checkpoint, width, height);
            var step = (CudaExecutable)graphs.Step;
            var milliseconds = step.TimeRuns(Folder is null ? 1 : Repeats);
            var launches = step.Time(Folder is null ? 1 : 5).Select(l => new LaunchTime(
                l.Launch.Kernel, l.Launch.Op.GetType().Name, l.Launch.Op.Name, string.Join('x', Enumerable.Range(0, l.Launch.Op.Outputs[0].Shape.Rank).Select(d => l.Launch.Op.Outputs[0].Shape[d])), l.Milliseconds, l.Launch.Op.Flops));
            rows.Add(new StepTime(width, height, Median(milliseconds), milliseconds.Min(), step.Plan.Graph.Flops, [.. launches]));
            Write("steps.json", backend.Info, rows);
        }

        Assert.All(rows, r => Assert.NotEmpty(r.Launches));
    }

    [Fact]
    public void Edits()
    {
        Assert.SkipWhen(Folder is null, "Set FRAMEPAINTER_REPORT to a folder to time edits at the real size.");
        CudaBackend.Open().Dispose();
        using var made = new ReportModel(real: true);
        var model = made.Path;
        var rows = new List<EditTime>();
        foreach (var budget in new long?[] { null, 8L << 30 })
        {
            CudaBackend? backend = null;
            var device = Device.Custom("report", () => backend = CudaBackend.Open(0, new CudaOptions { MemoryBudget = budget }));
            using var painter = Painter.Load(new PainterOptions { Model = model, Device = device });
            foreach (var size in new[] { (512, 512), (1024, 576) })
            {
                foreach (var run in new[] { "first", "second", "photo" })
                {
                    // A photo of twelve million pixels is brought to the working size, and both frames back to its own.
                    var picture = run == "photo" ? Photo() : PainterTests.Picture();
                    var sketch = run == "photo" ? Signal.Sketch(PixelImage.FromPixels(new byte[64 * 48], 64, 48, PixelFormat.Gray8)) : PainterTests.Sketch();
                    var clock = Stopwatch.StartNew();
                    var result = painter.Edit(picture, sketch, new EditOptions { Size = size }, TestContext.Current.CancellationToken);
                    rows.Add(new EditTime(
                        size.Item1, size.Item2, run, budget, clock.Elapsed.TotalSeconds, backend!.PeakBytes, painter.WeightBytes,
                        result.Timings.ToDictionary(t => t.Stage.ToString(), t => t.Duration.TotalSeconds)));
                    Write("edits.json", backend.Info, rows);
                }
            }
        }
    }

    /// <summary>A step of the U-Net on random inputs, ready to run.</summary>
    static BoundGraphs StepOf(CudaBackend backend, IWeightStore weights, Checkpoint checkpoint, int width, int height)
    {
        var graphs = new BoundGraphs(backend, weights, new Networks(checkpoint, AttentionKind.Matching).Denoiser(new DenoiseKey(width, height, 25, 2, 1)), []);
        var random = new Random(3);
        foreach (var name in (string[])[Networks.Latents, Networks.ImageLatents, Networks.Context, Networks.ControlTable])
        {
            graphs.Write(name, RandomData.Normals(random, graphs[name].Bytes / sizeof(float)));
        }

        graphs.Prologue.Run(TestContext.Current.CancellationToken);
        return graphs;
    }

    static double Median(IReadOnlyCollection<double> times) => times.Order().ElementAt(times.Count / 2);

    static PixelImage Photo()
    {
        var pixels = new byte[4032 * 3024 * 3];
        new Random(5).NextBytes(pixels);
        return PixelImage.FromPixels(pixels, 4032, 3024, PixelFormat.Rgb24);
    }

    static WeightMatrix Matrix(int outputs, int inputs, int taps = 1) => WeightMatrix.Of($"matrix {outputs}x{inputs}x{taps}", outputs, inputs, taps);

    static WeightVector Bias(int count) => WeightVector.Of($"vector {count}", count);

    static Qkv Heads(Value x, int channels) => new(new Channels(x, 0), new Channels(x, channels), new Channels(x, 2 * channels));

    /// <summary>Self and matching attention with their projections, as the U-Net's blocks have them.</summary>
    static Value MatchingBlock(GraphBuilder g, Value x, int channels)
    {
        var own = g.Linear(x, Matrix(4 * channels, channels), null);
        var source = g.Linear(x, Matrix(2 * channels, channels), null, 2);
        var heads = g.Attention(Heads(own, channels), channels / 64, 64, new Qkv(new Channels(own, 3 * channels), new Channels(source, 0), new Channels(source, channels)));
        return g.Linear(heads, Matrix(channels, 2 * channels), Bias(channels));
    }

    /// <summary>The ops of a level whose kernels are timed; those of some names where any are given.</summary>
    static IEnumerable<OpShape> ShapesOf((int Height, int Width, int Channels) level, params string[] names)
    {
        var (height, width, channels) = level;
        var tokens = height * width;
        long[] row = [Images, tokens, channels], picture = [Images, height, width, channels], joined = [Images, tokens, 3 * channels];
        return new[]
        {
            Of("linear", channels, channels, row, (g, x) => g.Linear(x, Matrix(channels, channels), Bias(channels))),
            Of("linear_geglu", channels, 8 * channels, row, (g, x) => g.Activate(g.Linear(x, Matrix(8 * channels, channels), Bias(8 * channels)), Activation.Geglu)),
            Of("linear_down", 4 * channels, channels, [Images, tokens, 4 * channels], (g, x) => g.Linear(x, Matrix(channels, 4 * channels), Bias(channels))),
            Of("conv3x3", channels, channels, picture, (g, x) => g.Conv(x, Matrix(channels, channels, 9), Bias(channels))),
            Of("conv_temporal", channels, channels, picture, (g, x) => g.TemporalConv(x, Matrix(channels, channels, 3), Bias(channels), 2)),
            Of("attention", channels, channels, joined, (g, x) => g.Attention(Heads(x, channels), channels / 64, 64)),
            Of("attention_matching", channels, 2 * channels, joined, (g, x) => g.Attention(Heads(x, channels), channels / 64, 64, Heads(x, channels))),
            Of("matching_block", channels, channels, row, (g, x) => MatchingBlock(g, x, channels)),
            Of("group_norm_silu", channels, channels, picture, (g, x) => g.Activate(g.GroupNorm(x, Bias(channels), Bias(channels), 32, 1e-5f), Activation.Silu)),
            Of("layer_norm", channels, channels, row, (g, x) => g.LayerNorm(x, Bias(channels), Bias(channels), 1e-5f)),
        }.Where(o => names.Length == 0 || names.Contains(o.Row.Op));

        OpShape Of(string op, int inputs, int outputs, long[] extents, Func<GraphBuilder, Value, Value> add) =>
            new(new KernelTime(op, Images, height, width, inputs, outputs, 0, 0, 0), extents, add);
    }

    /// <summary>Times ops of some levels.</summary>
    static List<KernelTime> Times(CudaBackend backend, (int Height, int Width, int Channels)[] levels, params string[] names)
    {
        var rows = levels.SelectMany(level => ShapesOf(level, names)).Select(one => Time(backend, one)).ToList();
        Assert.NotEmpty(rows);
        Assert.All(rows, r => Assert.True((r.Milliseconds > 0 && r.ReplayedMilliseconds > 0) || Emulator.IsUsed, $"{r}"));
        return rows;
    }

    /// <summary>The median time of one op between values inside a plan, copies of it taking turns.</summary>
    static KernelTime Time(CudaBackend backend, OpShape one)
    {
        var (row, extents, add) = one;
        var g = new GraphBuilder();
        for (var i = 0; i < Copies; i++)
        {
            // What two ops read stays inside, as halves.
            var y = add(g, g.Activate(g.Input($"x{i}", Rate.Edit, extents), Activation.Relu));
            g.Output(g.Activate(y, Activation.Relu), $"y{i}");
            g.Output(g.Activate(y, Activation.Silu), $"z{i}");
        }

        var graph = FuseEpilogues.Run(g.Build(row.Op));
        using var weights = RandomWeights(graph);
        using var store = backend.CreateStore(weights);
        using var executable = (CudaExecutable)backend.Compile(Planner.Plan(graph), store);
        var buffers = graph.Inputs.Concat(graph.Outputs).ToDictionary(v => v, v => backend.Allocate(v.Bytes));
        try
        {
            foreach (var (value, buffer) in buffers)
            {
                executable.Bind(value, buffer);
                for (long at = 0; at < value.Shape.Count; at += s_normals.Length)
                {
                    buffer.Write(s_normals.AsSpan(0, (int)Math.Min(s_normals.Length, value.Shape.Count - at)), at * sizeof(float));
                }
            }

            var (queued, replayed) = executable.TimeTogether(l => l.Op is not ActivateOp, Folder is null ? 1 : Rounds, Folder is null ? 1 : Repeats);
            return row with { Milliseconds = Median(queued) / Copies, ReplayedMilliseconds = Median(replayed) / Copies, Flops = graph.Flops / Copies };
        }
        finally
        {
            foreach (var buffer in buffers.Values)
            {
                buffer.Dispose();
            }
        }
    }

    static MemoryWeights RandomWeights(Graph graph)
    {
        var weights = new MemoryWeights();
        var random = new Random(2);
        foreach (var matrix in graph.Ops.OfType<ProductOp>().Select(o => o.Weight).DistinctBy(m => m.Key))
        {
            weights.AddRandom(matrix.Tensors[0], DType.F16, new Shape(matrix.Outputs, matrix.Inputs, matrix.Taps), random, 1 / Math.Sqrt(matrix.Inputs * matrix.Taps));
        }

        var vectors = graph.Ops.SelectMany(o => o switch
        {
            ProductOp p => [p.Bias],
            GroupNormOp n => [n.Gamma, n.Beta],
            LayerNormOp n => [n.Gamma, n.Beta],
            _ => Array.Empty<WeightVector?>(),
        });
        foreach (var vector in vectors.OfType<WeightVector>().DistinctBy(v => v.Key))
        {
            weights.AddRandom(vector.Tensors[0], DType.F16, new Shape(vector.Count), random);
        }

        return weights;
    }

    static void Write<T>(string file, CudaDeviceInfo device, List<T> rows)
    {
        if (Folder is { } folder)
        {
            Directory.CreateDirectory(folder);
            File.WriteAllText(Path.Combine(folder, file), JsonSerializer.Serialize(new { Device = device.Name, Capability = device.Capability.ToString(), rows }, s_json));
        }
    }

    /// <summary>A folder with random weights of the real size, made where FRAMEPAINTER_MODEL names none; or the tiny model.</summary>
    sealed class ReportModel : IDisposable
    {
        readonly bool _made;

        public ReportModel(bool real)
        {
            var given = Environment.GetEnvironmentVariable("FRAMEPAINTER_MODEL");
            _made = real && given is null;
            Path = !real ? Repository.TinyModel : given ?? Directory.CreateTempSubdirectory("framepainter-").FullName;
            if (real && !Directory.EnumerateFileSystemEntries(Path).Any())
            {
                CheckpointMaker.Make("svd-xt", Path, cancellation: TestContext.Current.CancellationToken);
            }
        }

        public string Path { get; }

        public void Dispose()
        {
            if (_made)
            {
                Directory.Delete(Path, recursive: true);
            }
        }
    }

    sealed record StepTime(int Width, int Height, double StepMilliseconds, double Fastest, double Flops, LaunchTime[] Launches);

    sealed record LaunchTime(string Kernel, string Op, string Name, string Output, double Milliseconds, double Flops);

    /// <summary>An op on an input of these extents, and its row before it is timed.</summary>
    sealed record OpShape(KernelTime Row, long[] Extents, Func<GraphBuilder, Value, Value> Add);

    sealed record KernelTime(string Op, int Images, int Height, int Width, int Inputs, int Outputs, double Milliseconds, double ReplayedMilliseconds, double Flops);

    sealed record EditTime(
        int Width, int Height, string Run, long? BudgetBytes, double Seconds, long PeakBytes, long WeightBytes, Dictionary<string, double> Stages);
}
