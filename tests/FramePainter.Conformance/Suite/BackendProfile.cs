using FramePainter.Backends;
using FramePainter.Backends.Cpu;
using FramePainter.Backends.Cpu.Jit;
using FramePainter.Backends.Cpu.Kernels;
using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Conformance;

/// <summary>A backend under test: how it is made, how exactly it computes, and what it can take.</summary>
/// <param name="Name">For people.</param>
/// <param name="Create">Makes it.</param>
/// <param name="Operands">Unit roundoff of the numbers that products read: 0 where float32 inputs are read as they are.</param>
/// <param name="Arithmetic">Unit roundoff of sums and of stored results.</param>
internal sealed record BackendProfile(string Name, Func<IBackend> Create, double Operands, double Arithmetic)
{
    /// <summary>Unit roundoff of float32.</summary>
    public const double Float32 = 1.0 / (1 << 24);

    /// <summary>Unit roundoff of float16.</summary>
    public const double Float16 = 1.0 / (1 << 11);

    /// <summary>Whether a case is run: an emulator runs the small ones only, and a backend the numbers that its types hold.</summary>
    public Func<BuiltCase, bool> Takes { get; init; } = _ => true;

    /// <summary>Why there is no such backend on this machine, or null where there is: its tests are skipped then.</summary>
    public Func<string?> Absence { get; init; } = () => null;

    /// <summary>Unit roundoff of stored results, where it is not that of sums.</summary>
    public double Stored { get; init; } = Arithmetic;

    /// <summary>Float32 on the processor.</summary>
    /// <param name="threads">Its threads.</param>
    public static BackendProfile Cpu(int threads) => new($"CPU, {threads} threads", () => new CpuBackend(threads), 0, Float32);

    /// <summary>The same with tiles of another form, and only the cases that have products or attention.</summary>
    /// <param name="threads">Its threads.</param>
    public static BackendProfile CpuOtherTiles(int threads) =>
        Assembled($"CPU, {threads} threads, other tiles", InstructionPath.Avx512, () => new CpuBackend(threads, numbers: new CpuNumbers
        {
            Tiles = TileForms.Best(InstructionPath.Avx512) == TileForm.TwoPanels ? TileForm.OnePanelWidening : TileForm.TwoPanels,
        }));

    /// <summary>The same with the kernels of processors without AVX-512.</summary>
    /// <param name="threads">Its threads.</param>
    public static BackendProfile CpuAvx2(int threads) => Assembled($"CPU, {threads} threads, Avx2", InstructionPath.Avx2, () => new CpuBackend(threads, InstructionPath.Avx2));

    /// <summary>
    /// Winograd's convolution wherever it can be computed, on one instruction path, and only the cases that it computes. A NaN spreads to the
    /// whole 4×4 outputs of its patch there, so that cases with one are left out.
    /// </summary>
    /// <param name="path">The instructions.</param>
    public static BackendProfile Winograd(InstructionPath path) =>
        new($"CPU, Winograd, {path}", () => new CpuBackend(2, path, winograd: WinogradUse.Always), 0, Float32)
        {
            Takes = built => built.Graph.Ops.OfType<ConvOp>().Any(op => InstructionPaths.Create(path, new Takers(op)))
                && !built.Inputs.Values.Any(values => values.Any(float.IsNaN)),
            Absence = () => InstructionPaths.IsSupported(path) ? null : $"This processor lacks {path}.",
        };

    /// <summary>
    /// Products and attention in bfloat16 on the processor, and only the cases that have them: all else is float32's own kernels. Attention to huge
    /// numbers is left out: it takes the greatest of scores that rounding moves by trillions (docs/numerics.md).
    /// </summary>
    /// <param name="threads">Its threads.</param>
    /// <param name="support">The kernels.</param>
    /// <param name="singleProducts">Graphs of one product too, and not only of several ops or of attention.</param>
    public static BackendProfile CpuBFloat16(int threads, BrainSupport support, bool singleProducts = true) => new(
        $"CPU, {threads} threads, bfloat16", () => new CpuBackend(threads, numbers: new CpuNumbers(Precision.BFloat16) { NarrowToo = true, Support = support }), 1.0 / (1 << 8), Float32)
    {
        Absence = () => support.Absence,
        Takes = built => built.Graph.Ops.Any(op => op is AttentionOp)
            ? built.Case.Adversity != Adversity.Huge
            : built.Graph.Ops.Any(op => op is ProductOp) && (singleProducts || built.Graph.Ops.Length > 1),
    };

    /// <summary>The oracle itself, rounded once at the border: shows that the suite's own machinery is right.</summary>
    public static BackendProfile Itself { get; } = new("Oracle", () => new OracleBackend(), 0, Float32);

    /// <summary>The distance allowed: see docs/numerics.md.</summary>
    /// <param name="sensitivity">Root of the summed squares of the outputs' sensitivity.</param>
    /// <param name="size">Root of the summed squares of the outputs.</param>
    /// <param name="terms">Terms of the longest sum.</param>
    public double Tolerance(double sensitivity, double size, double terms) =>
        (sensitivity * ((4 * Operands) + (Arithmetic * (8 + Math.Sqrt(terms))))) + (2 * Stored * size);

    static BackendProfile Assembled(string name, InstructionPath path, Func<CpuBackend> create) => new(name, create, 0, Float32)
    {
        Absence = () => !InstructionPaths.IsSupported(path) ? $"This processor lacks {path}." : FloatKernels.OfThisMachine(path, DType.F32) is null ? "This machine has no assembled kernels." : null,
        Takes = built => built.Graph.Ops.Any(op => op is ProductOp or AttentionOp),
    };

    sealed class Takers(ConvOp op) : ILanesFactory<bool>
    {
        public bool Create<L, V>()
            where L : struct, ILanes<V>
            where V : struct => WinogradKernel<L, V>.Suits(op, WinogradUse.Always);
    }
}
