using FramePainter.Graphs;

namespace FramePainter.Cuda.Kernels;

internal sealed partial class LaunchList
{
    /// <summary>Elements that one block takes the moments of: enough to keep it busy, few enough that a device has work for all its multiprocessors.</summary>
    const int ElementsPerChunk = 16384;

    /// <summary>Count, mean and squares of a chunk; mean and two variances of a group.</summary>
    const int NumbersPerPart = 3;

    void GroupNorm(GroupNormOp op)
    {
        var shape = op.Output.Shape;
        var positions = op.Frames * shape.Tokens;
        var sets = shape.Images / op.Frames;
        var moments = Moments(op.Input, op.Groups, positions, sets, 0);
        var (gamma, beta) = (weights.Vector(op.Gamma), weights.Vector(op.Beta));
        var (first, second) = (op.Input.First, op.Input.Second);
        var width = first.Shape.Channels % Wide == 0 && (second is null || second.Shape.Channels % Wide == 0) ? Wide : 1;
        Add($"group_norm_{width}", (Blocks(shape.Count / width, BlockThreads), 1, 1), BlockThreads, 0, places => new GroupNormArgs
        {
            First = places[first], Second = places[second], Out = places[op.Output],
            Moments = places.Scratch + moments, Gamma = gamma, Beta = beta, Positions = (long)shape.Images * shape.Tokens,
            Channels0 = first.Shape.Channels, Channels1 = second?.Shape.Channels ?? 0, Groups = op.Groups, PositionsPerSet = positions,
            Activation = (int)op.Activation, Epsilon = op.Epsilon,
        });
    }

    void LayerNorm(LayerNormOp op)
    {
        var shape = op.Output.Shape;
        var positions = (long)shape.Images * shape.Tokens;
        var (gamma, beta) = (weights.Vector(op.Gamma), weights.Vector(op.Beta));
        var rows = op.Rows;
        Add($"layer_norm_{(shape.Channels % Wide == 0 ? Wide : 1)}", (Blocks(positions, BlockThreads / 32), 1, 1), BlockThreads, 0, places => new LayerNormArgs
        {
            Input = places[op.Input], Rows = places[rows?.Table], Out = places[op.Output], Gamma = gamma, Beta = beta, Positions = positions,
            Channels = shape.Channels, Tokens = shape.Tokens, Images = shape.Images,
            RowCount = rows?.Table.Shape[0] ?? 0, RowByFrame = rows?.Order == RowOrder.ByFrame ? 1 : 0, Epsilon = op.Epsilon,
        });
    }

    void ControlPool(ControlPoolOp op)
    {
        var (input, output) = (op.Input.Shape, op.Output.Shape);
        var moments = Moments(op.Input, 1, input.Tokens, input.Images, 0);
        Add("control_pool", (Blocks(output.Count, BlockThreads), 1, 1), BlockThreads, 0, places => new ControlArgs
        {
            Input = places[op.Input], Out = places[op.Output], Moments = places.Scratch + moments, Count = output.Count,
            Height = input[1], Width = input[2], Channels = input.Channels, PooledHeight = output[1], PooledWidth = output[2], Constant = ControlPoolOp.Epsilon,
        });
    }

    void ControlAlign(ControlAlignOp op)
    {
        var shape = op.Output.Shape;
        var before = shape.Images - op.Control.Shape.Images;
        var moments = Moments(op.Input, 1, shape.Tokens, op.Control.Shape.Images, before);
        Add("control_align", (Blocks(shape.Count, BlockThreads), 1, 1), BlockThreads, 0, places => new ControlArgs
        {
            Input = places[op.Input], Control = places[op.Control], Scales = places[op.Scales], Out = places[op.Output],
            Moments = places.Scratch + moments, Count = shape.Count, PerImage = shape.Tokens * shape.Channels, Before = before, Constant = ControlAlignOp.Strength,
        });
    }

    /// <summary>Mean, biased and unbiased variance of every group of every set of images; returns where in the scratch memory they are.</summary>
    ulong Moments(Operand input, int groups, int positions, int sets, int imagesBefore)
    {
        var (first, second) = (input.First, input.Second);
        var chunk = Math.Max(1, ElementsPerChunk / (input.Channels / groups));
        var chunks = (int)Blocks(positions, chunk);
        var parts = (long)groups * sets * NumbersPerPart * sizeof(float);
        ScratchBytes = Math.Max(ScratchBytes, parts * (chunks + 1));
        MomentsArgs Arguments(ValuePlaces places) => new()
        {
            First = Skip(places, first), Second = second is null ? default : Skip(places, second),
            Parts = places.Scratch + (ulong)parts, Moments = places.Scratch,
            Channels0 = first.Shape.Channels, Channels1 = second?.Shape.Channels ?? 0, Groups = groups, Positions = positions, Chunk = chunk, Chunks = chunks, Sets = sets,
        };
        Add("moments_part", (chunks, groups, sets), BlockThreads, BlockThreads / 32 * sizeof(float), Arguments);
        Add("moments_join", (Blocks((long)groups * sets, 32), 1, 1), 32, 0, Arguments);
        return 0;

        View Skip(ValuePlaces places, Value value) => places.From(new Channels(value, imagesBefore * value.Shape.Tokens * value.Shape.Channels));
    }
}
