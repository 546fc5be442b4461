using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Conformance;

/// <summary>Epilogues of every kind for products: the passes set them, so the cases put them on by hand.</summary>
internal static class Epilogues
{
    static readonly Activation[] s_activations =
        [Activation.None, Activation.Silu, Activation.Gelu, Activation.QuickGelu, Activation.Relu, Activation.Geglu];

    static readonly (RowOrder Order, int Rows)[] s_rows =
        [(RowOrder.ByRun, 0), (RowOrder.ByRun, 1), (RowOrder.ByRun, 2), (RowOrder.ByFrame, 2), (RowOrder.ByRun, -1), (RowOrder.ByFrame, -1), (RowOrder.ByFrame, 1)];

    /// <summary>How many combinations there are; every pair of activation and row table is one of them.</summary>
    public static int Count => s_activations.Length * s_rows.Length;

    /// <summary>Whether the combination makes the output half as wide as the matrix.</summary>
    public static bool Halves(int combination) => s_activations[combination % s_activations.Length] == Activation.Geglu;

    /// <summary>A name for people.</summary>
    public static string Name(int combination)
    {
        var (order, rows) = s_rows[combination / s_activations.Length];
        return $"{s_activations[combination % s_activations.Length]} {order} {(rows < 0 ? "N" : rows)} residuals {combination % 4} scale {combination / 4 % 3}";
    }

    /// <summary>Puts an epilogue on the case's product.</summary>
    /// <param name="c">The case.</param>
    /// <param name="product">The product's output before the epilogue.</param>
    /// <param name="combination">Which one.</param>
    public static void Add(CaseBuilder c, Value product, int combination)
    {
        var activation = s_activations[combination % s_activations.Length];
        var (order, rows) = s_rows[combination / s_activations.Length];
        var shape = activation == Activation.Geglu ? product.Shape.WithChannels(product.Shape.Channels / 2) : product.Shape;
        RowTable? table = rows == 0 ? null : new RowTable(c.Data(rows < 0 ? shape.Images : rows, shape.Channels), order);
        var first = combination % 4 > 0 ? c.Data(shape.Extents) : null;
        var second = combination % 4 == 2 ? c.Data(shape.Extents) : first;
        Residual[] residuals = (combination % 4) switch
        {
            0 => [],
            1 => [new Residual(first!, MixScale.One)],
            2 => [new Residual(first!, c.Mix()), new Residual(second!, new MixScale(-0.75f))],
            _ => [new Residual(first!, c.Mix(inverse: true)), new Residual(second!, new MixScale(1.5f))],
        };
        var epilogue = new Epilogue
        {
            Activation = activation,
            Rows = table,
            Scale = (combination / 4 % 3) switch { 0 => MixScale.One, 1 => new MixScale(0.5f), _ => c.Mix(inverse: true) },
            Residuals = [.. residuals],
        };
        c.Change(op => ((ProductOp)op) with { Epilogue = epilogue, Outputs = [new Value(op.Output.Id, op.Output.Name, shape, op.Output.Rate)] });
    }
}
