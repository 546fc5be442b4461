using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Backends;

/// <summary>A way to run plans on one device. Thread-safe.</summary>
public interface IBackend : IDisposable
{
    /// <summary>The device, for people: "CPU, 2 threads, AVX-512".</summary>
    string Description { get; }

    /// <summary>Prepares a home for packed weights. Weights are packed when a plan that uses them is first compiled, and shared by all plans after.</summary>
    /// <param name="source">Where weights come from; must stay open as long as plans are compiled.</param>
    IWeightStore CreateStore(IWeightSource source);

    /// <summary>Allocates zeroed memory on the device.</summary>
    /// <param name="bytes">Its size.</param>
    /// <exception cref="PlanException">The device has not enough memory.</exception>
    IDeviceBuffer Allocate(long bytes);

    /// <summary>Makes a plan runnable: binds and packs its weights, allocates its arena, chooses its kernels.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="weights">A store of this backend.</param>
    /// <exception cref="CheckpointException">A weight is missing or misshaped.</exception>
    /// <exception cref="PlanException">The device has not enough memory.</exception>
    IExecutable Compile(Plan plan, IWeightStore weights);

    /// <summary>Bytes of the device's memory that it may hold; null for all there is.</summary>
    long? MemoryLimit => null;

    /// <summary>Holds it to so many bytes of the device's memory from now on, or to those it is held to already where they are fewer.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <returns>Whether it can be held to any.</returns>
    bool LimitMemory(long bytes) => false;

    /// <summary>A backend that counts what this one would take of the device; null where there is none.</summary>
    /// <param name="limit">Bytes that it may hold, as <see cref="MemoryLimit"/>; null for what this one may.</param>
    ICountingBackend? CreateCounting(long? limit = null) => null;
}

/// <summary>Weights packed for a device, each once.</summary>
public interface IWeightStore : IDisposable
{
    /// <summary>Bytes of device memory that the packed weights take.</summary>
    long Bytes { get; }
}

/// <summary>Memory on a device.</summary>
public interface IDeviceBuffer : IDisposable
{
    /// <summary>Its size.</summary>
    long Bytes { get; }

    /// <summary>Copies to the device.</summary>
    /// <param name="source">Floats.</param>
    /// <param name="byteOffset">Where they go.</param>
    void Write(ReadOnlySpan<float> source, long byteOffset = 0);

    /// <summary>Copies from the device, after all work queued before has finished.</summary>
    /// <param name="destination">Receives floats.</param>
    /// <param name="byteOffset">Where they come from.</param>
    void Read(Span<float> destination, long byteOffset = 0);

    /// <summary>
    /// Writes a picture from the buffer's first byte on: each 8-bit number as the float that belongs to it, with noise added where there is any. The same bits on every
    /// device; on one of its own memory the numbers travel as bytes.
    /// </summary>
    /// <param name="pixels">Numbers, [positions, 3].</param>
    /// <param name="values">What each of the 256 numbers becomes.</param>
    /// <param name="noise">Noise, [3, positions], as it is drawn; empty for none.</param>
    /// <param name="strength">What noise is multiplied by.</param>
    /// <exception cref="ArgumentException">Sizes do not belong together.</exception>
    void WritePicture(ReadOnlySpan<byte> pixels, ReadOnlySpan<float> values, ReadOnlySpan<float> noise = default, float strength = 0) =>
        HostPictures.Write(this, pixels, values, noise, strength);

    /// <summary>Reads floats as 8-bit numbers, after all work queued before has finished: (x/2 + 1/2) clamped to 0..1, times 255, rounded half to even. The same bits on every device.</summary>
    /// <param name="pixels">Receives the numbers.</param>
    /// <param name="byteOffset">Where the floats come from.</param>
    /// <returns>Which float is no number, the first of them; −1 where all are.</returns>
    int ReadPicture(Span<byte> pixels, long byteOffset = 0) => HostPictures.Read(this, pixels, byteOffset);
}

/// <summary>A plan ready to run. One run at a time; different executables run at once from different threads.</summary>
public interface IExecutable : IDisposable
{
    /// <summary>The plan.</summary>
    Plan Plan { get; }

    /// <summary>Bytes of its arena and scratch memory.</summary>
    long Bytes { get; }

    /// <summary>Says where an input or output lives. Every one must be bound before <see cref="Run"/>; a binding stays until it is replaced.</summary>
    /// <param name="value">An input or output of the plan's graph.</param>
    /// <param name="buffer">Memory of the same backend.</param>
    /// <param name="byteOffset">Where in it, a multiple of 16.</param>
    void Bind(Value value, IDeviceBuffer buffer, long byteOffset = 0);

    /// <summary>Runs all ops. Allocates nothing.</summary>
    /// <param name="cancel">Looked at between tiles.</param>
    /// <exception cref="OperationCanceledException">It was cancelled; outputs are undefined, the executable stays usable.</exception>
    void Run(CancellationToken cancel = default);
}
