using FramePainter.Backends.Cpu.Jit;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>The assembled kernels of attention: both products' and the softmax.</summary>
internal sealed class AttentionTiles
{
    /// <summary>Float32.</summary>
    /// <param name="kernels">Those that read float32.</param>
    /// <param name="paired">Tiles are of two panels.</param>
    public AttentionTiles(FloatKernels kernels, bool paired) => (Wide, Narrow, Paired, Softmax, SoftmaxRows) = (kernels.Wide, kernels.Narrow, paired ? kernels.Paired : null, kernels.Softmax, FloatKernels.StripRows);

    /// <summary>Bfloat16.</summary>
    /// <param name="kernels">Those of bfloat16.</param>
    /// <param name="paired">Tiles are of two panels; AMX has none.</param>
    public AttentionTiles(BrainKernels kernels, bool paired) =>
        (Wide, Narrow, Paired, Softmax, SoftmaxRows, Brain) = (kernels.Wide, kernels.Narrow, paired && !kernels.Matrices ? kernels.Paired : null, kernels.Softmax, kernels.SoftmaxRows, kernels);

    /// <summary>Products of two registers of columns: index rows − 1.</summary>
    public nint[] Wide { get; }

    /// <summary>Products of one register of columns.</summary>
    public nint[] Narrow { get; }

    /// <summary>Products of two panels; null where tiles are of one.</summary>
    public nint[]? Paired { get; }

    /// <summary>The softmax: a <see cref="SoftmaxCall"/>.</summary>
    public nint Softmax { get; }

    /// <summary>Rows of scores that it takes at once.</summary>
    public int SoftmaxRows { get; }

    /// <summary>Queries of a strip: as many softmaxes as a tile has room for.</summary>
    public int StripRows => Paired is null ? Wide.Length / SoftmaxRows * SoftmaxRows : SoftmaxRows;

    /// <summary>What rounds to pairs, where words are pairs of bfloat16; null where they are floats.</summary>
    public BrainKernels? Brain { get; }

    /// <summary>Numbers of a word.</summary>
    public int WordInputs => Brain is null ? 1 : BrainTiles.PairInputs;
}
