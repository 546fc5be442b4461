using FramePainter.Backends.Cpu.Jit;
using FramePainter.Backends.Cpu.Simd;
using FramePainter.Tensors;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>A stretch of a panel, or of two, as tiles read it.</summary>
/// <param name="Weights">Its first word.</param>
/// <param name="Kernels">Kernels that read it: index rows − 1.</param>
/// <param name="Distance">Bytes from the first panel to the second.</param>
internal readonly unsafe record struct ReadyPanel(nint Weights, nint[] Kernels, long Distance = 0);

/// <summary>The same with what the first tile has to do with it.</summary>
/// <param name="First">As the first tile reads it.</param>
/// <param name="Others">As all others do; where that is elsewhere, the first tile's kernels leave it there.</param>
internal readonly record struct ReadyPanels(ReadyPanel First, ReadyPanel Others)
{
    /// <summary>All tiles read it alike.</summary>
    /// <param name="panel">How.</param>
    public ReadyPanels(ReadyPanel panel)
        : this(panel, panel)
    {
    }
}

/// <summary>In which numbers a product's tiles are summed: how rows are gathered, panels made ready, and which kernels multiply them. Holds no state of a run.</summary>
/// <param name="tileRows">Most rows of a tile of one panel.</param>
internal abstract unsafe class TileArithmetic(int tileRows)
{
    /// <summary>Most rows of a tile of one panel.</summary>
    public int TileRows => tileRows;

    /// <summary>Rows of a tile are read, summed and written in multiples of so many; those behind the last are nobody's, but must be there.</summary>
    public virtual int RowStep => 1;

    /// <summary>Most rows of a work item whose rows are gathered.</summary>
    public virtual int Rows => Blocking.Rows;

    /// <summary>Columns of such an item.</summary>
    public virtual int Columns => Blocking.Columns;

    /// <summary>The arithmetic of a product: bfloat16 where that is computed, else assembled float32 kernels where there are any.</summary>
    /// <typeparam name="L">The lanes.</typeparam>
    /// <typeparam name="V">Their register.</typeparam>
    /// <param name="numbers">The product's numbers.</param>
    /// <param name="type">Type of the panels that it reads.</param>
    public static TileArithmetic Of<L, V>(ProductNumbers numbers, DType type)
        where L : struct, ILanes<V>
        where V : struct =>
        numbers.Brain is { } brain ? new BrainTiles(type, brain, numbers.Paired)
        : numbers.Assembled(type) is { } stored && numbers.Assembled(DType.F32) is { } wide ? new AssembledTiles(stored, wide, numbers.Tiles)
        : new FloatTiles<L, V>(type);

    /// <summary>Words from one gathered row to the next.</summary>
    /// <param name="words">Words of a row.</param>
    public virtual int Distance(int words) => Blocking.RowStride;

    /// <summary>Floats of scratch that gathering wants.</summary>
    public virtual int StageFloats => 0;

    /// <summary>Gathers a stretch of words of a block's rows; a word's inputs that are not the block's become 0.</summary>
    /// <param name="source">Where rows come from.</param>
    /// <param name="block">The block.</param>
    /// <param name="word">The first word.</param>
    /// <param name="words">How many, up to <see cref="Blocking.Inputs"/> of rows that do not lie evenly spaced.</param>
    /// <param name="rows">Receives them.</param>
    /// <param name="distance">Words from one row to the next there: what <see cref="Distance"/> says of these words or of more.</param>
    /// <param name="stage">Scratch of <see cref="StageFloats"/>.</param>
    public abstract void Gather(RowSource source, RowBlock block, int word, int words, float* rows, int distance, float* stage);

    /// <summary>A stretch of a panel for tiles of rows, the first of which is summed before the others. Widens it where its kernels want that.</summary>
    /// <param name="weights">Its first packed word.</param>
    /// <param name="words">How many.</param>
    /// <param name="narrow">Only the first register of columns is wanted.</param>
    /// <param name="tiles">Tiles of rows that will use it.</param>
    /// <param name="spare">Scratch as large as a widened panel.</param>
    public abstract ReadyPanels Ready(byte* weights, int words, bool narrow, int tiles, byte* spare);

    /// <summary>Whether tiles are few rows by two panels where rows are many.</summary>
    public virtual bool Pairs => false;

    /// <summary>The same of two panels, for more than one tile of up to <see cref="FloatKernels.PairedRows"/> rows.</summary>
    /// <param name="first">The first packed word of the first panel.</param>
    /// <param name="second">That of the second.</param>
    /// <param name="words">How many.</param>
    /// <param name="spare">Scratch as large as two widened panels.</param>
    public virtual ReadyPanels ReadyPair(byte* first, byte* second, int words, byte* spare) => throw new NotSupportedException("These tiles are of one panel.");

    /// <summary>Whether rows may lie at any distance, and kernels fetch memory as they go.</summary>
    public virtual bool TakesAnyDistance => false;

    /// <summary>Whether kernels finish sums and store them.</summary>
    public virtual bool Finishes => false;

    /// <summary>Whether rows that lie evenly spaced in memory are read there, not gathered.</summary>
    public virtual bool ReadsInPlace => false;

    /// <summary>Before a thread sums tiles.</summary>
    public virtual void Enter()
    {
    }

    /// <summary>When it has done so.</summary>
    public virtual void Leave()
    {
    }

    /// <summary>sum (+)= rows × panel.</summary>
    /// <param name="call">Where everything lies.</param>
    /// <param name="kernels">Kernels of the panel.</param>
    /// <param name="count">Rows.</param>
    public abstract void Sum(TileCall* call, nint[] kernels, int count);
}
