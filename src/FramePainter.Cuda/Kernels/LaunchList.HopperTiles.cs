using System.Numerics;

namespace FramePainter.Cuda.Kernels;

/// <content>How Hopper's products are cut into tiles, and these shared among multiprocessors: by a small model of time.</content>
internal sealed partial class LaunchList
{
    /// <summary>Most slices of a tile. Each writes its sums down, and the last reads all of them.</summary>
    const int MostSlices = 8;

    /// <summary>A kernel of Hopper's products: rows and columns of its tiles, stages of its ring, and warpgroups that multiply, each a tile of its own.</summary>
    internal readonly record struct TileKind(int Rows, int Columns, int Stages, int Groups)
    {
        public static readonly TileKind Square = new(128, 128, 5, 2), Usual = new(128, 160, 4, 2), Wide = new(128, 192, 4, 1), Short = new(64, 160, 6, 1);

        public string Name => $"hopper_product_{Rows}x{Columns}";

        /// <summary>One warpgroup more copies.</summary>
        public int Threads => 128 * (Groups + 1);

        /// <summary>Blocks have several tiles, and may share one, each with a part of its steps; with one warpgroup a block has one tile and no more.</summary>
        public bool Shares => Groups > 1;

        /// <summary>Whether activations are there: the widest tiles leave no registers for them.</summary>
        public bool Activates => Columns <= 160;

        /// <summary>
        /// Microseconds of a step, which shared memory bounds, with 128 bytes a clock of 1.83 GHz: what comes is written once, rows are read once, and columns once for every 64 rows. 0.40, 0.45 and
        /// 0.24 for 128 × 160, 128 × 192 and 64 × 160, where an H200 took 0.39 to 0.41, 0.47 to 0.49 and 0.18 to 0.26; tensor cores alone would take 0.35, 0.42 and 0.18.
        /// </summary>
        public double StepTime => ((2 * Rows) + (Columns * (1 + (Rows / 64)))) / 1830.0;

        /// <summary>
        /// Stages of both operands; of every group a tile that is stored, two sums for each lane of four warps for the next norm, two barriers and a flag; the ring's place; and room to
        /// begin at a multiple of 1024.
        /// </summary>
        public int Shared => (Stages * (((Rows + Columns) * HopperStep * 2) + (2 * sizeof(long))))
            + (Groups * ((Rows * Columns * 2) + (4 * MomentLanes * 2 * sizeof(float)) + (2 * sizeof(long)) + sizeof(int))) + sizeof(long) + 1024;
    }

    /// <summary>How the tiles of a product are shared among multiprocessors.</summary>
    /// <param name="Whole">The first tiles, each computed by one block.</param>
    /// <param name="Shared">The others, too few to keep every multiprocessor busy.</param>
    /// <param name="Slices">Blocks that share each of these.</param>
    /// <param name="Time">Microseconds, but for what every kernel takes.</param>
    internal readonly record struct TileShares(int Whole, int Shared, int Slices, double Time)
    {
        /// <summary>Microseconds of a joint of slices, and of every slice: fitted to an H200's times of 16 to 64 tiles of 20 to 180 steps in 2, 3 and 8 slices.</summary>
        public const double JointTime = 3.8, SliceTime = 1.1;

        /// <summary>Microseconds in which a slice leaves its sums, for all rounds of slices but the last: a part of the joint's, estimated.</summary>
        const double LeaveTime = 1.5;

        /// <summary>The shares that end first, where a multiprocessor has one slice at most.</summary>
        /// <param name="tiles">Tiles of the product.</param>
        /// <param name="steps">Steps of each.</param>
        /// <param name="stepTime">Microseconds of a step.</param>
        /// <param name="multiprocessors">The device's.</param>
        /// <param name="jointTime">Microseconds of a joint.</param>
        public static TileShares Of(int tiles, int steps, double stepTime, int multiprocessors, double jointTime = JointTime)
        {
            var rest = tiles % multiprocessors;
            return OfRounds(tiles, steps, stepTime, 0, rest == 0 ? 1 : Math.Min(steps, multiprocessors / rest), multiprocessors, jointTime);
        }

        /// <summary>The shares that end first; slices may take several rounds, of which each is shorter than a tile's.</summary>
        /// <param name="tiles">Tiles of all.</param>
        /// <param name="steps">Steps of each.</param>
        /// <param name="stepTime">Microseconds of a step.</param>
        /// <param name="tileTime">Microseconds of a tile, or a slice, beside its steps.</param>
        /// <param name="mostSlices">Slices that a tile may have.</param>
        /// <param name="multiprocessors">The device's.</param>
        /// <param name="jointTime">Microseconds of a joint.</param>
        public static TileShares OfRounds(int tiles, int steps, double stepTime, double tileTime, int mostSlices, int multiprocessors, double jointTime)
        {
            var (rounds, rest) = Math.DivRem(tiles, multiprocessors);
            var whole = rounds * (tileTime + (steps * stepTime));
            if (rest == 0)
            {
                return new(tiles, 0, 1, whole);
            }

            var (best, shortest) = (1, tileTime + (steps * stepTime));
            for (var slices = 2; slices <= Math.Min(MostSlices, mostSlices); slices++)
            {
                var round = tileTime + (Math.Ceiling((double)steps / slices) * stepTime);
                var time = (Math.Ceiling((double)rest * slices / multiprocessors) * (round + LeaveTime)) - LeaveTime + jointTime + (slices * SliceTime);
                if (time < shortest)
                {
                    (best, shortest) = (slices, time);
                }
            }

            return best == 1 ? new(tiles, 0, 1, whole + shortest) : new(tiles - rest, rest, best, whole + shortest);
        }
    }

    /// <summary>A product cut into tiles: their kind, the sides of their boxes of positions as powers of two, and how many there are along each side.</summary>
    internal readonly record struct Tiling(TileKind Kind, (int X, int Y) Box, int TilesX, int TilesY, int TilesN, TileShares Shares)
    {
        /// <summary>Images of a box.</summary>
        public int BoxImages => Kind.Rows >> (Box.X + Box.Y);

        /// <summary>
        /// The tiles that end first. Where those of 160 columns are a few more than multiprocessors, as many of 192 or fewer are one round; where they are half as many or fewer,
        /// shorter ones keep twice as many busy, and need no joint.
        /// </summary>
        /// <param name="grid">The positions of the output.</param>
        /// <param name="columns">Sums of a position.</param>
        /// <param name="steps">Steps of a tile.</param>
        /// <param name="activates">Whether an activation follows.</param>
        /// <param name="multiprocessors">The device's.</param>
        /// <param name="tuning">Which kind, where one is wanted and suits.</param>
        public static Tiling Of(in Grid grid, int columns, int steps, bool activates, int multiprocessors, in CudaTuning tuning)
        {
            var isNarrow = columns % TileKind.Usual.Columns != 0;
            var best = Of(isNarrow ? TileKind.Square : TileKind.Usual, grid, columns, steps, multiprocessors, tuning.HopperJointTime);
            ReadOnlySpan<TileKind> others = tuning.HopperTiles is { } wanted ? (wanted.Shares ? [] : [wanted]) : isNarrow ? [TileKind.Wide] : [TileKind.Wide, TileKind.Short];
            foreach (var kind in others)
            {
                var other = Of(kind, grid, columns, steps, multiprocessors, 0);
                if ((kind.Activates || !activates) && other.Shares.Whole <= multiprocessors && (other.Shares.Time < best.Shares.Time || tuning.HopperTiles is not null))
                {
                    best = other;
                }
            }

            return best;
        }

        static Tiling Of(TileKind kind, in Grid grid, int columns, int steps, int multiprocessors, double jointTime)
        {
            var box = BoxOf(grid, kind.Rows);
            var (tilesX, tilesY) = (Blocks(grid.Width, 1 << box.X), Blocks(grid.Height, 1 << box.Y));
            var tilesN = Blocks(columns, kind.Columns);
            var tiles = checked((int)(tilesX * tilesY * Blocks(grid.Images, kind.Rows >> (box.X + box.Y)) * tilesN));
            var shares = kind.Shares ? TileShares.Of(tiles, steps, kind.StepTime, multiprocessors, jointTime) : new TileShares(tiles, 0, 1, steps * kind.StepTime);
            return new(kind, box, (int)tilesX, (int)tilesY, (int)tilesN, shares);
        }

        /// <summary>The box of so many positions, each side a power of two, that covers the picture with the fewest tiles; the widest of these. Its sides as powers.</summary>
        static (int X, int Y) BoxOf(in Grid grid, int positions)
        {
            var all = BitOperations.Log2((uint)positions);
            var best = (X: all, Y: 0);
            var fewest = long.MaxValue;
            for (var x = all; x >= 0; x--)
            {
                for (var y = all - x; y >= 0; y--)
                {
                    var tiles = Blocks(grid.Width, 1 << x) * Blocks(grid.Height, 1 << y) * Blocks(grid.Images, positions >> (x + y));
                    if (tiles < fewest)
                    {
                        (best, fewest) = ((x, y), tiles);
                    }
                }
            }

            return best;
        }
    }
}
