using System.Runtime.InteropServices;
using FramePainter.Graphs;

namespace FramePainter.Cuda.Kernels;

/// <content>Attention on Hopper: see kernels/hopper/attention.h.</content>
internal sealed partial class LaunchList
{
    const int HopperHead = 64;
    const int HopperQueries = 64;
    const int HopperKeys = 128;
    const int HopperKeyStages = 8;

    /// <summary>Numbers that a thread leaves of a slice: sums, and of two rows the largest score and the total.</summary>
    const int HopperLeft = 36;

    /// <summary>Adds attention on wgmma where the device has it and heads are of 64; false where not.</summary>
    bool HopperAttention(AttentionOp op)
    {
        if (!context.IsHopper || tuning.Naive || op.HeadDim != HopperHead || !Flash(op.Self) || (op.Matching is { } second && !Flash(second)))
        {
            return false;
        }

        var shape = op.Output.Shape;
        var heads = checked(shape.Images * op.Heads * (op.Matching is null ? 1 : 2));
        int keys = op.Self.Key.Value.Shape.Tokens, others = op.Matching?.Key.Value.Shape.Tokens ?? keys;
        var (groups, tiles, shares) = QueryTiles.Of(
            shape.Tokens, heads, Math.Min(keys, others), Math.Max(keys, others), Math.Min(context.Multiprocessors, MostSharedTiles / QueryTiles.MostGroups), tuning);
        PartialBytes = Math.Max(PartialBytes, (long)shares.Shared * shares.Slices * groups * HopperLeft * 128 * sizeof(float));
        var barriers = (2 * HopperKeyStages) + 1 + groups;
        var shared = (((groups * HopperQueries) + (HopperKeyStages * HopperKeys)) * HopperHead * 2) + (barriers * sizeof(long)) + (groups * sizeof(int)) + 1024;
        Add(
            $"hopper_attention_{groups * HopperQueries}x{HopperHead}", (shares.Whole + ((long)shares.Shared * shares.Slices), 1, 1), (groups + 1) * 128, shared,
            places => new HopperAttentionArgs
            {
                Self = HopperSet(op.Self, places), Matching = op.Matching is { } matching ? HopperSet(matching, places) : default,
                Out = places[op.Output], Images = shape.Images, Tokens = shape.Tokens, Heads = op.Heads, OutChannels = shape.Channels,
                ScaleLog2 = (float)(Log2E / Math.Sqrt(HopperHead)),
                Tiles = tiles, Whole = shares.Whole, Slices = shares.Slices, Partial = places.Partials, Arrived = places.Counters,
            });
        return true;
    }

    /// <summary>How attention's queries are cut into tiles, and these shared among multiprocessors.</summary>
    /// <param name="Groups">Warpgroups of a block, each with 64 queries of the tile.</param>
    /// <param name="Tiles">Tiles of a head.</param>
    /// <param name="Shares">How those of all heads are shared.</param>
    internal readonly record struct QueryTiles(int Groups, int Tiles, TileShares Shares)
    {
        /// <summary>Warpgroups that multiply in the larger of both kernels.</summary>
        public const int MostGroups = 3;

        /// <summary>Microseconds of a tile beside its steps: queries and first keys on their way, and storing. From an H200's times of two steps.</summary>
        const double TileTime = 1.4;

        /// <summary>
        /// The tiles that end first: of 192 queries, or of 128 where the larger ones would be mostly empty. 16×16 tokens are two tiles either way.
        /// </summary>
        /// <param name="tokens">Queries of a head.</param>
        /// <param name="heads">Heads of all images and sets.</param>
        /// <param name="fewestKeys">Keys of the set with the fewest: every slice has some.</param>
        /// <param name="mostKeys">Keys of the set with the most.</param>
        /// <param name="multiprocessors">The device's.</param>
        /// <param name="tuning">Which kernel, where one is wanted, and what a joint takes.</param>
        public static QueryTiles Of(int tokens, int heads, int fewestKeys, int mostKeys, int multiprocessors, in CudaTuning tuning)
        {
            var (fewest, most) = ((int)Blocks(fewestKeys, HopperKeys), (int)Blocks(mostKeys, HopperKeys));
            QueryTiles best = default;
            for (var groups = MostGroups; groups > 1; groups--)
            {
                // An H200's microseconds of 128 keys, in whole rounds of 4,096 and 9,216 tokens.
                var stepTime = groups == MostGroups ? 1.48 : 1.25;
                var tiles = (int)Blocks(tokens, groups * HopperQueries);
                var shares = TileShares.OfRounds(checked(tiles * heads), most, stepTime, TileTime, fewest, multiprocessors, tuning.HopperJointTime);
                if (tuning.HopperQueryGroups is { } wanted ? groups == wanted : best.Tiles == 0 || shares.Time < best.Shares.Time)
                {
                    best = new(groups, tiles, shares);
                }
            }

            return best;
        }
    }

    HopperAttentionSet HopperSet(Qkv set, ValuePlaces places)
    {
        return new HopperAttentionSet
        {
            Query = Map(set.Query, HopperQueries), Key = Map(set.Key, HopperKeys), Value = Map(set.Value, HopperKeys),
            QueryChannel = set.Query.FirstChannel, KeyChannel = set.Key.FirstChannel, ValueChannel = set.Value.FirstChannel,
            Keys = set.Key.Value.Shape.Tokens, KeyImages = set.Key.Value.Shape.Images,
        };

        TensorMap Map(Channels part, int rows)
        {
            var shape = part.Value.Shape;
            return TensorMap.Of(
                context.Halves, places[part.Value].Data, [shape.Channels, shape.Tokens, shape.Images], [shape.Channels * 2L, (long)shape.Tokens * shape.Channels * 2], [HopperHead, rows, 1]);
        }
    }
}

/// <summary>One set of heads: as the struct of this name under kernels/hopper, filled up to a multiple of 64.</summary>
[StructLayout(LayoutKind.Sequential, Size = 448)]
internal struct HopperAttentionSet
{
    public TensorMap Query, Key, Value;
    public int QueryChannel, KeyChannel, ValueChannel, Keys, KeyImages;
}

/// <summary>Arguments of Hopper's attention: as the struct of this name under kernels/hopper.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct HopperAttentionArgs
{
    public HopperAttentionSet Self, Matching;
    public View Out;
    public int Images, Tokens, Heads, OutChannels;
    public float ScaleLog2;
    public int Tiles, Whole, Slices;
    public ulong Partial, Arrived;
}
