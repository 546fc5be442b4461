using FramePainter.Backends.Cpu.Simd;
using FramePainter.Tensors;

namespace FramePainter.Backends.Cpu.Jit;

/// <summary>Kernels of bfloat16 in executable pages, found by their counts of rows and columns.</summary>
internal sealed unsafe class BrainKernels
{
    readonly delegate* unmanaged[SuppressGCTransition]<RoundCall*, void> _round;
    readonly delegate* unmanaged[SuppressGCTransition]<void> _enter;
    readonly delegate* unmanaged[SuppressGCTransition]<void> _leave;

    BrainKernels(nint round, nint softmax, nint[] wide, nint[] narrow, nint[] paired, nint enter, nint leave)
    {
        _round = (delegate* unmanaged[SuppressGCTransition]<RoundCall*, void>)round;
        _enter = (delegate* unmanaged[SuppressGCTransition]<void>)enter;
        _leave = (delegate* unmanaged[SuppressGCTransition]<void>)leave;
        (Wide, Narrow, Paired, Softmax) = (wide, narrow, paired, softmax);
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

    /// <summary>Product kernels of two panels, up to <see cref="FloatKernels.PairedRows"/> rows; none of AMX.</summary>
    public nint[] Paired { get; }

    /// <summary>The softmax of <see cref="SoftmaxRows"/> rows of scores, whose probabilities become pairs: a <see cref="SoftmaxCall"/>.</summary>
    public nint Softmax { get; }

    /// <summary>Rows of scores whose softmax is taken at once. AMX's tiles come in no multiple of six.</summary>
    public int SoftmaxRows => RowsOf(Matrices);

    /// <summary>Assembles all kernels into one piece of code.</summary>
    /// <param name="map">Maps it.</param>
    /// <param name="instructions">What those of AVX512-BF16 are made of.</param>
    /// <param name="matrices">What products are made of where they are AMX's; null where they are AVX512-BF16's.</param>
    public static BrainKernels Assemble(BrainSupport.Mapper map, BrainInstructions instructions, MatrixInstructions? matrices)
    {
        var code = new KernelCode();
        var round = code.Append(BrainAssembly.Round(instructions));
        var softmax = code.Append(Softmax512Assembly.Strip(RowsOf(matrices is not null), instructions));
        if (matrices is null)
        {
            var vector = VectorAssembly.Of(InstructionPath.Avx512)!;
            var (wide, narrow, paired) = (Vectors(vector.TileRows, 2), Vectors(vector.TileRows, 1), Vectors(FloatKernels.PairedRows, 4));
            var start = map(code.Bytes);
            return new BrainKernels(start + round, start + softmax, At(wide, start), At(narrow, start), At(paired, start), 0, 0);

            int[] Vectors(int rows, int columns) =>
                [.. Enumerable.Range(1, rows).Select(r => code.Append(ProductAssembly.Product(vector, DType.F32, r, columns, keeps: false, instructions)))];
        }
        else
        {
            var (wide, narrow) = (Matrices(2), Matrices(1));
            var (enter, leave) = (code.Append(MatrixAssembly.Enter(matrices)), code.Append(MatrixAssembly.Leave(matrices)));
            var start = map(code.Bytes);
            return new BrainKernels(start + round, start + softmax, At(wide, start), At(narrow, start), [], start + enter, start + leave);

            int[] Matrices(int columns)
            {
                int[] registers = [code.Append(MatrixAssembly.Product(1, columns, matrices)), code.Append(MatrixAssembly.Product(2, columns, matrices))];
                return [.. registers.SelectMany(at => Enumerable.Repeat(at, MatrixInstructions.Rows))];
            }
        }

        static nint[] At(int[] kernels, nint start) => [.. kernels.Select(at => start + at)];
    }

    static int RowsOf(bool matrices) => matrices ? 4 : FloatKernels.StripRows;

    /// <summary>Before a thread runs product kernels (<see cref="FloatKernels.Run"/>). AMX's registers take their shapes, which takes longer than a kernel of few inputs.</summary>
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

    /// <summary>Rounds rows of floats to pairs of bfloat16, to nearest even; subnormals become 0.</summary>
    /// <param name="source">Floats, two for each pair; read in steps of 32.</param>
    /// <param name="sourceDistance">Floats from one row to the next.</param>
    /// <param name="destination">Receives the pairs, and may be the source; up to 15 words behind each row's last are overwritten.</param>
    /// <param name="destinationDistance">Words from one row to the next.</param>
    /// <param name="rows">How many rows, at least 1.</param>
    /// <param name="pairs">Pairs of a row, at least 1.</param>
    public void Round(float* source, long sourceDistance, float* destination, long destinationDistance, int rows, int pairs)
    {
        var call = new RoundCall
        {
            Source = source, Destination = destination, SourceDistance = sourceDistance * sizeof(float), DestinationDistance = destinationDistance * sizeof(float), Rows = rows, Pairs = pairs,
        };
        _round(&call);
    }
}
