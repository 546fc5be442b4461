using FramePainter.Backends.Cpu.Simd;

namespace FramePainter.Backends.Cpu.Jit;

/// <summary>Kernels of bfloat16 in executable pages, found by their counts of rows and columns.</summary>
internal sealed unsafe class BrainKernels
{
    /// <summary>Rows of the largest tile of AVX512-BF16: 28 sums, two weights and two broadcasts fill the 32 registers.</summary>
    const int VectorRows = 14;

    readonly delegate* unmanaged[SuppressGCTransition]<float*, float*, int, int, void> _round;
    readonly delegate* unmanaged[SuppressGCTransition]<void> _enter;
    readonly delegate* unmanaged[SuppressGCTransition]<void> _leave;

    BrainKernels(nint round, nint[] wide, nint[] narrow, nint enter, nint leave)
    {
        _round = (delegate* unmanaged[SuppressGCTransition]<float*, float*, int, int, void>)round;
        _enter = (delegate* unmanaged[SuppressGCTransition]<void>)enter;
        _leave = (delegate* unmanaged[SuppressGCTransition]<void>)leave;
        (Wide, Narrow) = (wide, narrow);
    }

    /// <summary>Whether products are AMX's: 512 multiply-adds a cycle, where float32 has 32 at best.</summary>
    public bool Matrices => _enter is not null;

    /// <summary>Rows of the largest tile.</summary>
    public int TileRows => Wide.Length;

    /// <summary>Kernels read, sum and write rows in multiples of so many, however few are wanted.</summary>
    public int RowStep => Matrices ? MatrixInstructions.Rows : 1;

    /// <summary>Product kernels of two registers of columns: index rows − 1.</summary>
    public nint[] Wide { get; }

    /// <summary>Product kernels of one register of columns.</summary>
    public nint[] Narrow { get; }

    /// <summary>Assembles all kernels into one piece of code.</summary>
    /// <param name="map">Maps it.</param>
    /// <param name="instructions">What those of AVX512-BF16 are made of.</param>
    /// <param name="matrices">What products are made of where they are AMX's; null where they are AVX512-BF16's.</param>
    public static BrainKernels Assemble(BrainSupport.Mapper map, BrainInstructions instructions, MatrixInstructions? matrices)
    {
        var code = new KernelCode();
        var round = code.Append(BrainAssembly.Round(instructions));
        var (wide, narrow) = (Products(2), Products(1));
        var (enter, leave) = matrices is null ? (0, 0) : (code.Append(MatrixAssembly.Enter(matrices)), code.Append(MatrixAssembly.Leave(matrices)));
        var start = map(code.Bytes);
        return matrices is null ? new BrainKernels(start + round, At(wide), At(narrow), 0, 0) : new BrainKernels(start + round, At(wide), At(narrow), start + enter, start + leave);

        int[] Products(int columns)
        {
            if (matrices is null)
            {
                return [.. Enumerable.Range(1, VectorRows).Select(rows => code.Append(BrainAssembly.Product(rows, columns, instructions)))];
            }

            int[] registers = [code.Append(MatrixAssembly.Product(1, columns, matrices)), code.Append(MatrixAssembly.Product(2, columns, matrices))];
            return [.. registers.SelectMany(at => Enumerable.Repeat(at, MatrixInstructions.Rows))];
        }

        nint[] At(int[] kernels) => [.. kernels.Select(at => start + at)];
    }

    /// <summary>Before a thread calls product kernels. AMX's registers take their shapes, which takes longer than a kernel of few inputs.</summary>
    public void Enter()
    {
        if (_enter is not null)
        {
            MatrixThread.Prepare();
            _enter();
        }
    }

    /// <summary>When it has done so, lest the system keep saving registers that nobody uses.</summary>
    public void Leave()
    {
        if (_leave is not null)
        {
            _leave();
        }
    }

    /// <summary>sums (+)= rows × panel, between <see cref="Enter"/> and <see cref="Leave"/>.</summary>
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
