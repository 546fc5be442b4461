using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu;

/// <summary>
/// One op of a plan, made ready at compile time: weights packed, tiles chosen, scratch asked for.
/// Running it allocates nothing. A kernel cuts its work into tiles that do not depend on the number of threads
/// and writes each output element in exactly one tile, so that results are the same bits for any thread count.
/// </summary>
internal abstract unsafe class CpuKernel : IParallelWork
{
    /// <summary>Scratch bytes that each worker needs while this kernel runs; multiples of 64.</summary>
    public virtual long ScratchBytesPerWorker => 0;

    /// <summary>Scratch bytes that the kernel needs once, shared by its workers (partial sums, statistics).</summary>
    public virtual long SharedScratchBytes => 0;

    /// <summary>Runs the op: one or more parallel regions through <see cref="CpuRun.Parallel"/>.</summary>
    /// <param name="run">Pointers, scratch and the pool of this run.</param>
    public abstract void Run(CpuRun run);

    /// <summary>One tile of a parallel region.</summary>
    /// <param name="tile">The tile's number.</param>
    /// <param name="worker">The worker that runs it, for its scratch.</param>
    public abstract void Execute(int tile, int worker);
}

/// <summary>Work cut into numbered tiles.</summary>
internal interface IParallelWork
{
    /// <summary>Runs one tile. Called once for each number, from any worker, in any order.</summary>
    /// <param name="tile">The tile's number.</param>
    /// <param name="worker">The worker's number, below the pool's count.</param>
    void Execute(int tile, int worker);
}

/// <summary>What a kernel sees while it runs: where values live, scratch, and the pool.</summary>
internal sealed unsafe class CpuRun(WorkerPool pool, int values)
{
    readonly nint[] _addresses = new nint[values];
    byte* _scratch;
    long _scratchPerWorker;
    byte* _shared;

    /// <summary>Cancels between tiles.</summary>
    public CancellationToken Cancel { get; set; }

    /// <summary>The pool.</summary>
    public WorkerPool Pool => pool;

    public void SetAddress(Value value, nint address) => _addresses[value.Id] = address;

    public bool IsBound(Value value) => _addresses[value.Id] != 0;

    public void SetScratch(byte* scratch, long perWorker, byte* shared)
    {
        _scratch = scratch;
        _scratchPerWorker = perWorker;
        _shared = shared;
    }

    /// <summary>Address of a value's first element; aligned to 64 bytes.</summary>
    public float* Data(Value value) => (float*)_addresses[value.Id];

    /// <summary>A worker's scratch memory, aligned to 64 bytes; contents are left over from whatever ran before.</summary>
    public byte* Scratch(int worker) => _scratch + (worker * _scratchPerWorker);

    /// <summary>The kernel's shared scratch memory, aligned to 64 bytes; contents are left over.</summary>
    public byte* Shared => _shared;

    /// <summary>Runs tiles 0..count−1 of a kernel on the pool and waits for all of them.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled between tiles.</exception>
    public void Parallel(IParallelWork work, int count) => pool.Run(work, count, Cancel);
}
