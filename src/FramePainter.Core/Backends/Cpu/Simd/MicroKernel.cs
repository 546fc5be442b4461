using System.Runtime.CompilerServices;

namespace FramePainter.Backends.Cpu.Simd;

/// <summary>How a kernel reads weights.</summary>
/// <typeparam name="V">The register.</typeparam>
internal unsafe interface IWeightReader<V>
    where V : struct
{
    /// <summary>Bytes of one weight.</summary>
    static abstract int Size { get; }

    /// <summary>A register of consecutive weights.</summary>
    static abstract V Load(byte* weights);
}

/// <summary>
/// The heart of every product: a tile of up to 14 rows by two registers of columns is summed over consecutive inputs with all sums in registers.
/// Per input it loads two registers of weights and broadcasts one float of each row, 28 multiply-adds to 16 loads for 14 rows.
/// Rows lie at a distance known to the JIT, so that one address register serves all of them.
/// </summary>
/// <typeparam name="L">The lanes.</typeparam>
/// <typeparam name="V">Their register.</typeparam>
/// <typeparam name="W">How weights are read.</typeparam>
/// <typeparam name="R">How many rows.</typeparam>
/// <typeparam name="C">How many registers of columns, 1 or 2.</typeparam>
internal static unsafe class MicroKernel<L, V, W, R, C>
    where L : struct, ILanes<V>
    where V : struct
    where W : struct, IWeightReader<V>
    where R : struct, INumber
    where C : struct, INumber
{
    /// <summary>tile (+)= rows × panel.</summary>
    /// <param name="rows">First float of the first row; rows are <see cref="Blocking.RowStride"/> apart.</param>
    /// <param name="panel">Weights, two registers of columns an input.</param>
    /// <param name="inputs">How many inputs are summed.</param>
    /// <param name="tile">Sums, two registers a row.</param>
    /// <param name="accumulate">Add to what the tile holds.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(float* rows, byte* panel, int inputs, float* tile, bool accumulate)
    {
        const int s = Blocking.RowStride;
        V a0 = L.Zero, b0 = L.Zero,
            a1 = L.Zero, b1 = L.Zero,
            a2 = L.Zero, b2 = L.Zero,
            a3 = L.Zero, b3 = L.Zero,
            a4 = L.Zero, b4 = L.Zero,
            a5 = L.Zero, b5 = L.Zero,
            a6 = L.Zero, b6 = L.Zero,
            a7 = L.Zero, b7 = L.Zero,
            a8 = L.Zero, b8 = L.Zero,
            a9 = L.Zero, b9 = L.Zero,
            a10 = L.Zero, b10 = L.Zero,
            a11 = L.Zero, b11 = L.Zero,
            a12 = L.Zero, b12 = L.Zero,
            a13 = L.Zero, b13 = L.Zero;
        if (accumulate)
        {
            if (R.Value > 0) { a0 = Get(tile, 0); if (C.Value > 1) b0 = Get(tile, 1); }
            if (R.Value > 1) { a1 = Get(tile, 2); if (C.Value > 1) b1 = Get(tile, 3); }
            if (R.Value > 2) { a2 = Get(tile, 4); if (C.Value > 1) b2 = Get(tile, 5); }
            if (R.Value > 3) { a3 = Get(tile, 6); if (C.Value > 1) b3 = Get(tile, 7); }
            if (R.Value > 4) { a4 = Get(tile, 8); if (C.Value > 1) b4 = Get(tile, 9); }
            if (R.Value > 5) { a5 = Get(tile, 10); if (C.Value > 1) b5 = Get(tile, 11); }
            if (R.Value > 6) { a6 = Get(tile, 12); if (C.Value > 1) b6 = Get(tile, 13); }
            if (R.Value > 7) { a7 = Get(tile, 14); if (C.Value > 1) b7 = Get(tile, 15); }
            if (R.Value > 8) { a8 = Get(tile, 16); if (C.Value > 1) b8 = Get(tile, 17); }
            if (R.Value > 9) { a9 = Get(tile, 18); if (C.Value > 1) b9 = Get(tile, 19); }
            if (R.Value > 10) { a10 = Get(tile, 20); if (C.Value > 1) b10 = Get(tile, 21); }
            if (R.Value > 11) { a11 = Get(tile, 22); if (C.Value > 1) b11 = Get(tile, 23); }
            if (R.Value > 12) { a12 = Get(tile, 24); if (C.Value > 1) b12 = Get(tile, 25); }
            if (R.Value > 13) { a13 = Get(tile, 26); if (C.Value > 1) b13 = Get(tile, 27); }
        }

        do
        {
            var w0 = W.Load(panel);
            var w1 = C.Value > 1 ? W.Load(panel + (L.Count * W.Size)) : w0;
            if (R.Value > 0) { var x = L.Create(rows[0 * s]); a0 = L.Fma(x, w0, a0); if (C.Value > 1) b0 = L.Fma(x, w1, b0); }
            if (R.Value > 1) { var x = L.Create(rows[1 * s]); a1 = L.Fma(x, w0, a1); if (C.Value > 1) b1 = L.Fma(x, w1, b1); }
            if (R.Value > 2) { var x = L.Create(rows[2 * s]); a2 = L.Fma(x, w0, a2); if (C.Value > 1) b2 = L.Fma(x, w1, b2); }
            if (R.Value > 3) { var x = L.Create(rows[3 * s]); a3 = L.Fma(x, w0, a3); if (C.Value > 1) b3 = L.Fma(x, w1, b3); }
            if (R.Value > 4) { var x = L.Create(rows[4 * s]); a4 = L.Fma(x, w0, a4); if (C.Value > 1) b4 = L.Fma(x, w1, b4); }
            if (R.Value > 5) { var x = L.Create(rows[5 * s]); a5 = L.Fma(x, w0, a5); if (C.Value > 1) b5 = L.Fma(x, w1, b5); }
            if (R.Value > 6) { var x = L.Create(rows[6 * s]); a6 = L.Fma(x, w0, a6); if (C.Value > 1) b6 = L.Fma(x, w1, b6); }
            if (R.Value > 7) { var x = L.Create(rows[7 * s]); a7 = L.Fma(x, w0, a7); if (C.Value > 1) b7 = L.Fma(x, w1, b7); }
            if (R.Value > 8) { var x = L.Create(rows[8 * s]); a8 = L.Fma(x, w0, a8); if (C.Value > 1) b8 = L.Fma(x, w1, b8); }
            if (R.Value > 9) { var x = L.Create(rows[9 * s]); a9 = L.Fma(x, w0, a9); if (C.Value > 1) b9 = L.Fma(x, w1, b9); }
            if (R.Value > 10) { var x = L.Create(rows[10 * s]); a10 = L.Fma(x, w0, a10); if (C.Value > 1) b10 = L.Fma(x, w1, b10); }
            if (R.Value > 11) { var x = L.Create(rows[11 * s]); a11 = L.Fma(x, w0, a11); if (C.Value > 1) b11 = L.Fma(x, w1, b11); }
            if (R.Value > 12) { var x = L.Create(rows[12 * s]); a12 = L.Fma(x, w0, a12); if (C.Value > 1) b12 = L.Fma(x, w1, b12); }
            if (R.Value > 13) { var x = L.Create(rows[13 * s]); a13 = L.Fma(x, w0, a13); if (C.Value > 1) b13 = L.Fma(x, w1, b13); }
            rows++;
            panel += 2 * L.Count * W.Size;
        }
        while (--inputs > 0);

        if (R.Value > 0) { Put(tile, 0, a0); if (C.Value > 1) Put(tile, 1, b0); }
        if (R.Value > 1) { Put(tile, 2, a1); if (C.Value > 1) Put(tile, 3, b1); }
        if (R.Value > 2) { Put(tile, 4, a2); if (C.Value > 1) Put(tile, 5, b2); }
        if (R.Value > 3) { Put(tile, 6, a3); if (C.Value > 1) Put(tile, 7, b3); }
        if (R.Value > 4) { Put(tile, 8, a4); if (C.Value > 1) Put(tile, 9, b4); }
        if (R.Value > 5) { Put(tile, 10, a5); if (C.Value > 1) Put(tile, 11, b5); }
        if (R.Value > 6) { Put(tile, 12, a6); if (C.Value > 1) Put(tile, 13, b6); }
        if (R.Value > 7) { Put(tile, 14, a7); if (C.Value > 1) Put(tile, 15, b7); }
        if (R.Value > 8) { Put(tile, 16, a8); if (C.Value > 1) Put(tile, 17, b8); }
        if (R.Value > 9) { Put(tile, 18, a9); if (C.Value > 1) Put(tile, 19, b9); }
        if (R.Value > 10) { Put(tile, 20, a10); if (C.Value > 1) Put(tile, 21, b10); }
        if (R.Value > 11) { Put(tile, 22, a11); if (C.Value > 1) Put(tile, 23, b11); }
        if (R.Value > 12) { Put(tile, 24, a12); if (C.Value > 1) Put(tile, 25, b12); }
        if (R.Value > 13) { Put(tile, 26, a13); if (C.Value > 1) Put(tile, 27, b13); }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static V Get(float* tile, int register) => L.Load(tile + (register * L.Count));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Put(float* tile, int register, V value) => L.Store(tile + (register * L.Count), value);
}
