using FramePainter.Backends;
using FramePainter.Graphs;
using FramePainter.Tensors;
using ILGPU;

namespace FramePainter.Ilgpu;

/// <summary>
/// A weight matrix as the product kernel reads it: <c>[tap·inputs + input][column]</c>. Columns are outputs; a gated matrix (GEGLU) has
/// blocks of 16 values followed by their 16 gates, filled up with zeros.
/// </summary>
internal sealed class DeviceMatrix : IDisposable
{
    const int GateBlock = 16;
    readonly DeviceBlock<float>? _floats;
    readonly DeviceBlock<ushort>? _bits;

    DeviceMatrix(IlgpuBackend backend, DType type, int columns, int count, Func<Array> pack)
    {
        (Type, Columns) = (type, columns);
        try
        {
            if (type == DType.F32)
            {
                _floats = backend.Allocate<float>(count, Weights);
                backend.CopyIn<float>(_floats.View, backend.Counts ? [] : (float[])pack());
            }
            else
            {
                _bits = backend.Allocate<ushort>(count, Weights);
                backend.CopyIn<ushort>(_bits.View, backend.Counts ? [] : (ushort[])pack());
            }
        }
        catch
        {
            Dispose();
            throw;
        }

        static DeviceMemory Weights(long held) => new(held, 0, 0);
    }

    /// <summary>Type of the stored weights: F32, F16 or BF16.</summary>
    public DType Type { get; }

    /// <summary>Columns of a line.</summary>
    public int Columns { get; }

    /// <summary>Bytes in memory.</summary>
    public long Bytes => _floats?.Bytes ?? _bits!.Bytes;

    /// <summary>The weights, where they are float32.</summary>
    public ArrayView<float> Floats => _floats!.View;

    /// <summary>The weights' bits, where they are not.</summary>
    public ArrayView<ushort> Bits => _bits!.View;

    /// <summary>Packs a matrix.</summary>
    /// <exception cref="CheckpointException">A tensor is missing, misshaped or of another type.</exception>
    public static DeviceMatrix Pack(IlgpuBackend backend, IWeightSource source, WeightMatrix matrix, bool gated, WeightStorage storage)
    {
        var type = storage == WeightStorage.Half ? DType.F16 : MatrixPart.TypeOf(source, matrix);
        var columns = gated ? (((matrix.Outputs / 2) + GateBlock - 1) / GateBlock * 2 * GateBlock) : matrix.Outputs;
        var count = checked(matrix.Inputs * matrix.Taps * columns);
        return new DeviceMatrix(backend, type, columns, count, () => PackedOf(source, matrix, gated, type, columns, count));
    }

    /// <summary>Bytes of the host that a tensor takes while it is packed: as it is stored, and as the copy that is scattered, rounded where it is of another type.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="type">Type of the packed weights.</param>
    public static long UnpackedBytes(TensorView tensor, DType type)
    {
        var copy = tensor.Shape.Count * type.Size();
        return tensor.Bytes + copy + (tensor.Type == type || type == DType.F32 ? 0 : tensor.Shape.Count * sizeof(float));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _floats?.Dispose();
        _bits?.Dispose();
    }

    static Array PackedOf(IWeightSource source, WeightMatrix matrix, bool gated, DType type, int columns, int count)
    {
        Array packed = type == DType.F32 ? new float[count] : new ushort[count];
        MatrixPart.Place(source, matrix, (view, part) =>
        {
            if (type == DType.F32)
            {
                Scatter(view.ToArray(), (float[])packed, matrix, part, columns, gated);
            }
            else
            {
                Scatter(BitsOf(view, type), (ushort[])packed, matrix, part, columns, gated);
            }
        });
        return packed;
    }

    static unsafe ushort[] BitsOf(TensorView view, DType type)
    {
        var bits = new ushort[checked((int)view.Shape.Count)];
        if (view.Type == type)
        {
            new ReadOnlySpan<byte>((void*)view.Address, checked((int)view.Bytes)).CopyTo(System.Runtime.InteropServices.MemoryMarshal.AsBytes(bits.AsSpan()));
        }
        else
        {
            HalfConversion.NarrowF16(view.ToArray(), bits);
        }

        return bits;
    }

    /// <summary>Transposes a tensor into its place. Lines of one input are of one thread: no two write the same element.</summary>
    static void Scatter<T>(T[] from, T[] to, WeightMatrix matrix, MatrixPart part, int columns, bool gated)
    {
        var place = new int[part.Outputs];
        for (var n = 0; n < place.Length; n++)
        {
            place[n] = Column(part.ToOutput + n, matrix.Outputs, gated);
        }

        Parallel.For(0, part.Inputs, input =>
        {
            for (var n = 0; n < part.Outputs; n++)
            {
                var source = ((((long)(part.FromOutput + n) * part.TensorInputs) + part.FromInput + input) * matrix.Taps);
                for (var tap = 0; tap < matrix.Taps; tap++)
                {
                    to[((((long)tap * matrix.Inputs) + part.ToInput + input) * columns) + place[n]] = from[source + tap];
                }
            }
        });
    }

    static int Column(int output, int outputs, bool gated)
    {
        if (!gated)
        {
            return output;
        }

        var gate = output >= outputs / 2;
        var value = gate ? output - (outputs / 2) : output;
        return (value / GateBlock * 2 * GateBlock) + (gate ? GateBlock : 0) + (value % GateBlock);
    }
}
