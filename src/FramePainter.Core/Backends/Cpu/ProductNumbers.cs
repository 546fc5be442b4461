using FramePainter.Backends.Cpu.Jit;
using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Backends.Cpu;

/// <summary>What <see cref="CpuNumbers"/> come to on this machine.</summary>
/// <param name="Path">The instructions of all kernels.</param>
/// <param name="Type">Type that packed weights have: F16, BF16 or I8, or null for the checkpoint's.</param>
/// <param name="Brain">The kernels of bfloat16, where products are computed by them; null for float32.</param>
/// <param name="Text">What a device's description says of it, for people.</param>
internal sealed record ProductNumbers(InstructionPath Path, DType? Type, BrainKernels? Brain, string Text)
{
    /// <summary>Inputs and outputs of the narrowest product that is rounded; the networks' own widths begin at 128.</summary>
    internal const int Narrowest = 64;

    /// <summary>Extents of a table: rows and channels. Tokens and pictures have more.</summary>
    const int TableRank = 2;

    /// <summary>Narrow products and tables are no exception.</summary>
    public bool NarrowToo { get; init; }

    /// <summary>Leaves assembled float32 kernels alone.</summary>
    public bool CompiledOnly { get; init; }

    /// <summary>What tiles of assembled products are like.</summary>
    public TileForm Tiles { get; init; }

    /// <summary>Tiles are of two panels.</summary>
    public bool Paired => Tiles == TileForm.TwoPanels;

    /// <summary>The assembled float32 kernels for packed weights of a type, where there are any.</summary>
    /// <param name="type">The type.</param>
    public FloatKernels? Assembled(DType type) => CompiledOnly ? null : FloatKernels.OfThisMachine(Path, type);

    /// <summary>Looks at what there is.</summary>
    /// <param name="path">The instructions of all kernels.</param>
    /// <param name="wanted">What is asked for.</param>
    /// <exception cref="OptionException">It is contradictory or unknown.</exception>
    public static ProductNumbers Of(InstructionPath path, CpuNumbers wanted)
    {
        if (!Enum.IsDefined(wanted.Precision) || !Enum.IsDefined(wanted.Weights))
        {
            throw new OptionException(
                nameof(PainterOptions.Precision), $"Precision {wanted.Precision} with weights {wanted.Weights}: each must be one of the kinds that are named.");
        }

        return Resolve(path, wanted) with { NarrowToo = wanted.NarrowToo, CompiledOnly = wanted.CompiledOnly, Tiles = Form(path, wanted.Tiles ?? TileForms.Best(path)) };
    }

    static TileForm Form(InstructionPath path, TileForm form) => form == TileForm.TwoPanels && path != InstructionPath.Avx512 ? TileForm.OnePanel : form;

    static ProductNumbers Resolve(InstructionPath path, CpuNumbers wanted)
    {
        if (wanted.Precision == Precision.Float32)
        {
            return new ProductNumbers(path, TypeOf(wanted.Weights), null, wanted.Weights == WeightFormat.AsStored ? "" : $", weights {wanted.Weights}");
        }

        if (wanted.Weights == WeightFormat.Half)
        {
            throw new OptionException(
                nameof(PainterOptions.Weights), "Products in bfloat16 read bfloat16 weights: ask for weights AsStored, BFloat16 or Int8, not Half.");
        }

        var type = wanted.Weights == WeightFormat.Int8 ? DType.I8 : DType.BF16;
        var kept = type == DType.I8 ? ", weights Int8" : "";
        var support = path == InstructionPath.Avx512 ? wanted.Support ?? BrainSupport.OfThisMachine : new BrainSupport(null, $"{path} has no bfloat16");
        return support.Kernels is { } kernels
            ? new ProductNumbers(path, type, kernels, $" with products in bfloat16{(kernels.Matrices ? " (AMX)" : "")}{kept}")
            : new ProductNumbers(path, type, null, $" with products in float32 of {(type == DType.I8 ? "Int8" : "bfloat16")} weights ({support.Absence})");
    }

    /// <summary>
    /// The numbers of one product. Narrow products (first and last convolutions, stems) and those of tables (time embeddings, cross-attention rows) are
    /// a hundredth of the work; they stay float32 with weights as stored, because few terms average rounding errors badly and a table's row goes everywhere.
    /// Nothing here depends on the size of pictures: a matrix that two sizes wanted in two forms would be kept twice.
    /// </summary>
    /// <param name="op">The product.</param>
    public ProductNumbers For(ProductOp op)
    {
        var spared = op.Weight.Inputs < Narrowest || op.Weight.Outputs < Narrowest || op.Output.Shape.Rank <= TableRank;
        return spared && !NarrowToo ? this with { Type = null, Brain = null } : this;
    }

    static DType? TypeOf(WeightFormat format) => format switch
    {
        WeightFormat.Half => DType.F16,
        WeightFormat.BFloat16 => DType.BF16,
        WeightFormat.Int8 => DType.I8,
        _ => null,
    };
}
