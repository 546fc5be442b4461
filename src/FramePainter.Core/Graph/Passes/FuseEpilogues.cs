using System.Collections.Immutable;

namespace FramePainter.Graphs;

/// <summary>
/// Folds pointwise ops into what produces their input: activations, rows, sums and blends become the epilogue of a product,
/// activations the end of a group norm, rows the beginning of a layer norm. Saves writing and reading a tensor each time.
/// An op that changes only per edit never swallows one that changes per step: it would have to be computed in every step.
/// </summary>
internal static class FuseEpilogues
{
    /// <summary>Residuals that a backend's epilogue has room for.</summary>
    const int MaxResiduals = 2;

    public static Graph Run(Graph graph) => DeadOps.Remove(new Pass(graph).Run());

    sealed class Pass(Graph graph)
    {
        readonly Op?[] _ops = [.. graph.Ops];
        readonly Dictionary<Value, int> _producer = [];
        readonly Dictionary<Value, int> _uses = [];

        public Graph Run()
        {
            foreach (var value in graph.Ops.SelectMany(op => op.Inputs).Concat(graph.Outputs))
            {
                _uses[value] = _uses.GetValueOrDefault(value) + 1;
            }

            for (var i = 0; i < _ops.Length; i++)
            {
                Fuse(i);
                foreach (var output in _ops[i]!.Outputs)
                {
                    _producer[output] = i;
                }
            }

            return graph with { Ops = [.. _ops.OfType<Op>()] };
        }

        void Fuse(int index)
        {
            var op = _ops[index]!;
            var (source, fused) = op switch
            {
                ActivateOp a => (a.Input, Activated(Only(a.Input, op), a)),
                AddRowsOp r => (r.Input, WithRows(Only(r.Input, op), r)),
                BlendOp b when Order(b.Left) > Order(b.Right) => FirstOf(b, leftFirst: true),
                BlendOp b => FirstOf(b, leftFirst: false),
                LayerNormOp n when n.Rows is null && Producer(n.Input) is AddRowsOp r =>
                    (n.Input, n with { Input = r.Input, Rows = r.Rows }),
                _ => (null, null),
            };
            if (fused is null)
            {
                return;
            }

            _ops[index] = fused with { Outputs = op.Outputs };
            if (fused is not LayerNormOp)
            {
                _ops[_producer[source!]] = null;
                _producer.Remove(source!);
            }
        }

        (Value?, Op?) FirstOf(BlendOp blend, bool leftFirst)
        {
            var (near, far) = leftFirst ? (blend.Left, blend.Right) : (blend.Right, blend.Left);
            return Blended(Only(near, blend), blend, near) is { } fused ? (near, fused)
                : (far, Blended(Only(far, blend), blend, far));
        }

        Op? Producer(Value value) => _producer.TryGetValue(value, out var index) ? _ops[index] : null;

        int Order(Value value) => _producer.GetValueOrDefault(value, -1);

        /// <summary>What produces the value, when nobody else reads it and it changes as often as its reader.</summary>
        Op? Only(Value value, Op reader) =>
            _uses[value] == 1 && value.Rate == reader.Output.Rate ? Producer(value) : null;

        static Op? Activated(Op? producer, ActivateOp op) => producer switch
        {
            ProductOp { Epilogue: { Activation: Activation.None, Rows: null, Residuals.IsEmpty: true } end } p when end.Scale == MixScale.One =>
                p with { Epilogue = end with { Activation = op.Activation } },
            GroupNormOp { Activation: Activation.None } n when op.Activation != Activation.Geglu => n with { Activation = op.Activation },
            _ => null,
        };

        static ProductOp? WithRows(Op? producer, AddRowsOp op) =>
            producer is ProductOp { Epilogue.Rows: null } p && p.Epilogue.Scale == MixScale.One
                ? p with { Epilogue = p.Epilogue with { Rows = op.Rows } }
                : null;

        ProductOp? Blended(Op? producer, BlendOp op, Value source)
        {
            if (producer is not ProductOp product || op.Left == op.Right)
            {
                return null;
            }

            var (own, other, otherScale) = source == op.Left ? (op.LeftScale, op.Right, op.RightScale) : (op.RightScale, op.Left, op.LeftScale);
            var end = product.Epilogue;
            if (end.Scale.Times(own) is not { } scale)
            {
                return null;
            }

            var rows = end.Rows;
            if (rows is null && scale == MixScale.One && otherScale == MixScale.One && Producer(other) is AddRowsOp added)
            {
                (other, rows) = (added.Input, added.Rows);
            }

            var residuals = ImmutableArray.CreateBuilder<Residual>();
            var merged = false;
            foreach (var residual in end.Residuals)
            {
                if (residual.Scale.Times(own) is not { } scaled)
                {
                    return null;
                }

                if (residual.Value == other && scaled.Plus(otherScale) is { } sum)
                {
                    scaled = sum;
                    merged = true;
                }

                residuals.Add(new Residual(residual.Value, scaled));
            }

            if (!merged)
            {
                residuals.Add(new Residual(other, otherScale));
            }

            return residuals.Count > MaxResiduals
                ? null
                : product with { Epilogue = end with { Scale = scale, Rows = rows, Residuals = residuals.ToImmutable() } };
        }
    }
}
