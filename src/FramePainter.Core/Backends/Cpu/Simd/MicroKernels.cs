using FramePainter.Tensors;

namespace FramePainter.Backends.Cpu.Simd;

/// <summary>Micro-kernels of one lane struct for every count of rows, found by it.</summary>
/// <typeparam name="L">The lanes.</typeparam>
/// <typeparam name="V">Their register.</typeparam>
internal static unsafe class MicroKernels<L, V>
    where L : struct, ILanes<V>
    where V : struct
{
    /// <summary>Kernels for weights in float, two registers of columns: index rows − 1.</summary>
    public static readonly nint[] Wide = Table<ReadF32<L, V>, N2>(DType.F32);

    /// <summary>Kernels for weights in float, one register of columns.</summary>
    public static readonly nint[] Narrow = Table<ReadF32<L, V>, N1>(DType.F32);

    static readonly nint[] s_halves = Table<ReadF16<L, V>, N2>(DType.F16);
    static readonly nint[] s_brains = Table<ReadBF16<L, V>, N2>(DType.BF16);

    /// <summary>Kernels that read weights as they are stored, two registers of columns.</summary>
    public static nint[] Direct(DType type) => type switch
    {
        DType.F16 => s_halves,
        DType.BF16 => s_brains,
        _ => Wide,
    };

    static nint[] Table<W, C>(DType type)
        where W : struct, IWeightReader<V>
        where C : struct, INumber
    {
        if (L.TileRows == ElementKernels.TileRows)
        {
            return ElementKernels.Of(type, C.Value == 1);
        }

        nint[] all =
        [
            Of<W, N1, C>(), Of<W, N2, C>(), Of<W, N3, C>(), Of<W, N4, C>(), Of<W, N5, C>(), Of<W, N6, C>(), Of<W, N7, C>(),
            Of<W, N8, C>(), Of<W, N9, C>(), Of<W, N10, C>(), Of<W, N11, C>(), Of<W, N12, C>(), Of<W, N13, C>(), Of<W, N14, C>(),
        ];
        return all[..L.TileRows];
    }

    static nint Of<W, R, C>()
        where W : struct, IWeightReader<V>
        where R : struct, INumber
        where C : struct, INumber =>
        (nint)(delegate*<float*, byte*, int, float*, bool, void>)&MicroKernel<L, V, W, R, C>.Run;
}
