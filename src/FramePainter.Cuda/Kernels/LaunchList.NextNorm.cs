using System.Numerics;
using FramePainter.Graphs;

namespace FramePainter.Cuda.Kernels;

/// <content>Statistics of a group norm, taken by Hopper's product that makes its input: see kernels/hopper/product_moments.h.</content>
internal sealed partial class LaunchList
{
    /// <summary>Lanes of each warp that share the columns of a tile.</summary>
    const int MomentLanes = 16;

    readonly Dictionary<GroupNormOp, NormParts> _partsOfNorms = new(ReferenceEqualityComparer.Instance);

    /// <summary>The first group norm of each value that is read by one alone, not beside another value.</summary>
    Dictionary<int, GroupNormOp>? _normOfValue;

    /// <summary>Bytes of the parts of all norms whose statistics products take.</summary>
    public long NormBytes { get; private set; }

    Dictionary<int, GroupNormOp> NormOfValue => _normOfValue ??= plan.Graph.Ops.OfType<GroupNormOp>().Where(norm => norm.Input.Second is null)
        .DistinctBy(norm => norm.Input.First.Id).ToDictionary(norm => norm.Input.First.Id);

    /// <summary>
    /// What a product is told of the norm behind it: where each tile leaves its groups' moments. Nothing where there is none, or where groups or sets of the norm
    /// do not consist of whole tiles.
    /// </summary>
    /// <param name="output">What the product makes.</param>
    /// <param name="grid">Its positions.</param>
    /// <param name="box">Positions of a tile: columns, rows, images.</param>
    /// <param name="columns">Columns of a tile.</param>
    Func<ValuePlaces, NextNormArgs>? NextNorm(Value output, Grid grid, (int X, int Y, int Images) box, int columns)
    {
        if (grid.OutScale != 1 || output.Shape.Channels % columns != 0 || !IsHalf(plan, output) || !NormOfValue.TryGetValue(output.Id, out var norm))
        {
            return null;
        }

        var width = output.Shape.Channels / norm.Groups;
        var (lanes, rest) = Math.DivRem(width, columns / MomentLanes);
        var set = (long)norm.Frames * output.Shape.Tokens;
        if (rest != 0 || !BitOperations.IsPow2(lanes) || lanes > MomentLanes || TilesOf(set, grid, box) is not { } chunks)
        {
            return null;
        }

        var offset = NormBytes;
        NormBytes += (long)norm.Groups * (output.Shape.Images / norm.Frames) * chunks * NumbersPerPart * sizeof(float);
        var parts = new NormParts(places => places.NormParts + (ulong)offset, chunks);
        _partsOfNorms.Add(norm, parts);
        return places => new NextNormArgs { Parts = parts.Place(places), Groups = norm.Groups, Width = width, Chunks = chunks };
    }

    /// <summary>How many whole tiles in a row so many positions in a row are, wherever they begin; null where they are not.</summary>
    static int? TilesOf(long positions, Grid grid, (int X, int Y, int Images) box)
    {
        long tilesX = Blocks(grid.Width, box.X), row = grid.Width, picture = row * grid.Height;
        if (positions % picture == 0)
        {
            var images = positions / picture;
            return images % box.Images == 0 ? (int)(images / box.Images * tilesX * Blocks(grid.Height, box.Y)) : null;
        }

        if (box.Images > 1)
        {
            return null;
        }

        if (picture % positions == 0 && positions % row == 0)
        {
            var rows = positions / row;
            return rows % box.Y == 0 ? (int)(rows / box.Y * tilesX) : null;
        }

        return box.Y == 1 && row % positions == 0 && positions % box.X == 0 ? (int)(positions / box.X) : null;
    }
}
