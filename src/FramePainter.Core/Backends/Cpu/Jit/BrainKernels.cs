using FramePainter.Backends.Cpu.Simd;

namespace FramePainter.Backends.Cpu.Jit;

/// <summary>Kernels of bfloat16 in executable pages, found by their counts of rows and columns.</summary>
internal sealed unsafe class BrainKernels
{
    /// <summary>Rows of the largest tile: 28 sums, two weights and two broadcasts fill the 32 registers.</summary>
    public const int TileRows = 14;

    readonly delegate* unmanaged[SuppressGCTransition]<float*, float*, int, int, void> _round;

    BrainKernels(nint round, nint[] wide, nint[] narrow)
    {
        _round = (delegate* unmanaged[SuppressGCTransition]<float*, float*, int, int, void>)round;
        (Wide, Narrow) = (wide, narrow);
    }

    /// <summary>Product kernels of two registers of columns: index rows − 1.</summary>
    public nint[] Wide { get; }

    /// <summary>Product kernels of one register of columns.</summary>
    public nint[] Narrow { get; }

    /// <summary>Assembles all kernels into one piece of code.</summary>
    /// <param name="map">Maps it.</param>
    /// <param name="instructions">What they are made of.</param>
    public static BrainKernels Assemble(BrainSupport.Mapper map, BrainInstructions instructions)
    {
        var code = new KernelCode();
        var round = code.Append(BrainAssembly.Round(instructions));
        int[] wide = [.. Enumerable.Range(1, TileRows).Select(rows => code.Append(BrainAssembly.Product(rows, 2, instructions)))];
        int[] narrow = [.. Enumerable.Range(1, TileRows).Select(rows => code.Append(BrainAssembly.Product(rows, 1, instructions)))];
        var start = map(code.Bytes);
        return new BrainKernels(start + round, [.. wide.Select(at => start + at)], [.. narrow.Select(at => start + at)]);
    }

    /// <summary>sums (+)= rows × panel.</summary>
    /// <param name="kernel">One of <see cref="Wide"/> or <see cref="Narrow"/>.</param>
    /// <param name="call">Where everything lies; rows are <see cref="Blocking.RowStride"/> words apart.</param>
    public static void Sum(nint kernel, TileCall* call) =>
        ((delegate* unmanaged[SuppressGCTransition]<float*, byte*, int, float*, int, void>)kernel)(call->Rows, call->Panel, call->Words, call->Sums, call->Accumulate);

    /// <summary>Rounds rows of floats to pairs of bfloat16, to nearest even; subnormals become 0. Both sides' rows are <see cref="Blocking.RowStride"/> words apart.</summary>
    /// <param name="source">Floats, two for each pair; read in steps of 32.</param>
    /// <param name="destination">Receives the pairs, and may be the source; up to 15 words behind each row's last are overwritten.</param>
    /// <param name="rows">How many rows, at least 1.</param>
    /// <param name="pairs">Pairs of a row, at least 1.</param>
    public void Round(float* source, float* destination, int rows, int pairs) => _round(source, destination, rows, pairs);
}
