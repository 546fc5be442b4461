using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using FramePainter.Backends.Cpu.Simd;
using FramePainter.Tensors;

namespace FramePainter.Backends.Cpu.Jit;

/// <summary>Assembled float32 product kernels of one stored type of weights, in executable pages.</summary>
/// <param name="Wide">Kernels of two registers of columns: index rows − 1.</param>
/// <param name="Narrow">Kernels of one register of columns.</param>
/// <param name="Paired">Kernels of two panels, two registers of columns each: index rows − 1, up to <see cref="PairedRows"/>. Of F32 on AVX-512 only; empty elsewhere.</param>
/// <param name="Keeping">The three kinds, keeping weights as float32 at <see cref="TileCall.Kept"/> for F32's kernels of the same kind. Of F32 none: all are empty.</param>
/// <param name="Softmax">The softmax of <see cref="StripRows"/> rows of scores: a <see cref="SoftmaxCall"/>. Of F32 only; 0 elsewhere.</param>
internal sealed unsafe record FloatKernels(nint[] Wide, nint[] Narrow, nint[] Paired, (nint[] Wide, nint[] Narrow, nint[] Paired) Keeping, nint Softmax)
{
    /// <summary>F16C, which every processor of AVX2 has but a virtual one may hide.</summary>
    static bool ConvertsHalves => (X86Base.CpuId(1, 0).Ecx & (1 << 29)) != 0;

    /// <summary>Rows of a tile of two panels: 24 sums leave eight of 32 registers for four of weights and as many of broadcasts.</summary>
    public const int PairedRows = 6;

    /// <summary>Rows of scores whose softmax is taken at once.</summary>
    public const int StripRows = 6;

    /// <summary>Most keys in a strip of scores.</summary>
    public const int StripKeys = 256;

    /// <summary>The softmax reads so many keys at a time.</summary>
    public const int SoftmaxKeys = 64;

    /// <summary>Floats from one row of a strip to the next: no multiple of a page of the first-level cache's sets, or its rows would evict each other.</summary>
    public const int StripStride = StripKeys + 16;

    static readonly Dictionary<(InstructionPath, DType), Lazy<FloatKernels?>> s_here =
        (from path in new[] { InstructionPath.Avx2, InstructionPath.Avx512 } from type in new DType[] { DType.F32, DType.F16, DType.BF16, DType.I8 } select (path, type))
        .ToDictionary(kind => kind, kind => new Lazy<FloatKernels?>(() => Assemble(kind.path, kind.type, ExecutablePages.Map)));

    /// <summary>This machine's kernels, assembled when first asked for; null where the path has none or the host refuses: compiled kernels do the work there.</summary>
    /// <param name="path">Whose instructions they are made of.</param>
    /// <param name="type">The stored type of the weights: F32, F16, BF16 or I8.</param>
    public static FloatKernels? OfThisMachine(InstructionPath path, DType type) => s_here.TryGetValue((path, type), out var kernels) ? kernels.Value : null;

    /// <summary>
    /// Calls a kernel of products. Telling the garbage collector that native code runs would take 70 cycles, a twelfth of a tile of 64 inputs; as it is, a collection
    /// waits for a tile's end, microseconds.
    /// </summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="call">Where everything lies.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run(nint kernel, TileCall* call) => ((delegate* unmanaged[SuppressGCTransition]<TileCall*, void>)kernel)(call);

    /// <summary>Assembles the kernels of a type into one piece of code.</summary>
    /// <param name="path">Whose instructions they are made of: AVX2 or AVX-512.</param>
    /// <param name="type">The stored type of the weights.</param>
    /// <param name="map">Maps it; throws <see cref="PlatformNotSupportedException"/> where it cannot.</param>
    public static FloatKernels? Assemble(InstructionPath path, DType type, BrainSupport.Mapper map)
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64 || VectorAssembly.Of(path) is not { } vector || !InstructionPaths.IsSupported(path) || !ConvertsHalves)
        {
            return null;
        }

        var code = new KernelCode();
        var single = type == DType.F32;
        var pairs = vector.Pairs ? PairedRows : 0;
        var (wide, narrow, paired) = (Products(vector.TileRows, 2, keeps: false), Products(vector.TileRows, 1, keeps: false), Products(single ? pairs : 0, 4, keeps: false));
        var keeping = (Wide: Products(single ? 0 : vector.TileRows, 2, keeps: true), Narrow: Products(single ? 0 : vector.TileRows, 1, keeps: true), Paired: Products(single ? 0 : pairs, 4, keeps: true));
        var softmax = single ? code.Append(path == InstructionPath.Avx512 ? Softmax512Assembly.Strip(StripRows) : Softmax256Assembly.Strip()) : 0;
        try
        {
            var start = map(code.Bytes);
            return new FloatKernels(At(wide), At(narrow), At(paired), (At(keeping.Wide), At(keeping.Narrow), At(keeping.Paired)), single ? start + softmax : 0);

            nint[] At(int[] kernels) => [.. kernels.Select(at => start + at)];
        }
        catch (PlatformNotSupportedException)
        {
            return null;
        }

        int[] Products(int rows, int columns, bool keeps) => [.. Enumerable.Range(1, rows).Select(r => code.Append(ProductAssembly.Product(vector, type, r, columns, keeps)))];
    }
}
