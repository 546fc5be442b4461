using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using FramePainter.Tensors;

namespace FramePainter.Backends.Cpu.Simd;

/// <summary>Micro-kernels of Arm64, <see cref="ElementTile{W, A, R, C}"/>, for every count of rows.</summary>
internal static unsafe class ElementKernels
{
    /// <summary>Rows of a tile: 16 registers of sums, 8 of rows and 2 of weights are 26 of 32. Lanes whose tiles have so many rows are these.</summary>
    public const int TileRows = 8;

    /// <summary>Whether this is such a processor.</summary>
    public static bool IsSupported => AdvSimd.Arm64.IsSupported;

    /// <summary>The kernels for weights of a type: index rows − 1.</summary>
    /// <param name="type">F32, F16 or BF16.</param>
    /// <param name="narrow">Only the first register of columns is wanted.</param>
    public static nint[] Of(DType type, bool narrow) => (type, narrow) switch
    {
        (DType.F32, false) => Table<ReadF32<Lanes128, Vector128<float>>, N2>(),
        (DType.F32, true) => Table<ReadF32<Lanes128, Vector128<float>>, N1>(),
        (DType.F16, false) => Table<ReadF16<Lanes128, Vector128<float>>, N2>(),
        (DType.BF16, false) => Table<ReadBF16<Lanes128, Vector128<float>>, N2>(),
        _ => throw new NotSupportedException($"No kernel reads weights of {type}{(narrow ? ", one register" : "")}."),
    };

    static nint[] Table<W, C>()
        where W : struct, IWeightReader<Vector128<float>>
        where C : struct, INumber =>
        [Kernel<W, N1, C>(), Kernel<W, N2, C>(), Kernel<W, N3, C>(), Kernel<W, N4, C>(), Kernel<W, N5, C>(), Kernel<W, N6, C>(), Kernel<W, N7, C>(), Kernel<W, N8, C>()];

    static nint Kernel<W, R, C>()
        where W : struct, IWeightReader<Vector128<float>>
        where R : struct, INumber
        where C : struct, INumber =>
        (nint)(delegate*<float*, byte*, int, float*, bool, void>)&Run<W, R, C>;

    // As MicroKernel.Run is called.
    static void Run<W, R, C>(float* rows, byte* panel, int inputs, float* tile, bool accumulate)
        where W : struct, IWeightReader<Vector128<float>>
        where R : struct, INumber
        where C : struct, INumber =>
        ElementTile<W, Gathered, R, C>.Multiply(inputs, rows, panel, accumulate ? tile : null, 2 * Lanes128.Count, tile, 2 * Lanes128.Count);

    readonly struct Gathered : ITileLayout
    {
        public static int Row => Blocking.RowStride;

        public static int Step => 1;
    }
}
