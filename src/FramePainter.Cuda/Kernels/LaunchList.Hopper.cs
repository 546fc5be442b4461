using FramePainter.Graphs;

namespace FramePainter.Cuda.Kernels;

/// <content>Products on Hopper: see kernels/hopper/product.h.</content>
internal sealed partial class LaunchList
{
    const int HopperRows = 128;
    const int HopperStep = 64;
    const int HopperStages = 4;
    const int HopperThreads = 384;

    /// <summary>The output's positions as a picture, and the input's as a tensor of channels, columns, rows and images.</summary>
    readonly record struct Grid(int Width, int Height, int Images, int InWidth, int InHeight, long RowPositions, long ImagePositions, int Taps, int Stride = 1);

    /// <summary>Adds a product on wgmma where the device has it and the product is a box of its input moved by taps; false where not.</summary>
    bool HopperProduct(ProductOp op, ProductArgs args, Func<ValuePlaces, ProductArgs> arguments)
    {
        if (!context.IsHopper || GridOf(op, ref args) is not { } grid)
        {
            return false;
        }

        var columns = args.N % 160 == 0 ? 160 : 128;
        var (boxX, boxY, boxImages) = Box(grid);
        var (tilesX, tilesY) = (Blocks(grid.Width, boxX), Blocks(grid.Height, boxY));
        var (tilesM, tilesN) = (tilesX * tilesY * Blocks(grid.Images, boxImages), Blocks(args.N, columns));
        // A tile keeps a multiprocessor four times as busy as one of mma.sync: half of them suffice.
        if (tilesM * tilesN * 2 < tuning.LargeTilesFrom * context.Multiprocessors || tilesM * tilesN > int.MaxValue)
        {
            return false;
        }

        var fixedArgs = new HopperProductArgs
        {
            BoxX = boxX, BoxY = boxY, TilesX = (int)tilesX, TilesY = (int)tilesY, TilesM = (int)tilesM, TilesN = (int)tilesN,
            OutWidth = grid.Width, OutHeight = grid.Height, OutImages = grid.Images, Taps = grid.Taps,
        };
        var (kernelWidth, padTop, padLeft) = (args.KernelWidth, args.PadTop, args.PadLeft);
        Add($"hopper_product_{columns}", (Math.Min(tilesM * tilesN, context.Multiprocessors), 1, 1), HopperThreads, HopperShared(columns), places =>
        {
            var product = arguments(places) with { KernelWidth = kernelWidth, PadTop = padTop, PadLeft = padLeft, Stride = grid.Stride };
            TensorMap Input(View view, int channels) => TensorMap.Of(
                view.Data, [channels, grid.InWidth, grid.InHeight, grid.Images],
                [channels * 2L, grid.RowPositions * channels * 2, grid.ImagePositions * channels * 2], [HopperStep, boxX, boxY, boxImages], grid.Stride);
            return fixedArgs with
            {
                Product = product,
                First = Input(product.First, product.Channels0),
                Second = product.Channels1 > 0 ? Input(product.Second, product.Channels1) : default,
                Weight = TensorMap.Of(product.Weight, [product.KPadded, product.N], [product.KPadded * 2L], [HopperStep, columns]),
            };
        });
        return true;
    }

    /// <summary>Stages of both operands, a slab of 16 rows of 32 columns a warp, barriers, and room to begin at a multiple of 1024.</summary>
    static int HopperShared(int columns) => (HopperStages * (HopperRows + columns) * HopperStep * 2) + (8 * 16 * (32 + 4) * sizeof(float)) + (2 * HopperStages * sizeof(long)) + 1024;

    /// <summary>The box of 128 positions, each side a power of two, that covers the picture with the fewest tiles; the widest of these.</summary>
    static (int X, int Y, int Images) Box(Grid grid)
    {
        var best = (X: HopperRows, Y: 1, Images: 1);
        var fewest = long.MaxValue;
        for (var x = HopperRows; x >= 1; x /= 2)
        {
            for (var y = HopperRows / x; y >= 1; y /= 2)
            {
                var images = HopperRows / x / y;
                var tiles = Blocks(grid.Width, x) * Blocks(grid.Height, y) * Blocks(grid.Images, images);
                if (tiles < fewest)
                {
                    (best, fewest) = ((x, y, images), tiles);
                }
            }
        }

        return best;
    }

    /// <summary>None for doubled inputs, whose rows are no box of the input, and for strides that make a box too wide.</summary>
    static Grid? GridOf(ProductOp op, ref ProductArgs args)
    {
        var shape = op.Output.Shape;
        switch (op)
        {
            case LinearOp { ImageStride: 1 }:
                args.KernelWidth = 1;
                var positions = checked((int)args.M);
                return new Grid(positions, 1, 1, positions, 1, positions, positions, 1);
            case LinearOp linear:
                args.KernelWidth = 1;
                var row = (long)linear.ImageStride * shape.Tokens;
                return new Grid(shape.Tokens, shape.Images, 1, shape.Tokens, shape.Images, row, row * shape.Images, 1);
            case ConvOp { Stride: 1 or 2, Upsample: false } conv:
                var taps = op.Weight.Taps;
                return new Grid(args.OutWidth, shape[1], shape[0], args.Width, args.Height, args.Width, (long)args.Width * args.Height, taps, conv.Stride);
            case TemporalConvOp temporal:
                (args.KernelWidth, args.PadTop) = (1, 1);
                return new Grid(
                    shape.Tokens, temporal.Frames, shape.Images / temporal.Frames, shape.Tokens, temporal.Frames, shape.Tokens,
                    (long)shape.Tokens * temporal.Frames, 3);
            default:
                return null;
        }
    }
}
