namespace FramePainter.Backends.Cpu.Simd;

/// <summary>
/// A register of floats, as wide as an instruction set has them. Kernels are written once over this and specialised by the JIT
/// for every struct that implements it: all calls below become single instructions or short runs of them.
/// </summary>
/// <typeparam name="V">The register's type.</typeparam>
internal unsafe interface ILanes<V>
    where V : struct
{
    /// <summary>Floats in a register.</summary>
    static abstract int Count { get; }

    /// <summary>Rows of the product micro-kernel's tile: with two registers of columns each, its accumulators fill the register file.</summary>
    static abstract int TileRows { get; }

    static abstract V Zero { get; }

    static abstract V Load(float* source);

    static abstract void Store(float* destination, V value);

    /// <summary>Reads the first lanes, 0 in the rest; touches nothing behind.</summary>
    static abstract V LoadPart(float* source, int count);

    /// <summary>Writes the first lanes; touches nothing behind.</summary>
    static abstract void StorePart(float* destination, V value, int count);

    /// <summary>The same float in every lane.</summary>
    static abstract V Create(float value);

    static abstract V Add(V left, V right);

    static abstract V Subtract(V left, V right);

    static abstract V Multiply(V left, V right);

    static abstract V Divide(V left, V right);

    static abstract V Sqrt(V value);

    /// <summary>left·right + addend, rounded once where the processor can.</summary>
    static abstract V Fma(V left, V right, V addend);

    /// <summary>The smaller; a NaN on the right is kept.</summary>
    static abstract V Min(V left, V right);

    /// <summary>The larger; a NaN on the right is kept.</summary>
    static abstract V Max(V left, V right);

    static abstract V Abs(V value);

    /// <summary>The nearest integer, ties to even.</summary>
    static abstract V Round(V value);

    /// <summary>value·2^power for integral powers from −300 to 300; overflow gives infinity, underflow subnormals and 0.</summary>
    static abstract V Scale(V value, V power);

    /// <summary>value·2^power for a value about 1 and integral powers from −160 to 0; below 2^−126.5 it may be 0.</summary>
    static abstract V ScaleDown(V value, V power);

    /// <summary>The magnitude of one with the sign of the other.</summary>
    static abstract V CopySign(V magnitude, V sign);

    /// <summary>Per lane: left &lt; right ? yes : no; no where unordered.</summary>
    static abstract V SelectLess(V left, V right, V yes, V no);

    /// <summary>All lanes added, always in the same order.</summary>
    static abstract float Sum(V value);

    /// <summary>The largest lane; what it is with a NaN among them is not promised.</summary>
    static abstract float MaxAcross(V value);

    /// <summary>Reads IEEE halves and widens them; exact, infinities and NaN included.</summary>
    static abstract V LoadF16(ushort* source);

    /// <summary>Reads bfloat16 and widens them; exact.</summary>
    static abstract V LoadBF16(ushort* source);

    /// <summary>Reads signed bytes and converts them; exact.</summary>
    static abstract V LoadI8(sbyte* source);
}
