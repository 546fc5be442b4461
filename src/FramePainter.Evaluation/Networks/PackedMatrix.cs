using System.Numerics;
using System.Runtime.InteropServices;

namespace FramePainter.Evaluation.Networks;

/// <summary>A linear layer's weights, laid out so that a register tile of four rows by two vectors reads them in order.</summary>
sealed class PackedMatrix
{
    // Rows one worker takes at a time: their inputs stay in its cache while all weights pass by.
    const int RowsPerTile = 32;
    const int RegisterRows = 4;
    static readonly int s_lanes = Vector<float>.Count;
    static readonly int s_panel = 2 * Vector<float>.Count;

    readonly float[] _panels;
    readonly float[] _bias;

    /// <summary>Packs weights.</summary>
    /// <param name="weights">[outputs, inputs].</param>
    /// <param name="bias">[outputs], or empty.</param>
    /// <param name="outputs">Numbers a row becomes.</param>
    /// <param name="inputs">Numbers of a row.</param>
    public PackedMatrix(ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, int outputs, int inputs)
    {
        (Outputs, Inputs) = (outputs, inputs);
        var panels = (outputs + s_panel - 1) / s_panel;
        _panels = new float[panels * s_panel * inputs];
        _bias = new float[panels * s_panel];
        bias.CopyTo(_bias);
        for (var o = 0; o < outputs; o++)
        {
            var panel = _panels.AsSpan(o / s_panel * s_panel * inputs);
            for (var i = 0; i < inputs; i++)
            {
                panel[(i * s_panel) + (o % s_panel)] = weights[(o * inputs) + i];
            }
        }
    }

    public int Outputs { get; }

    public int Inputs { get; }

    /// <summary>Multiplies rows made tile by tile, on all cores.</summary>
    /// <param name="count">How many rows there are.</param>
    /// <param name="fill">Writes row i of the input.</param>
    /// <param name="rectify">Whether negative results become 0.</param>
    /// <param name="cancel">Looked at between tiles.</param>
    /// <returns>[count, outputs].</returns>
    public float[] Multiply(int count, RowFiller fill, bool rectify, CancellationToken cancel)
    {
        var result = new float[count * Outputs];
        Parallel.For(
            0,
            (count + RowsPerTile - 1) / RowsPerTile,
            new ParallelOptions { CancellationToken = cancel },
            () => new float[RowsPerTile * Inputs],
            (tile, _, rows) =>
            {
                var first = tile * RowsPerTile;
                var height = Math.Min(RowsPerTile, count - first);
                for (var r = 0; r < height; r++)
                {
                    fill(first + r, rows.AsSpan(r * Inputs, Inputs));
                }

                MultiplyTile(rows, height, result.AsSpan(first * Outputs, height * Outputs), rectify);
                return rows;
            },
            _ => { });
        return result;
    }

    /// <summary>Multiplies rows that lie in memory.</summary>
    public float[] Multiply(float[] rows, CancellationToken cancel) =>
        Multiply(rows.Length / Inputs, (i, row) => rows.AsSpan(i * Inputs, Inputs).CopyTo(row), rectify: false, cancel);

    void MultiplyTile(ReadOnlySpan<float> rows, int height, Span<float> result, bool rectify)
    {
        for (var column = 0; column < Outputs; column += s_panel)
        {
            var panel = _panels.AsSpan(column * Inputs, s_panel * Inputs);
            var r = 0;
            for (; r <= height - RegisterRows; r += RegisterRows)
            {
                FourRows(rows.Slice(r * Inputs, RegisterRows * Inputs), panel, result[(r * Outputs)..], column, rectify);
            }

            for (; r < height; r++)
            {
                OneRow(rows.Slice(r * Inputs, Inputs), panel, result[(r * Outputs)..], column, rectify);
            }
        }
    }

    void FourRows(ReadOnlySpan<float> rows, ReadOnlySpan<float> panel, Span<float> result, int column, bool rectify)
    {
        var (left, right) = (new Vector<float>(_bias.AsSpan(column)), new Vector<float>(_bias.AsSpan(column + s_lanes)));
        Vector<float> a0 = left, a1 = right, b0 = left, b1 = right, c0 = left, c1 = right, d0 = left, d1 = right;
        ref var weights = ref MemoryMarshal.GetReference(panel);
        var a = rows[..Inputs];
        var b = rows.Slice(Inputs, Inputs);
        var c = rows.Slice(2 * Inputs, Inputs);
        var d = rows.Slice(3 * Inputs, Inputs);
        for (var i = 0; i < a.Length; i++)
        {
            var w0 = Vector.LoadUnsafe(ref weights, (nuint)(i * s_panel));
            var w1 = Vector.LoadUnsafe(ref weights, (nuint)((i * s_panel) + s_lanes));
            var x = new Vector<float>(a[i]);
            a0 = Vector.FusedMultiplyAdd(x, w0, a0);
            a1 = Vector.FusedMultiplyAdd(x, w1, a1);
            x = new Vector<float>(b[i]);
            b0 = Vector.FusedMultiplyAdd(x, w0, b0);
            b1 = Vector.FusedMultiplyAdd(x, w1, b1);
            x = new Vector<float>(c[i]);
            c0 = Vector.FusedMultiplyAdd(x, w0, c0);
            c1 = Vector.FusedMultiplyAdd(x, w1, c1);
            x = new Vector<float>(d[i]);
            d0 = Vector.FusedMultiplyAdd(x, w0, d0);
            d1 = Vector.FusedMultiplyAdd(x, w1, d1);
        }

        Store(a0, a1, result, column, rectify);
        Store(b0, b1, result[Outputs..], column, rectify);
        Store(c0, c1, result[(2 * Outputs)..], column, rectify);
        Store(d0, d1, result[(3 * Outputs)..], column, rectify);
    }

    void OneRow(ReadOnlySpan<float> row, ReadOnlySpan<float> panel, Span<float> result, int column, bool rectify)
    {
        var (a0, a1) = (new Vector<float>(_bias.AsSpan(column)), new Vector<float>(_bias.AsSpan(column + s_lanes)));
        ref var weights = ref MemoryMarshal.GetReference(panel);
        for (var i = 0; i < row.Length; i++)
        {
            var x = new Vector<float>(row[i]);
            a0 = Vector.FusedMultiplyAdd(x, Vector.LoadUnsafe(ref weights, (nuint)(i * s_panel)), a0);
            a1 = Vector.FusedMultiplyAdd(x, Vector.LoadUnsafe(ref weights, (nuint)((i * s_panel) + s_lanes)), a1);
        }

        Store(a0, a1, result, column, rectify);
    }

    void Store(Vector<float> left, Vector<float> right, Span<float> row, int column, bool rectify)
    {
        if (rectify)
        {
            (left, right) = (Vector.Max(left, Vector<float>.Zero), Vector.Max(right, Vector<float>.Zero));
        }

        if (column + s_panel <= Outputs)
        {
            left.CopyTo(row[column..]);
            right.CopyTo(row[(column + s_lanes)..]);
            return;
        }

        Span<float> padded = stackalloc float[s_panel];
        left.CopyTo(padded);
        right.CopyTo(padded[s_lanes..]);
        padded[..(Outputs - column)].CopyTo(row[column..Outputs]);
    }
}

/// <summary>Writes one row of a product's input.</summary>
delegate void RowFiller(int index, Span<float> row);
