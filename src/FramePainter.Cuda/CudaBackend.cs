using FramePainter.Backends;
using FramePainter.Cuda.Driver;
using FramePainter.Cuda.Kernels;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Cuda;

/// <summary>
/// Runs plans on an NVIDIA GPU of compute capability 8.0 or later, over the driver alone: no CUDA toolkit is needed.
/// Products multiply halves and sum in float32; activations between ops are halves; values at the border of a plan, tables
/// and latents are float32. Halves are float16, or bfloat16 where that is asked for.
/// </summary>
public sealed class CudaBackend : IBackend
{
    readonly CudaContext _context;
    readonly CudaTuning _tuning;
    readonly long? _weightMemory;

    internal CudaBackend(int ordinal, CudaTuning tuning, CudaOptions? options = null, Precision precision = Precision.Float32)
    {
        var memory = options?.Validate();
        (_context, _tuning, _weightMemory) = (new CudaContext(ordinal, memory?.Budget, HalvesExtensions.Of(precision)), tuning, memory?.Weights);
        var refusal = _context.Kernels.HopperRefusal is { } error ? $"; the driver refuses the kernels for sm_90a ({error}), those for sm_80 run" : "";
        Description = $"CUDA, {_context.Info.Name}, {_context.Halves.ForPeople()}{refusal}";
    }

    /// <inheritdoc/>
    public string Description { get; }

    /// <summary>What the driver says about the device.</summary>
    public CudaDeviceInfo Info => _context.Info;

    /// <summary>Bytes of the device's memory that the backend holds, those that it keeps for later requests included.</summary>
    public long HeldBytes => _context.Pool.Tally.Held.Total;

    /// <summary>The most that <see cref="HeldBytes"/> ever was.</summary>
    public long PeakBytes => _context.Pool.Tally.Peak.Total;

    /// <summary>Opens a device.</summary>
    /// <param name="ordinal">Its number, in the driver's order, from 0.</param>
    /// <param name="options">How it is used; the defaults when left out.</param>
    /// <param name="precision">What products read: float16 by default, or bfloat16.</param>
    /// <exception cref="DeviceException">There is no driver, it is too old, there is no such device, or it is too old.</exception>
    /// <exception cref="OptionException">An option is out of range.</exception>
    public static CudaBackend Open(int ordinal = 0, CudaOptions? options = null, Precision precision = Precision.Float32) => new(ordinal, CudaTuning.Default, options, precision);

    /// <summary>Opens the first device that will do.</summary>
    /// <param name="options">How it is used; the defaults when left out.</param>
    /// <param name="precision">What products read: float16 by default, or bfloat16.</param>
    /// <exception cref="DeviceException">There is no driver, it is too old, or none of its devices will do; the message has each.</exception>
    /// <exception cref="OptionException">An option is out of range.</exception>
    public static CudaBackend OpenFirst(CudaOptions? options = null, Precision precision = Precision.Float32)
    {
        var reasons = new List<string>();
        foreach (var device in DriverDevices.List())
        {
            try
            {
                return Open(device.Ordinal, options, precision);
            }
            catch (DeviceException error)
            {
                reasons.Add(error.Message);
            }
        }

        throw new DeviceException(string.Join(' ', reasons));
    }

    /// <inheritdoc/>
    public IWeightStore CreateStore(IWeightSource source) => new CudaWeights(_context, source, _weightMemory);

    /// <inheritdoc/>
    public IDeviceBuffer Allocate(long bytes) => new CudaBuffer(_context, bytes, _tuning.Naive);

    /// <inheritdoc/>
    public IExecutable Compile(Plan plan, IWeightStore weights) => new CudaExecutable(plan, (CudaWeights)weights, _context, _tuning);

    /// <inheritdoc/>
    public long? MemoryLimit => _context.Pool.Limit;

    /// <inheritdoc/>
    public bool LimitMemory(long bytes)
    {
        _context.Pool.LimitTo(bytes);
        return true;
    }

    /// <inheritdoc/>
    public ICountingBackend CreateCounting(long? limit = null) => new CudaCounting(_context, limit ?? MemoryLimit, _weightMemory, _tuning);

    /// <inheritdoc/>
    public void Dispose() => _context.Dispose();
}

/// <summary>Choices between kernels that compute the same; tests turn them to reach every kernel.</summary>
/// <param name="LargeTilesFrom">Products of at least so many large tiles for each multiprocessor use them.</param>
/// <param name="Naive">Take the plain twin of every kernel that has one.</param>
/// <param name="NormBlocks">Blocks of a norm for each multiprocessor: as many as fit at once, so that all end together.</param>
internal readonly record struct CudaTuning(double LargeTilesFrom, bool Naive, int NormBlocks = 3)
{
    /// <summary>Large tiles where each multiprocessor gets at least one.</summary>
    public static readonly CudaTuning Default = new(1, false);

    /// <summary>
    /// Bytes of scratch memory that attention with wide heads may take; more where one tile of rows needs it. As it is, 9216 tokens of 512
    /// channels go in four parts, each with enough tiles for Hopper's products.
    /// </summary>
    public long WideScratch { get; init; } = 160 << 20;

    /// <summary>Scores of a row that the softmax of attention with wide heads keeps in shared memory: 96 KiB, what every device has. Longer rows stay in memory.</summary>
    public int HeldWideRow { get; init; } = 24 << 10;

    /// <summary>
    /// Chunks of a group's statistics that every block of a norm joins for itself. With more, as in the autoencoder's largest pictures, blocks would read more statistics
    /// than picture (2304 chunks: 350 MB beside 302), and a kernel between makes one chunk of them.
    /// </summary>
    public int JoinedChunks { get; init; } = 512;

    /// <summary>The kind of tiles that every one of Hopper's products has that it suits; null for those that end first.</summary>
    public LaunchList.TileKind? HopperTiles { get; init; }

    /// <summary>Warpgroups of a block of Hopper's attention, 2 or 3; null for those that end first.</summary>
    public int? HopperQueryGroups { get; init; }

    /// <summary>Microseconds that a joint of slices of a tile takes: with 0 nearly every tile that may be shared is.</summary>
    public double HopperJointTime { get; init; } = LaunchList.TileShares.JointTime;
}

/// <summary>Float32 values on the device.</summary>
internal sealed class CudaBuffer : IDeviceBuffer
{
    readonly CudaContext _context;
    readonly DeviceBlock _block;
    readonly bool _naive;

    public CudaBuffer(CudaContext context, long bytes, bool naive = false)
    {
        (_context, Bytes, _naive) = (context, bytes, naive);
        _block = context.Pool.Rent(new DeviceMemory(0, 0, bytes));
        try
        {
            context.Clear(_block.Address, Math.Max(bytes, 1));
        }
        catch
        {
            _block.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public long Bytes { get; }

    internal ulong Address => _block.Address;

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<float> source, long byteOffset = 0) =>
        _context.Upload(At(byteOffset, source.Length), System.Runtime.InteropServices.MemoryMarshal.AsBytes(source));

    /// <inheritdoc/>
    public void Read(Span<float> destination, long byteOffset = 0) =>
        _context.Download(System.Runtime.InteropServices.MemoryMarshal.AsBytes(destination), At(byteOffset, destination.Length));

    /// <inheritdoc/>
    public void WritePicture(ReadOnlySpan<byte> pixels, ReadOnlySpan<float> values, ReadOnlySpan<float> noise = default, float strength = 0)
    {
        HostPictures.Check(pixels, values, noise);
        _context.WritePicture(At(0, pixels.Length), pixels, values, noise, strength, _naive);
    }

    /// <inheritdoc/>
    public int ReadPicture(Span<byte> pixels, long byteOffset = 0) =>
        _context.ReadPicture(pixels, At(byteOffset, pixels.Length), _naive) ? -1 : HostPictures.Read(this, pixels, byteOffset);

    /// <inheritdoc/>
    public void Dispose() => _block.Dispose();

    ulong At(long byteOffset, int count)
    {
        if (byteOffset < 0 || byteOffset + ((long)count * sizeof(float)) > Bytes)
        {
            throw new ArgumentOutOfRangeException(nameof(byteOffset), $"{count} floats at {byteOffset} leave a buffer of {Bytes} bytes.");
        }

        return _block.Address + (ulong)byteOffset;
    }
}
