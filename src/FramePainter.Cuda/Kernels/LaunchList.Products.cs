using FramePainter.Graphs;

namespace FramePainter.Cuda.Kernels;

internal sealed partial class LaunchList
{
    const int LargeTile = 128;
    const int SmallTile = 64;
    const int LargeThreads = 256;
    const int SmallThreads = 128;

    /// <summary>Three stages of both tiles in steps of 32 halves, each row padded by 8.</summary>
    static int ProductShared(int tile) => 3 * 2 * tile * (32 + 8) * 2;

    void Product(ProductOp op)
    {
        var shape = op.Output.Shape;
        var positions = (long)shape.Images * shape.Tokens;
        var gated = op.Epilogue.Activation == Activation.Geglu;
        var bias = weights.Vector(op.Bias, gated);
        var scale = weights.Scale(op.Epilogue.Scale);
        var residuals = op.Epilogue.Residuals;
        var (residual0, residual1) = (residuals.Length > 0 ? residuals[0] : default, residuals.Length > 1 ? residuals[1] : default);
        var (scale0, scale1) = (residual0.Value is null ? 0 : weights.Scale(residual0.Scale), residual1.Value is null ? 0 : weights.Scale(residual1.Scale));
        var rows = op.Epilogue.Rows;
        var fixedArgs = new ProductArgs
        {
            Bias = bias, M = positions, N = op.Weight.Outputs, K = op.Weight.Inputs * op.Weight.Taps, KPadded = PackedMatrix.RowLength(op.Weight),
            Channels0 = op.Input.First.Shape.Channels, Channels1 = op.Input.Second?.Shape.Channels ?? 0, OutChannels = shape.Channels,
            Tokens = shape.Tokens, Activation = (int)op.Epilogue.Activation, Images = shape.Images,
            RowCount = rows?.Table.Shape[0] ?? 0, RowByFrame = rows?.Order == RowOrder.ByFrame ? 1 : 0,
            Scale = scale, ResidualScale0 = scale0, ResidualScale1 = scale1,
        };
        var gather = Geometry(op, ref fixedArgs);
        Func<ValuePlaces, ProductArgs> Arguments(ulong weight) => places => fixedArgs with
        {
            Weight = weight, First = places[op.Input.First], Second = places[op.Input.Second], Rows = places[rows?.Table],
            Residual0 = places[residual0.Value], Residual1 = places[residual1.Value], Out = places[op.Output],
        };

        var fast = !tuning.Naive && InEights(op.Input.First) && (op.Input.Second is not { } second || InEights(second));
        if (fast && op is ConvOp { Upsample: true } doubled && HopperDoubled(doubled, fixedArgs, Arguments))
        {
            return;
        }

        // Not before: a doubled input on Hopper has its weight packed in another form alone.
        var arguments = Arguments(weights.Matrix(op.Weight, gated ? MatrixForm.Gated : MatrixForm.Plain));
        if (tuning.Naive)
        {
            Add($"product_{gather}_naive", (Blocks(shape.Count, BlockThreads), 1, 1), BlockThreads, 0, arguments);
            return;
        }

        if (fast && HopperProduct(op, fixedArgs, arguments))
        {
            return;
        }

        TiledProduct(gather, fast, fixedArgs, arguments);
    }

    /// <summary>A linear map of rows of halves that lie densely, by a matrix in the order of <see cref="PackedMatrix"/>, wherever both come from.</summary>
    void LinearProduct(ProductArgs args, Func<ValuePlaces, ProductArgs> arguments)
    {
        if (SuitsHopper(args))
        {
            HopperProduct(RowsGrid(args.M), args, arguments);
        }
        else
        {
            TiledProduct("linear", true, args, arguments);
        }
    }

    /// <summary>A product on mma.sync: large tiles where there are enough to keep the device busy.</summary>
    void TiledProduct(string gather, bool fast, ProductArgs args, Func<ValuePlaces, ProductArgs> arguments)
    {
        (long X, long Y, long Z) Tiles(int side) => (Blocks(args.M, side), Blocks(args.N, side), 1);

        var (large, small) = (Tiles(LargeTile), Tiles(SmallTile));
        if (fast && large.X * large.Y >= tuning.LargeTilesFrom * context.Multiprocessors)
        {
            Add($"product_{gather}_128", large, LargeThreads, ProductShared(LargeTile), arguments);
        }
        else
        {
            Add($"product_{gather}_{(fast ? "64" : "any")}", small, SmallThreads, ProductShared(SmallTile), arguments);
        }
    }

    /// <summary>How rows are gathered; returns the name of the gathering.</summary>
    static string Geometry(ProductOp op, ref ProductArgs args)
    {
        switch (op)
        {
            case LinearOp linear:
                args.ImageStride = linear.ImageStride;
                return "linear";
            case ConvOp conv:
                (args.Height, args.Width, args.OutWidth) = (op.Input.Shape[1], op.Input.Shape[2], op.Output.Shape[2]);
                (args.KernelWidth, args.Stride) = (conv.KernelWidth, conv.Stride);
                (args.PadTop, args.PadLeft, args.Upsample) = (conv.Padding.Top, conv.Padding.Left, conv.Upsample ? 1 : 0);
                return "conv";
            case TemporalConvOp temporal:
                args.Frames = temporal.Frames;
                return "temporal";
            default:
                throw new NotSupportedException($"The CUDA backend has no product for {op.GetType().Name}.");
        }
    }

    bool InEights(Value value) => IsHalf(plan, value) && value.Shape.Channels % Wide == 0;
}
