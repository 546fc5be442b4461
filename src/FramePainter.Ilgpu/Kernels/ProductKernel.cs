using ILGPU;

namespace FramePainter.Ilgpu.Kernels;

/// <summary>Extents of a product.</summary>
internal struct ProductShape
{
    /// <summary>Rows of the left matrix and of the output.</summary>
    public int Rows;

    /// <summary>Columns of the packed weights.</summary>
    public int Columns;
}

/// <summary>Four floats in registers.</summary>
internal struct Quad(float x, float y, float z, float w)
{
    /// <summary>First.</summary>
    public float X = x;

    /// <summary>Second.</summary>
    public float Y = y;

    /// <summary>Third.</summary>
    public float Z = z;

    /// <summary>Fourth.</summary>
    public float W = w;

    /// <summary>This plus a number times four others.</summary>
    public readonly Quad Plus(float a, Quad b) => new(X + (a * b.X), Y + (a * b.Y), Z + (a * b.Z), W + (a * b.W));

    /// <summary>This times a number.</summary>
    public readonly Quad Times(float a) => new(X * a, Y * a, Z * a, W * a);
}

/// <summary>
/// The one matrix product: 256 threads make 64×64 sums, 4×4 in the registers of each, from slices of 16 columns in shared memory.
/// Rows and columns of a thread lie 16 apart, so that neighbours touch neighbouring memory.
/// </summary>
internal static class ProductKernel
{
    /// <summary>Rows and columns of a group's tile.</summary>
    public const int Tile = 64;

    /// <summary>Threads of a group.</summary>
    public const int Threads = 256;

    const int Depth = 16;
    const int Pitch = Depth + 1;

    /// <summary>The entry point. Grid: tiles, columns first; in one number, since CUDA's grids have 65,535 groups in all directions but the first.</summary>
    [DeviceKernel]
    public static void Multiply<TRows, TWeights>(TRows rows, TWeights weights, ProductShape shape, EpilogueArguments end)
        where TRows : struct, IRowReader
        where TWeights : struct, IWeightReader
    {
        var left = SharedMemory.Allocate<float>(Tile * Pitch);
        var right = SharedMemory.Allocate<float>(Depth * Tile);
        var thread = Group.IdxX;
        var (across, down) = (thread % 16, thread / 16);
        var columnTiles = (shape.Columns + Tile - 1) / Tile;
        var rowTile = Grid.IdxX / columnTiles;
        var firstRow = rowTile * Tile;
        var firstColumn = (Grid.IdxX - (rowTile * columnTiles)) * Tile;
        var lastRow = firstRow + Tile < shape.Rows ? firstRow + Tile - 1 : shape.Rows - 1;

        // What this thread fetches: one column of the left slice in four rows, one column of the right slice in four lines.
        var row0 = rows.Row(Clip(firstRow + down, lastRow));
        var row1 = rows.Row(Clip(firstRow + down + 16, lastRow));
        var row2 = rows.Row(Clip(firstRow + down + 32, lastRow));
        var row3 = rows.Row(Clip(firstRow + down + 48, lastRow));
        var fetchColumn = thread % Tile;
        var fetchLine = thread / Tile;
        var weightColumn = firstColumn + fetchColumn;

        var sum0 = default(Quad);
        var sum1 = default(Quad);
        var sum2 = default(Quad);
        var sum3 = default(Quad);
        var to = rows.To(firstRow, lastRow);
        for (var k = rows.From(firstRow, lastRow); k < to; k += Depth)
        {
            var column = k + across;
            var tap = rows.Tap(column < to ? column : k);
            var at = (down * Pitch) + across;
            left[at] = column < to ? rows.At(row0, tap) : 0;
            left[at + (16 * Pitch)] = column < to ? rows.At(row1, tap) : 0;
            left[at + (32 * Pitch)] = column < to ? rows.At(row2, tap) : 0;
            left[at + (48 * Pitch)] = column < to ? rows.At(row3, tap) : 0;
            for (var line = fetchLine; line < Depth; line += 4)
            {
                right[(line * Tile) + fetchColumn] =
                    k + line < to && weightColumn < shape.Columns ? weights.At(((k + line) * shape.Columns) + weightColumn) : 0;
            }

            Group.Barrier();
            for (var d = 0; d < Depth; d++)
            {
                var line = (d * Tile) + across;
                var b = new Quad(right[line], right[line + 16], right[line + 32], right[line + 48]);
                var a = (down * Pitch) + d;
                sum0 = sum0.Plus(left[a], b);
                sum1 = sum1.Plus(left[a + (16 * Pitch)], b);
                sum2 = sum2.Plus(left[a + (32 * Pitch)], b);
                sum3 = sum3.Plus(left[a + (48 * Pitch)], b);
            }

            Group.Barrier();
        }

        Store(end, firstRow + down, lastRow, firstColumn, across, sum0);
        Store(end, firstRow + down + 16, lastRow, firstColumn, across, sum1);
        Store(end, firstRow + down + 32, lastRow, firstColumn, across, sum2);
        Store(end, firstRow + down + 48, lastRow, firstColumn, across, sum3);
    }

    static int Clip(int row, int lastRow) => row < lastRow ? row : lastRow;

    static void Store(EpilogueArguments end, int row, int lastRow, int firstColumn, int across, Quad sums)
    {
        if (row > lastRow)
        {
            return;
        }

        if (end.Gated != 0)
        {
            // Packed in blocks of 16 values and their 16 gates.
            var channel = (firstColumn / 2) + across;
            end.StoreGated(row, channel, sums.X, sums.Y);
            end.StoreGated(row, channel + 16, sums.Z, sums.W);
        }
        else
        {
            var channel = firstColumn + across;
            end.Store(row, channel, sums.X);
            end.Store(row, channel + 16, sums.Y);
            end.Store(row, channel + 32, sums.Z);
            end.Store(row, channel + 48, sums.W);
        }
    }
}
