namespace FramePainter.Backends.Cpu.Simd;

/// <summary>Micro-kernels of one lane struct for every count of rows, found by it.</summary>
/// <typeparam name="L">The lanes.</typeparam>
/// <typeparam name="V">Their register.</typeparam>
internal static unsafe class MicroKernels<L, V>
    where L : struct, ILanes<V>
    where V : struct
{
    /// <summary>Kernels for weights in float, two registers of columns: index rows − 1.</summary>
    public static readonly nint[] Wide = Table<ReadF32<L, V>, Two>();

    /// <summary>Kernels for weights in float, one register of columns.</summary>
    public static readonly nint[] Narrow = Table<ReadF32<L, V>, One>();

    static readonly nint[] s_halves = Table<ReadF16<L, V>, Two>();
    static readonly nint[] s_brains = Table<ReadBF16<L, V>, Two>();

    /// <summary>Kernels that read weights as they are stored, two registers of columns.</summary>
    public static nint[] Direct(Tensors.DType type) => type switch
    {
        Tensors.DType.F16 => s_halves,
        Tensors.DType.BF16 => s_brains,
        _ => Wide,
    };

    static nint[] Table<W, C>()
        where W : struct, IWeightReader<V>
        where C : struct, INumber
    {
        if (L.TileRows <= 6)
        {
            return [Of<W, N1, C>(), Of<W, N2, C>(), Of<W, N3, C>(), Of<W, N4, C>(), Of<W, N5, C>(), Of<W, N6, C>()];
        }

        return
        [
            Of<W, N1, C>(), Of<W, N2, C>(), Of<W, N3, C>(), Of<W, N4, C>(), Of<W, N5, C>(), Of<W, N6, C>(), Of<W, N7, C>(),
            Of<W, N8, C>(), Of<W, N9, C>(), Of<W, N10, C>(), Of<W, N11, C>(), Of<W, N12, C>(), Of<W, N13, C>(), Of<W, N14, C>(),
        ];
    }

    static nint Of<W, R, C>()
        where W : struct, IWeightReader<V>
        where R : struct, INumber
        where C : struct, INumber =>
        (nint)(delegate*<float*, byte*, int, float*, bool, void>)&MicroKernel<L, V, W, R, C>.Run;

    readonly struct One : INumber
    {
        public static int Value => 1;
    }

    readonly struct Two : INumber
    {
        public static int Value => 2;
    }

    readonly struct N1 : INumber
    {
        public static int Value => 1;
    }

    readonly struct N2 : INumber
    {
        public static int Value => 2;
    }

    readonly struct N3 : INumber
    {
        public static int Value => 3;
    }

    readonly struct N4 : INumber
    {
        public static int Value => 4;
    }

    readonly struct N5 : INumber
    {
        public static int Value => 5;
    }

    readonly struct N6 : INumber
    {
        public static int Value => 6;
    }

    readonly struct N7 : INumber
    {
        public static int Value => 7;
    }

    readonly struct N8 : INumber
    {
        public static int Value => 8;
    }

    readonly struct N9 : INumber
    {
        public static int Value => 9;
    }

    readonly struct N10 : INumber
    {
        public static int Value => 10;
    }

    readonly struct N11 : INumber
    {
        public static int Value => 11;
    }

    readonly struct N12 : INumber
    {
        public static int Value => 12;
    }

    readonly struct N13 : INumber
    {
        public static int Value => 13;
    }

    readonly struct N14 : INumber
    {
        public static int Value => 14;
    }
}
