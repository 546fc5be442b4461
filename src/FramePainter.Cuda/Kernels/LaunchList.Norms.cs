using FramePainter.Graphs;

namespace FramePainter.Cuda.Kernels;

internal sealed partial class LaunchList
{
    /// <summary>Elements that one block of moments_part_1 takes: enough to keep it busy, few enough that a device has work for all its multiprocessors.</summary>
    const int ElementsPerChunk = 16384;

    /// <summary>Most threads of a block of moments_part_8 and group_norm_8; each takes eight channels.</summary>
    const int NormThreads = 320;

    const int LayerNormThreads = 128;

    /// <summary>Groups that one block of moments_join and moments_fold takes.</summary>
    const int JoinWarps = 4;

    /// <summary>Count, mean and squares of a chunk; mean and two variances of a group.</summary>
    const int NumbersPerPart = 3;

    /// <summary>How blocks of threads for eight channels each lie over a set of positions.</summary>
    /// <param name="Threads">Threads of a block, whole warps.</param>
    /// <param name="Rows">Positions that a block takes at once.</param>
    /// <param name="Chunk">Positions of one block.</param>
    /// <param name="Chunks">Blocks of one set.</param>
    readonly record struct NormGrid(int Threads, int Rows, int Chunk, int Chunks);

    void GroupNorm(GroupNormOp op)
    {
        var shape = op.Output.Shape;
        var positions = op.Frames * shape.Tokens;
        var sets = shape.Images / op.Frames;
        var (gamma, beta) = (weights.Vector(op.Gamma), weights.Vector(op.Beta));
        var (first, second) = (op.Input.First, op.Input.Second);
        var grid = NormGridOf(op.Input, positions, sets);
        GroupNormArgs Arguments(ValuePlaces places, ulong moments, int chunks) => new()
        {
            First = places[first], Second = places[second], Out = places[op.Output],
            Moments = moments, Gamma = gamma, Beta = beta, Positions = (long)shape.Images * shape.Tokens,
            Channels0 = first.Shape.Channels, Channels1 = second?.Shape.Channels ?? 0, Groups = op.Groups, PositionsPerSet = positions,
            Activation = (int)op.Activation, Chunk = grid?.Chunk ?? 0, Chunks = chunks, Epsilon = op.Epsilon,
        };
        if (grid is not { } wide)
        {
            Moments(op.Input, op.Groups, positions, sets, 0);
            Add("group_norm_1", (Blocks(shape.Count, BlockThreads), 1, 1), BlockThreads, 0, places => Arguments(places, places.Scratch, 0));
            return;
        }

        var parts = _partsOfNorms.TryGetValue(op, out var taken) ? taken : MomentParts(op.Input, op.Groups, positions, sets, 0);
        parts = parts.Chunks > tuning.JoinedChunks ? Fold(parts, op.Groups, sets) : parts;
        Add("group_norm_8", (wide.Chunks, sets, 1), wide.Threads, 2 * op.Groups * sizeof(float), places => Arguments(places, parts.Place(places), parts.Chunks));
    }

    void LayerNorm(LayerNormOp op)
    {
        var shape = op.Output.Shape;
        var positions = (long)shape.Images * shape.Tokens;
        var (gamma, beta) = (weights.Vector(op.Gamma), weights.Vector(op.Beta));
        var rows = op.Rows;
        LayerNormArgs Arguments(ValuePlaces places, int step) => new()
        {
            Input = places[op.Input], Rows = places[rows?.Table], Out = places[op.Output], Gamma = gamma, Beta = beta, Positions = positions,
            Channels = shape.Channels, Tokens = shape.Tokens, Images = shape.Images,
            RowCount = rows?.Table.Shape[0] ?? 0, RowByFrame = rows?.Order == RowOrder.ByFrame ? 1 : 0, Step = step, Epsilon = op.Epsilon,
        };
        if (!tuning.Naive && InEights(op.Input) && shape.Channels is 320 or 640 or 1280 && positions < int.MaxValue / 2)
        {
            // 40 channels a lane.
            var perBlock = LayerNormThreads * 40 / shape.Channels;
            var blocks = Math.Min(Blocks(positions, perBlock), (long)tuning.NormBlocks * context.Multiprocessors);
            Add($"layer_norm_{shape.Channels}", (blocks, 1, 1), LayerNormThreads, 0, places => Arguments(places, (int)blocks * perBlock));
        }
        else
        {
            var width = !tuning.Naive && shape.Channels % Wide == 0 ? Wide : 1;
            Add($"layer_norm_{width}", (Blocks(positions, BlockThreads / 32), 1, 1), BlockThreads, 0, places => Arguments(places, 0));
        }
    }

    void ControlPool(ControlPoolOp op)
    {
        var (input, output) = (op.Input.Shape, op.Output.Shape);
        Moments(op.Input, 1, input.Tokens, input.Images, 0);
        Add("control_pool", (Blocks(output.Count, BlockThreads), 1, 1), BlockThreads, 0, places => new ControlArgs
        {
            Input = places[op.Input], Out = places[op.Output], Moments = places.Scratch, Count = output.Count,
            Height = input[1], Width = input[2], Channels = input.Channels, PooledHeight = output[1], PooledWidth = output[2], Constant = ControlPoolOp.Epsilon,
        });
    }

    void ControlAlign(ControlAlignOp op)
    {
        var shape = op.Output.Shape;
        var before = shape.Images - op.Control.Shape.Images;
        Moments(op.Input, 1, shape.Tokens, op.Control.Shape.Images, before);
        Add("control_align", (Blocks(shape.Count, BlockThreads), 1, 1), BlockThreads, 0, places => new ControlArgs
        {
            Input = places[op.Input], Control = places[op.Control], Scales = places[op.Scales], Out = places[op.Output],
            Moments = places.Scratch, Count = shape.Count, PerImage = shape.Tokens * shape.Channels, Before = before, Constant = ControlAlignOp.Strength,
        });
    }

    /// <summary>Counts, means and squares of every group of every set in chunks, one behind the other.</summary>
    /// <param name="Place">Where they lie.</param>
    /// <param name="Chunks">How many chunks a group has.</param>
    sealed record NormParts(Func<ValuePlaces, ulong> Place, int Chunks);

    /// <summary>Mean, biased and unbiased variance of every group of every set of images, at the beginning of the scratch memory.</summary>
    void Moments(Operand input, int groups, int positions, int sets, int imagesBefore)
    {
        var parts = MomentParts(input, groups, positions, sets, imagesBefore);
        Add("moments_join", (Blocks((long)groups * sets, JoinWarps), 1, 1), 32 * JoinWarps, 0, places => new MomentsArgs
        {
            Parts = parts.Place(places), Moments = places.Scratch, Groups = groups, Chunks = parts.Chunks, Sets = sets,
        });
    }

    /// <summary>The chunks of every group as one, at the beginning of the scratch memory.</summary>
    NormParts Fold(NormParts parts, int groups, int sets)
    {
        ScratchBytes = Math.Max(ScratchBytes, (long)groups * sets * NumbersPerPart * sizeof(float));
        Add("moments_fold", (Blocks((long)groups * sets, JoinWarps), 1, 1), 32 * JoinWarps, 0, places => new MomentsArgs
        {
            Parts = parts.Place(places), Moments = places.Scratch, Groups = groups, Chunks = parts.Chunks, Sets = sets,
        });
        return new NormParts(places => places.Scratch, 1);
    }

    /// <summary>The parts that <see cref="Moments"/> joins, behind the place that it has for its results.</summary>
    NormParts MomentParts(Operand input, int groups, int positions, int sets, int imagesBefore)
    {
        var (first, second) = (input.First, input.Second);
        var grid = NormGridOf(input, positions, sets);
        var chunk = grid?.Chunk ?? Math.Max(1, ElementsPerChunk / (input.Channels / groups));
        var chunks = (int)Blocks(positions, chunk);
        var joined = (long)groups * sets * NumbersPerPart * sizeof(float);
        ScratchBytes = Math.Max(ScratchBytes, joined * (chunks + 1));
        var parts = new NormParts(places => places.Scratch + (ulong)joined, chunks);
        MomentsArgs Arguments(ValuePlaces places) => new()
        {
            First = Skip(places, first), Second = second is null ? default : Skip(places, second), Parts = parts.Place(places),
            Channels0 = first.Shape.Channels, Channels1 = second?.Shape.Channels ?? 0, Groups = groups, Positions = positions, Chunk = chunk, Chunks = chunks, Sets = sets,
            Lanes = grid is null ? 0 : LanesPerGroup(grid.Value.Threads, groups),
        };
        if (grid is { } wide)
        {
            // Means and squares of each row's channels.
            Add("moments_part_8", (chunks, sets, 1), wide.Threads, 2 * wide.Rows * input.Channels * sizeof(float), Arguments);
        }
        else
        {
            Add("moments_part_1", (chunks, groups, sets), BlockThreads, BlockThreads / 32 * sizeof(float), Arguments);
        }

        return parts;

        View Skip(ValuePlaces places, Value value) => places.From(new Channels(value), (long)imagesBefore * value.Shape.Tokens);
    }

    /// <summary>As many lanes of a warp as give each group some at once.</summary>
    static int LanesPerGroup(int threads, int groups)
    {
        var lanes = 32;
        while (lanes > 1 && lanes * groups > threads)
        {
            lanes /= 2;
        }

        return lanes;
    }

    /// <summary>The grid of the kernels for eight channels a thread; null where channels do not come in eights or are too many for a block.</summary>
    NormGrid? NormGridOf(Operand input, int positions, int sets)
    {
        var vectors = input.Channels / Wide;
        if (tuning.Naive || input.First.Shape.Channels % Wide != 0 || input.Channels % Wide != 0 || vectors > NormThreads)
        {
            return null;
        }

        var rows = NormThreads / vectors;
        var most = Math.Max(1, tuning.NormBlocks * context.Multiprocessors / sets);
        var chunk = (int)Blocks(Blocks(positions, most), rows) * rows;
        return new NormGrid((int)Blocks(vectors * rows, 32) * 32, rows, chunk, (int)Blocks(positions, chunk));
    }
}
