using System.Runtime.InteropServices;

namespace FramePainter.Tensors;

/// <summary>
/// Memory outside the managed heap, aligned to 64 bytes and zeroed. Sizes beyond 2 GB are fine. Those of 2 MB and more lie on pages of that size where Linux has them: a page is
/// made when it is first written to, and gigabytes of weights are a million pages of 4 KB.
/// Every buffer is counted, so that tests can hold the library to giving all of it back.
/// </summary>
public sealed unsafe class NativeBuffer : IDisposable
{
    /// <summary>Alignment of every buffer and of every value in an arena, in bytes: one AVX-512 register, one cache line.</summary>
    public const int Alignment = 64;

    /// <summary>Zeroed buffers from this size on are mapped by themselves on Linux.</summary>
    const int HugePage = 2 << 20;

    static long s_liveBytes;
    static long s_peakBytes;

    [ThreadStatic]
    static Action<long>? s_fault;

    void* _pointer;
    nint _mapping;
    nuint _mappedBytes;

    /// <summary>Allocates a zeroed buffer.</summary>
    /// <param name="bytes">Its size, at least 0.</param>
    /// <exception cref="PlanException">The system refuses the memory.</exception>
    public NativeBuffer(long bytes)
        : this(bytes, filled: true)
    {
    }

    NativeBuffer(long bytes, bool filled)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        Bytes = bytes;
        var rounded = checked((nuint)Math.Max(bytes, 1) + Alignment - 1) / Alignment * Alignment;
        try
        {
            s_fault?.Invoke(bytes);
            if (OperatingSystem.IsLinux() && filled && bytes >= HugePage && Map(rounded))
            {
                filled = false;
            }
            else
            {
                _pointer = NativeMemory.AlignedAlloc(rounded, Alignment);
            }
        }
        catch (OutOfMemoryException e)
        {
            throw new PlanException($"The system refused {bytes:N0} bytes of memory; {LiveBytes:N0} bytes are in use by this library.", e);
        }

        if (filled)
        {
            NativeMemory.Clear(_pointer, rounded);
        }

        var live = Interlocked.Add(ref s_liveBytes, bytes);
        long peak;
        while (live > (peak = Volatile.Read(ref s_peakBytes)) && Interlocked.CompareExchange(ref s_peakBytes, live, peak) != peak)
        {
        }
    }

    /// <summary>Gives the memory back if <see cref="Dispose"/> was never called.</summary>
    ~NativeBuffer() => Free();

    /// <summary>Bytes held by all buffers of this process that are alive.</summary>
    public static long LiveBytes => Volatile.Read(ref s_liveBytes);

    /// <summary>The highest <see cref="LiveBytes"/> since the process began or <see cref="ResetPeak"/>.</summary>
    public static long PeakBytes => Volatile.Read(ref s_peakBytes);

    /// <summary>Size in bytes as asked for.</summary>
    public long Bytes { get; }

    /// <summary>Address of the first byte.</summary>
    /// <exception cref="ObjectDisposedException">The memory was given back.</exception>
    public void* Pointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(_pointer is null, this);
            return _pointer;
        }
    }

    /// <summary>Lets a fault stand before every allocation of the calling thread, told its size: it throws as the system would. Null takes it away.</summary>
    internal static void Inject(Action<long>? fault) => s_fault = fault;

    /// <summary>A buffer that is written to before anything reads it, and soon given back: not zeroed, and never mapped by itself, so that the next one has the same pages.</summary>
    /// <param name="bytes">Its size, at least 0.</param>
    /// <exception cref="PlanException">The system refuses the memory.</exception>
    internal static NativeBuffer Unfilled(long bytes) => new(bytes, filled: false);

    /// <summary>Lowers <see cref="PeakBytes"/> to what is alive now.</summary>
    public static void ResetPeak() => Volatile.Write(ref s_peakBytes, LiveBytes);

    /// <summary>A view of part of the buffer as elements of one type.</summary>
    /// <typeparam name="T">The element type.</typeparam>
    /// <param name="byteOffset">Where the view begins, in bytes.</param>
    /// <param name="count">Its length in elements.</param>
    /// <exception cref="ArgumentOutOfRangeException">The view leaves the buffer.</exception>
    public Span<T> Span<T>(long byteOffset, int count)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteOffset);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(byteOffset + ((long)count * sizeof(T)), Bytes, nameof(count));
        return new Span<T>((byte*)Pointer + byteOffset, count);
    }

    /// <summary>Gives the memory back. Further calls do nothing.</summary>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    /// <summary>
    /// Fresh zeros from the system, from a multiple of the huge page on. What is less than a page at the end stays small pages.
    /// False where the system refuses: the allocator, which wants a page less, has the last word.
    /// </summary>
    bool Map(nuint bytes)
    {
        var mapped = checked(bytes + HugePage);
        var mapping = UnixMemory.Map(mapped);
        if (mapping == -1)
        {
            return false;
        }

        var first = ((nuint)mapping + HugePage - 1) / HugePage * HugePage;
        UnixMemory.AskForHugePages((nint)first, bytes / HugePage * HugePage);
        _pointer = (void*)first;
        (_mapping, _mappedBytes) = (mapping, mapped);
        return true;
    }

    void Free()
    {
        if (_pointer is not null)
        {
            if (_mappedBytes > 0)
            {
                UnixMemory.Unmap(_mapping, _mappedBytes);
            }
            else
            {
                NativeMemory.AlignedFree(_pointer);
            }

            _pointer = null;
            Interlocked.Add(ref s_liveBytes, -Bytes);
        }
    }
}
