using System.Diagnostics;
using System.Text.Json;
using FramePainter.Conformance;
using FramePainter.Core.Tests.Engine;
using FramePainter.Graphs;
using FramePainter.Pipeline;
using FramePainter.Tensors;
using FramePainter.Weights;

namespace FramePainter.Cuda.Tests;

/// <summary>
/// Times of the kernels on the shapes of SVD, and of whole edits, for kernels/check-on-gpu.sh. FRAMEPAINTER_REPORT names the folder that receives
/// <c>kernels.json</c> and <c>edits.json</c>; without it the smallest shape alone is run, to see that this works.
/// </summary>
public sealed class GpuReport
{
    const int Images = 4;
    const int Repeats = 20;

    /// <summary>Ops in the longer of two graphs whose difference is timed, and in the shorter.</summary>
    const int Many = 12;
    const int Few = 2;

    static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>Height, width and channels of the U-Net's levels at 576×1024 and 512×512.</summary>
    static readonly (int Height, int Width, int Channels)[] s_levels = [(72, 128, 320), (36, 64, 640), (18, 32, 1280), (64, 64, 320), (32, 32, 640), (16, 16, 1280)];

    static string? Folder => Environment.GetEnvironmentVariable("FRAMEPAINTER_REPORT");

    [Fact]
    public void Kernels()
    {
        using var backend = CudaBackend.Open();
        var rows = new List<KernelTime>();
        foreach (var (height, width, channels) in Folder is null ? [(2, 4, 64)] : s_levels)
        {
            var tokens = height * width;
            rows.Add(Time(backend, "linear", height, width, channels, channels, [Images, tokens, channels], (g, x) => g.Linear(x, Matrix(channels, channels), Bias(channels))));
            rows.Add(Time(backend, "linear_geglu", height, width, channels, 8 * channels, [Images, tokens, channels], (g, x) => g.Activate(g.Linear(x, Matrix(8 * channels, channels), Bias(8 * channels)), Activation.Geglu)));
            rows.Add(Time(backend, "linear_down", height, width, 4 * channels, channels, [Images, tokens, 4 * channels], (g, x) => g.Linear(x, Matrix(channels, 4 * channels), Bias(channels))));
            rows.Add(Time(backend, "conv3x3", height, width, channels, channels, [Images, height, width, channels], (g, x) => g.Conv(x, Matrix(channels, channels, 9), Bias(channels))));
            rows.Add(Time(backend, "conv_temporal", height, width, channels, channels, [Images, height, width, channels], (g, x) => g.TemporalConv(x, Matrix(channels, channels, 3), Bias(channels), 2)));
            rows.Add(Time(backend, "attention", height, width, channels, channels, [Images, tokens, 3 * channels], (g, x) => g.Attention(Heads(x, channels), channels / 64, 64)));
            rows.Add(Time(backend, "attention_matching", height, width, channels, 2 * channels, [Images, tokens, 3 * channels], (g, x) => g.Attention(Heads(x, channels), channels / 64, 64, Heads(x, channels))));
            rows.Add(Time(backend, "group_norm_silu", height, width, channels, channels, [Images, height, width, channels], (g, x) => g.Activate(g.GroupNorm(x, Bias(channels), Bias(channels), 32, 1e-5f), Activation.Silu)));
            rows.Add(Time(backend, "layer_norm", height, width, channels, channels, [Images, tokens, channels], (g, x) => g.LayerNorm(x, Bias(channels), Bias(channels), 1e-5f)));
        }

        // A short kernel's difference may drown in noise; a product's may not.
        Assert.All(rows.Where(r => r.Flops > 1e9), r => Assert.True(r.Milliseconds > 0, $"{r}"));
        Write("kernels.json", backend.Info, rows);
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
        var networks = new Networks(checkpoint, AttentionKind.Matching);
        var rows = new List<StepTime>();
        foreach (var (width, height) in Folder is null ? [(64, 64)] : new[] { (512, 512), (1024, 576) })
        {
            using var graphs = new BoundGraphs(backend, weights, networks.Denoiser(new DenoiseKey(width, height, 25, 2, 1)), []);
            var (prologue, step) = ((CudaExecutable)graphs.Prologue, (CudaExecutable)graphs.Step);
            var random = new Random(3);
            foreach (var name in (string[])[Networks.Latents, Networks.ImageLatents, Networks.Context, Networks.ControlTable])
            {
                graphs.Write(name, RandomData.Normals(random, graphs[name].Bytes / sizeof(float)));
            }

            prologue.Run(TestContext.Current.CancellationToken);
            var milliseconds = step.TimeRuns(Folder is null ? 1 : Repeats);
            var launches = step.Time(Folder is null ? 1 : 5).Select(l => new LaunchTime(
                l.Launch.Kernel, l.Launch.Op.GetType().Name, l.Launch.Op.Name, string.Join('x', Enumerable.Range(0, l.Launch.Op.Outputs[0].Shape.Rank).Select(d => l.Launch.Op.Outputs[0].Shape[d])), l.Milliseconds, l.Launch.Op.Flops));
            rows.Add(new StepTime(width, height, milliseconds.Order().ElementAt(milliseconds.Count / 2), milliseconds.Min(), step.Plan.Graph.Flops, [.. launches]));
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
                foreach (var run in new[] { "first", "second" })
                {
                    var clock = Stopwatch.StartNew();
                    var result = painter.Edit(PainterTests.Picture(), PainterTests.Sketch(), new EditOptions { Size = size }, TestContext.Current.CancellationToken);
                    rows.Add(new EditTime(
                        size.Item1, size.Item2, run, budget, clock.Elapsed.TotalSeconds, backend!.PeakBytes, painter.WeightBytes,
                        result.Timings.ToDictionary(t => t.Stage.ToString(), t => t.Duration.TotalSeconds)));
                    Write("edits.json", backend.Info, rows);
                }
            }
        }
    }

    static WeightMatrix Matrix(int outputs, int inputs, int taps = 1) => WeightMatrix.Of("matrix", outputs, inputs, taps);

    static WeightVector Bias(int count) => WeightVector.Of("vector", count);

    static Qkv Heads(Value x, int channels) => new(new Channels(x, 0), new Channels(x, channels), new Channels(x, 2 * channels));

    /// <summary>The time of one op between float16 values: that of many less that of few, without copies and launch of the whole.</summary>
    static KernelTime Time(CudaBackend backend, string op, int height, int width, int inputs, int outputs, long[] extents, Func<GraphBuilder, Value, Value> add)
    {
        var (many, flops) = Run(backend, extents, add, Many);
        var (few, fewFlops) = Run(backend, extents, add, Few);
        return new KernelTime(op, Images, height, width, inputs, outputs, (many - few) / (Many - Few), (flops - fewFlops) / (Many - Few));
    }

    static (double Milliseconds, double Flops) Run(CudaBackend backend, long[] extents, Func<GraphBuilder, Value, Value> add, int count)
    {
        var g = new GraphBuilder();
        var input = g.Input("x", Rate.Edit, extents);
        var inner = g.Activate(input, Activation.Relu);
        for (var i = 1; i < count; i++)
        {
            add(g, inner);
        }

        g.Output(add(g, inner), "y");
        var graph = FuseEpilogues.Run(g.Build(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{count} times")));
        using var weights = RandomWeights(graph);
        using var store = backend.CreateStore(weights);
        using var executable = backend.Compile(Planner.Plan(graph), store);
        using var x = backend.Allocate(input.Bytes);
        using var y = backend.Allocate(graph.Outputs[0].Bytes);
        x.Write(RandomData.Normals(new Random(1), input.Shape.Count));
        executable.Bind(input, x);
        executable.Bind(graph.Outputs[0], y);
        var repeats = Folder is null ? 1 : Repeats;
        for (var i = 0; i < 3; i++)
        {
            executable.Run(TestContext.Current.CancellationToken);
        }

        var best = double.PositiveInfinity;
        for (var i = 0; i < repeats; i++)
        {
            var clock = Stopwatch.StartNew();
            executable.Run(TestContext.Current.CancellationToken);
            best = Math.Min(best, clock.Elapsed.TotalMilliseconds);
        }

        return (best, graph.Flops);
    }

    static MemoryWeights RandomWeights(Graph graph)
    {
        var weights = new MemoryWeights();
        var (random, product, norm) = (new Random(2), graph.Ops.OfType<ProductOp>().FirstOrDefault(), graph.Ops.SelectMany(op => op.Outputs).Max(v => v.Shape.Channels));
        if (product is not null)
        {
            var matrix = product.Weight;
            weights.AddRandom("matrix", DType.F16, new Shape(matrix.Outputs, matrix.Inputs, matrix.Taps), random, 1 / Math.Sqrt(matrix.Inputs * matrix.Taps));
        }

        weights.AddRandom("vector", DType.F16, new Shape(product?.Weight.Outputs ?? norm), random);
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

    sealed record KernelTime(string Op, int Images, int Height, int Width, int Inputs, int Outputs, double Milliseconds, double Flops);

    sealed record EditTime(
        int Width, int Height, string Run, long? BudgetBytes, double Seconds, long PeakBytes, long WeightBytes, Dictionary<string, double> Stages);
}
