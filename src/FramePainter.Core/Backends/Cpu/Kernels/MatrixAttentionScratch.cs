using FramePainter.Backends.Cpu.Jit;
using FramePainter.Backends.Cpu.Simd;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>A worker's scratch memory, cut into what attention on AMX keeps there. A word is a pair of bfloat16; whole registers everywhere.</summary>
internal readonly unsafe struct MatrixAttentionScratch
{
    /// <summary>Columns of a panel and of a tile of sums: two registers.</summary>
    public const int Width = 32;

    readonly int _pairs;
    readonly int _tilesPerStrip;

    /// <param name="shape">Tile sizes.</param>
    /// <param name="memory">The memory, aligned.</param>
    /// <param name="strips">Strips of this block.</param>
    public MatrixAttentionScratch(AttentionShape shape, float* memory, int strips)
    {
        (Strips, _pairs, _tilesPerStrip) = (strips, shape.Dim / BrainTiles.PairInputs, shape.PaddedDim / Width);
        (TileFloats, RowsWords) = (shape.TileRows * Width, shape.TileRows * Blocking.RowStride);
        var rows = strips * shape.TileRows;
        var abreast = Blocking.Inputs / _pairs;
        Values = memory;
        Keys = Values + (shape.Keys / BrainTiles.PairInputs * shape.PaddedDim);
        Rows = Keys + (shape.Keys * _pairs);
        Stage = Rows + RowsWords;
        Scores = Stage + BrainPanels.StageFloats(shape.Dim);
        Outputs = Scores + (shape.Keys / Width * TileFloats);
        Queries = Outputs + (strips * _tilesPerStrip * TileFloats);
        Largest = Queries + ((strips + abreast - 1) / abreast * RowsWords);
        Sums = Largest + rows;
        End = Sums + rows;
    }

    /// <summary>Strips of queries in this block.</summary>
    public int Strips { get; }

    /// <summary>Floats of a tile of sums, its rows one behind the other.</summary>
    public int TileFloats { get; }

    /// <summary>Words of as many rows as a tile has, apart as product kernels want them.</summary>
    public int RowsWords { get; }

    /// <summary>Values of the key tile: panels [pair of keys][width] of words, room for all keys in each.</summary>
    public float* Values { get; }

    /// <summary>Keys of the key tile, turned: panels [pair of channels][width] of words.</summary>
    public float* Keys { get; }

    /// <summary>Rows <see cref="Blocking.RowStride"/> apart: a strip's probabilities, first as floats, then as words.</summary>
    public float* Rows { get; }

    /// <summary>What rounding wants: <see cref="BrainPanels.StageFloats"/>.</summary>
    public float* Stage { get; }

    /// <summary>Scores of one strip: a tile for each panel of keys.</summary>
    public float* Scores { get; }

    /// <summary>Weighted values so far: tiles for each strip.</summary>
    public float* Outputs { get; }

    /// <summary>Scaled queries as words.</summary>
    public float* Queries { get; }

    /// <summary>Greatest score of each query so far.</summary>
    public float* Largest { get; }

    /// <summary>Sum of each query's rounded probabilities so far, about that score.</summary>
    public float* Sums { get; }

    /// <summary>Behind all of it.</summary>
    public float* End { get; }

    /// <summary>Weighted values of a strip.</summary>
    public float* OutputsOf(int strip) => Outputs + (strip * _tilesPerStrip * TileFloats);

    /// <summary>A strip's queries. Their rows are as far apart as any, so that several strips lie abreast.</summary>
    public float* QueriesOf(int strip)
    {
        var (down, across) = Math.DivRem(strip, Blocking.Inputs / _pairs);
        return Queries + (down * RowsWords) + (across * _pairs);
    }
}
