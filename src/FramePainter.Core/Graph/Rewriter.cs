using System.Collections.Immutable;

namespace FramePainter.Graphs;

/// <summary>Copies ops with other values in place of the ones they name.</summary>
internal static class Rewriter
{
    public static Op Replace(Op op, Func<Value, Value> map)
    {
        Operand Two(Operand o) => new(map(o.First), o.Second is null ? null : map(o.Second));
        Channels Part(Channels c) => c with { Value = map(c.Value) };
        Qkv Set(Qkv q) => new(Part(q.Query), Part(q.Key), Part(q.Value));
        RowTable? Rows(RowTable? r) => r is { } rows ? rows with { Table = map(rows.Table) } : null;
        Epilogue End(Epilogue e) => e with
        {
            Rows = Rows(e.Rows),
            Residuals = [.. e.Residuals.Select(r => r with { Value = map(r.Value) })],
        };

        Op copy = op switch
        {
            ProductOp o => o with { Input = Two(o.Input), Epilogue = End(o.Epilogue) },
            GroupNormOp o => o with { Input = Two(o.Input) },
            LayerNormOp o => o with { Input = map(o.Input), Rows = Rows(o.Rows) },
            AttentionOp o => o with { Self = Set(o.Self), Matching = o.Matching is { } m ? Set(m) : null },
            AttentionProbabilitiesOp o => o with { Query = Part(o.Query), Key = Part(o.Key) },
            TemporalAttentionOp o => o with { Input = Set(o.Input) },
            ActivateOp o => o with { Input = map(o.Input) },
            BlendOp o => o with { Left = map(o.Left), Right = map(o.Right) },
            AddRowsOp o => o with { Input = map(o.Input), Rows = Rows(o.Rows)!.Value },
            AddTokensOp o => o with { Input = map(o.Input), Points = map(o.Points) },
            ScaleOp o => o with { Input = map(o.Input), Scalars = map(o.Scalars) },
            ControlPoolOp o => o with { Input = map(o.Input) },
            ControlAlignOp o => o with { Input = map(o.Input), Control = map(o.Control), Scales = map(o.Scales) },
            SinusoidOp o => o with { Input = map(o.Input) },
            SelectRowOp o => o with { Table = map(o.Table), Index = o.Index is null ? null : map(o.Index) },
            ClassTokenOp o => o with { Patches = map(o.Patches) },
            JoinHalvesOp o => o with { Shared = map(o.Shared), Conditional = map(o.Conditional) },
            EulerOp o => o with { Velocity = map(o.Velocity), Latents = map(o.Latents), Scalars = map(o.Scalars) },
            _ => throw new NotSupportedException($"{op.GetType().Name} has no rewriting."),
        };
        return copy with { Outputs = [.. op.Outputs.Select(map)] };
    }
}
