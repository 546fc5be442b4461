using FramePainter.Backends;
using FramePainter.Graphs;

namespace FramePainter.Cuda.Kernels;

internal sealed partial class LaunchList
{
    void Activate(ActivateOp op) => AddPointwise("activate", op.Output, hasWide: true, places => new PointwiseArgs
    {
        Left = places[op.Input], Channels = op.Output.Shape.Channels, Activation = (int)op.Activation,
    });

    void Blend(BlendOp op)
    {
        var (left, right) = (weights.Scale(op.LeftScale), weights.Scale(op.RightScale));
        AddPointwise("blend", op.Output, hasWide: true, places => new PointwiseArgs
        {
            Left = places[op.Left], Right = places[op.Right], LeftScale = left, RightScale = right,
        });
    }

    void AddRows(AddRowsOp op) => AddPointwise("add_rows", op.Output, hasWide: true, places => new PointwiseArgs
    {
        Left = places[op.Input], Right = places[op.Rows.Table], Channels = op.Output.Shape.Channels, Tokens = op.Output.Shape.Tokens,
        Images = op.Output.Shape.Images, RowCount = op.Rows.Table.Shape[0], RowByFrame = op.Rows.Order == RowOrder.ByFrame ? 1 : 0,
    });

    void AddTokens(AddTokensOp op)
    {
        var shape = op.Output.Shape;
        var width = shape.Channels % Wide == 0 ? Wide : 1;
        Add($"add_tokens_{width}", (Blocks(shape.Count / width, BlockThreads), 1, 1), BlockThreads, 0, places => new AddTokensArgs
        {
            Input = places[op.Input], Points = places[op.Points], Out = places[op.Output], Count = shape.Count, Channels = shape.Channels,
            Height = shape[1], Width = shape[2], Rows = op.Points.Shape[0], Source = shape.Images - op.Frames,
        });
    }

    void Scale(ScaleOp op) => AddPointwise("scale", op.Output, hasWide: false, places => new PointwiseArgs
    {
        Left = places[op.Input], Right = places[op.Scalars], Offset = op.Column,
    });

    readonly HashSet<Op> _selected = [];

    /// <summary>Rows of tables from outside that one number picks are copied by one launch, where the first is wanted: float32 inside a plan has places of its own, which nothing else uses before.</summary>
    void SelectRow(SelectRowOp op)
    {
        if (!IsTableRow(op))
        {
            AddPointwise("select_row", op.Output, hasWide: true, places => new PointwiseArgs { Left = places[op.Table], Right = places[op.Index], Offset = op.Row });
            return;
        }

        if (_selected.Contains(op))
        {
            return;
        }

        var rows = plan.Graph.Ops.OfType<SelectRowOp>().Where(o => IsTableRow(o) && o.Index == op.Index && !_selected.Contains(o)).Take(SelectedRows.Most).ToArray();
        _selected.UnionWith(rows);
        Add("select_rows", (rows.Length, 1, 1), BlockThreads, 0, places =>
        {
            var arguments = new SelectRowsArgs { Index = places[op.Index].Data };
            for (var i = 0; i < rows.Length; i++)
            {
                arguments.Rows[i] = new SelectedRow { Table = places[rows[i].Table].Data, Out = places[rows[i].Output].Data, Length = rows[i].Output.Shape.Count };
            }

            return arguments;
        });

        bool IsTableRow(SelectRowOp one) =>
            one.Index is { } index && plan.IsExternal(index) && plan.IsExternal(one.Table) && !plan.IsExternal(one.Output) && !HalfLayout.IsHalf(one.Output);
    }

    void ClassToken(ClassTokenOp op)
    {
        var table = weights.Vectors(op.Class, op.Positions);
        AddPointwise("class_token", op.Output, hasWide: false, places => new PointwiseArgs
        {
            Left = places[op.Patches], Right = new View { Data = table }, Channels = op.Output.Shape.Channels, Tokens = op.Output.Shape.Tokens,
        });
    }

    void JoinHalves(JoinHalvesOp op) => AddPointwise("join_halves", op.Output, hasWide: false, places => new PointwiseArgs
    {
        Left = places[op.Shared], Right = places[op.Conditional], Images = op.Shared.Shape.Images,
        Tokens = op.Shared.Shape.Tokens * op.Shared.Shape.Channels, Halves = op.Halves,
    });

    void Sinusoid(SinusoidOp op)
    {
        var half = op.Dim / 2;
        var frequencies = weights.Constants($"sinusoid {half}", half, () => [.. Enumerable.Range(0, half).Select(k => Math.Pow(10000, -(double)k / half))]);
        Add("sinusoid", (Blocks(op.Output.Shape.Count, BlockThreads), 1, 1), BlockThreads, 0, places => new SinusoidArgs
        {
            Input = places[op.Input], Out = places[op.Output], Frequencies = frequencies, Count = op.Output.Shape.Count, Half = half,
        });
    }

    void Euler(EulerOp op) =>
        Add("euler", (Blocks(op.Output.Shape.Count, BlockThreads), 1, 1), BlockThreads, 0, places => new EulerArgs
        {
            Velocity = places[op.Velocity], Latents = places[op.Latents], Scalars = places[op.Scalars], Out = places[op.Output],
            Count = op.Output.Shape.Count, Halves = op.Velocity.Shape.Images / op.Latents.Shape.Images,
        });
}
