using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>Tile sizes of attention for a head width.</summary>
internal sealed class AttentionShape
{
    // Floats of a key tile's keys and of its values each, and of a block's queries and outputs together: shares of a second-level cache of 1 MB where there is AVX-512, else of half.
    const int KeyFloats = 16384;
    const int QueryFloats = 65536;
    const int WideWidth = 32;

    /// <param name="dim">Channels of a head.</param>
    /// <param name="rows">Rows of the register tile.</param>
    /// <param name="width">Columns of the register tile.</param>
    /// <param name="mostKeys">Most keys in a tile, a multiple of the width.</param>
    public AttentionShape(int dim, int rows, int width, int mostKeys)
    {
        (Dim, TileRows, TileWidth) = (dim, rows, width);
        PaddedDim = (dim + width - 1) / width * width;
        Keys = Math.Clamp(KeyFloats / dim, 64, mostKeys) / 32 * 32;
        StripsPerBlock = Math.Max(8, (width < WideWidth ? QueryFloats : 2 * QueryFloats) / (rows * (dim + PaddedDim)));
        Scale = (float)(1 / (Math.Sqrt(dim) * Math.Log(2)));
    }

    /// <summary>Channels of a head.</summary>
    public int Dim { get; }

    /// <summary>The same, filled up to whole register tiles.</summary>
    public int PaddedDim { get; }

    /// <summary>Keys of a tile.</summary>
    public int Keys { get; }

    /// <summary>Most strips in a block of queries.</summary>
    public int StripsPerBlock { get; }

    /// <summary>1/√dim, over ln 2: scores are exponents of 2.</summary>
    public float Scale { get; }

    /// <summary>Queries of a strip.</summary>
    public int TileRows { get; }

    /// <summary>Columns of a register tile.</summary>
    public int TileWidth { get; }

    /// <summary>Floats of scratch for a block.</summary>
    /// <param name="strips">Strips of the block.</param>
    /// <param name="stripFloats">Floats of a strip of scores.</param>
    /// <param name="queryFloats">Floats from one query to the next.</param>
    public long ScratchFloats(int strips, int stripFloats, int queryFloats) =>
        ((long)Keys * (Dim + PaddedDim)) + stripFloats + (2L * TileWidth) + ((long)strips * TileRows * (queryFloats + PaddedDim + 2)) + 64;
}

/// <summary>A worker's scratch memory, cut into what attention keeps there. Panels come first: they are read in whole registers.</summary>
internal readonly unsafe struct AttentionScratch
{
    /// <param name="shape">Tile sizes.</param>
    /// <param name="memory">The memory, aligned.</param>
    /// <param name="strips">Strips of this block.</param>
    /// <param name="stripFloats">Floats of a strip of scores.</param>
    /// <param name="queryFloats">Floats from one query to the next.</param>
    public AttentionScratch(AttentionShape shape, float* memory, int strips, int stripFloats, int queryFloats)
    {
        Strips = strips;
        var rows = strips * shape.TileRows;
        Values = memory;
        Keys = Values + (shape.Keys * shape.PaddedDim);
        Strip = Keys + (shape.Keys * shape.Dim);
        Zeros = Strip + stripFloats;
        Tail = Zeros + shape.TileWidth;
        Output = Tail + shape.TileWidth;
        Queries = Output + (rows * shape.PaddedDim);
        Largest = Queries + (rows * queryFloats);
        Sums = Largest + rows;
        new Span<float>(Zeros, shape.TileWidth).Clear();
    }

    /// <summary>Strips of queries in this block.</summary>
    public int Strips { get; }

    /// <summary>Values of the key tile: panels of register tiles' width, [keys][width].</summary>
    public float* Values { get; }

    /// <summary>Keys of the key tile, turned: panels [dim][width].</summary>
    public float* Keys { get; }

    /// <summary>Scores, then probabilities of one strip.</summary>
    public float* Strip { get; }

    /// <summary>What scores begin with: nothing.</summary>
    public float* Zeros { get; }

    /// <summary>What scores of the last, partly filled panel begin with.</summary>
    public float* Tail { get; }

    /// <summary>Weighted values so far, [rows][padded dim].</summary>
    public float* Output { get; }

    /// <summary>Scaled queries, [strip][dim][rows of a strip] for compiled kernels, [row][dim] for assembled ones.</summary>
    public float* Queries { get; }

    /// <summary>Greatest score of each query so far.</summary>
    public float* Largest { get; }

    /// <summary>Sum of each query's probabilities so far, about that score.</summary>
    public float* Sums { get; }

    /// <summary>Nothing is summed yet.</summary>
    /// <param name="shape">Tile sizes.</param>
    public void Begin(AttentionShape shape)
    {
        // Below every score that is a number, and finite: the first correction is 0, not NaN.
        var rows = Strips * shape.TileRows;
        new Span<float>(Largest, rows).Fill(float.MinValue);
        new Span<float>(Sums, rows).Clear();
        new Span<float>(Output, rows * shape.PaddedDim).Clear();
    }
}

/// <summary>One set of heads with its memory, while it runs.</summary>
/// <param name="qkv">Queries, keys and values.</param>
/// <param name="outputChannel">Where the set's output begins.</param>
internal sealed class AttentionSet(Qkv qkv, int outputChannel)
{
    public Rows Query { get; private set; }

    public Rows Key { get; private set; }

    public Rows Value { get; private set; }

    public Rows Output { get; private set; }

    public int KeyImages { get; } = qkv.Key.Value.Shape.Images;

    public int KeyTokens { get; } = qkv.Key.Value.Shape.Tokens;

    public void Bind(CpuRun run, Value output)
    {
        Query = Rows.Of(run, qkv.Query);
        Key = Rows.Of(run, qkv.Key);
        Value = Rows.Of(run, qkv.Value);
        Output = Rows.Of(run, new Channels(output, outputChannel));
    }
}
