using FramePainter.Backends.Cpu.Jit;
using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>
/// 3×3 convolution by Winograd's F(4×4, 3×3): a quarter of the multiplications of the direct one. Patches become 36 points each, points are
/// multiplied by the weights' points in 36 matrix products with the micro-kernel of every product, and sums become 4×4 outputs.
/// A wave of patches at a time, so that their points stay in the last-level cache; within a wave an item is a block of patches by one panel.
/// Weights are transformed where they are used, a stretch of channels at a time: kept transformed they would take eight times the memory of F16.
/// </summary>
internal sealed unsafe class WinogradKernel<L, V> : CpuKernel
    where L : struct, ILanes<V>
    where V : struct
{
    const int Points = 36;
    const int Taps = 9;

    /// <summary>Channels whose weights are transformed at a time: their points take a quarter of a second-level cache of 1 MB.</summary>
    const int Depth = 64;

    /// <summary>
    /// Points of weights, and of sums, lie one row of a panel further apart than they are large: at a distance of 4 KB or a multiple the 36 points that
    /// a transform writes or reads would share one set of the first-level cache.
    /// </summary>
    const int Apart = 1;

    /// <summary>Patches of an item: their sums take less than half of that cache.</summary>
    const int BlockPatches = 98;

    /// <summary>Patches of a tile of the first phase.</summary>
    const int InputPatches = 8;

    /// <summary>Patches whose outputs are stored together.</summary>
    const int StoredPatches = 8;

    /// <summary>Points of one wave: a third of a common last-level cache.</summary>
    const long WaveBytes = 12 << 20;

    /// <summary>With fewer channels, or fewer patches that share a kernel's transform, the transforms take more than the products save.</summary>
    const int FewestChannels = 32;

    const int FewestPatches = 4;

    readonly ConvOp _op;
    readonly PackedMatrix _matrix;
    readonly TileArithmetic _tiles;
    readonly TileEpilogue<L, V> _epilogue;
    readonly InputPhase _inputs;
    readonly int _firstChannels;
    readonly int _channels;
    readonly int _height;
    readonly int _width;
    readonly int _patchRows;
    readonly int _patchColumns;
    readonly int _patches;
    readonly int _blocksOfWave;
    readonly int _blocks;
    readonly int _weightBytes;
    readonly int _sumBytes;
    CpuRun? _run;
    int _firstBlock;
    int _wavePatch;
    int _wavePatches;

    public WinogradKernel(ConvOp op, CpuWeights weights, ProductNumbers numbers)
    {
        _op = op;
        _matrix = PackedMatrix.Of(weights, op.Weight, 2 * L.Count, gated: false, numbers);
        _tiles = TileArithmetic.Of<L, V>(numbers, DType.F32);
        _epilogue = new TileEpilogue<L, V>(op, weights);
        _inputs = new InputPhase(this);
        (_firstChannels, _channels) = (op.Input.First.Shape.Channels, op.Input.Channels);
        (_height, _width) = (op.Output.Shape[1], op.Output.Shape[2]);
        (_patchRows, _patchColumns) = ((_height + 3) / 4, (_width + 3) / 4);
        _patches = op.Output.Shape.Images * _patchRows * _patchColumns;

        _blocks = (_patches + BlockPatches - 1) / BlockPatches;
        var largest = (_patches + _blocks - 1) / _blocks;
        _blocksOfWave = (int)Math.Clamp(WaveBytes / ((long)largest * PatchFloats * sizeof(float)), 1, _blocks);
        _weightBytes = Points * (Depth + Apart) * 2 * L.Count * sizeof(float);
        _sumBytes = Points * (largest + Apart) * 2 * L.Count * sizeof(float);
        var stored = 4 * 4 * StoredPatches * 2 * L.Count * sizeof(float);
        ScratchBytesPerWorker = _weightBytes + _sumBytes + stored;
        SharedScratchBytes = ZeroBytes + ((long)_blocksOfWave * largest * PatchFloats * sizeof(float));
    }

    /// <inheritdoc/>
    public override long ScratchBytesPerWorker { get; }

    /// <inheritdoc/>
    public override long SharedScratchBytes { get; }

    /// <summary>Floats of the points of one patch, all stretches of channels.</summary>
    long PatchFloats => (long)Points * Stretches * Blocking.RowStride;

    int Stretches => (_channels + Blocking.Inputs - 1) / Blocking.Inputs;

    /// <summary>What positions outside the picture read.</summary>
    int ZeroBytes => (_channels * sizeof(float)) + NativeBuffer.Alignment - ((_channels * sizeof(float)) % NativeBuffer.Alignment);

    float* PointsOfWave => (float*)(_run!.Shared + ZeroBytes);

    /// <summary>Whether the op is one for this kernel where its picture is large enough: whole registers of channels and enough of them, no stride.</summary>
    public static bool Suits(ConvOp op, WinogradUse use) =>
        op is { KernelHeight: 3, KernelWidth: 3, Stride: 1 } && op.Epilogue.Activation != Activation.Geglu
        && op.Input.First.Shape.Channels % L.Count == 0 && op.Input.Channels % L.Count == 0
        && (use == WinogradUse.Always || (op.Input.Channels >= FewestChannels && op.Weight.Outputs >= FewestChannels));

    /// <summary>Whether this kernel computes an op that suits it.</summary>
    public static bool Takes(ConvOp op, WinogradUse use) =>
        use == WinogradUse.Always || op.Output.Shape.Images * ((op.Output.Shape[1] + 3) / 4) * ((op.Output.Shape[2] + 3) / 4) >= FewestPatches;

    /// <inheritdoc/>
    public override void Run(CpuRun run)
    {
        _run = run;
        _epilogue.Bind(run);
        new Span<byte>(run.Shared, ZeroBytes).Clear();
        for (_firstBlock = 0; _firstBlock < _blocks; _firstBlock += _blocksOfWave)
        {
            var blocks = Math.Min(_blocksOfWave, _blocks - _firstBlock);
            _wavePatch = Patch(_firstBlock);
            _wavePatches = Patch(_firstBlock + blocks) - _wavePatch;
            run.Parallel(_inputs, (_wavePatches + InputPatches - 1) / InputPatches);
            run.Parallel(this, blocks * _matrix.Panels);
        }
    }

    /// <inheritdoc/>
    public override void Execute(int tile, int worker)
    {
        // All panels of a block run one behind the other: its points stay near.
        var (block, panel) = (_firstBlock + (tile / _matrix.Panels), tile % _matrix.Panels);
        var (patch, patches) = (Patch(block), Patch(block + 1) - Patch(block));
        var weights = (float*)_run!.Scratch(worker);
        var sums = (float*)((byte*)weights + _weightBytes);
        for (var channel = 0; channel < _channels; channel += Depth)
        {
            var depth = Math.Min(Depth, _channels - channel);
            Transform(panel, channel, depth, weights);
            Multiply(patch, patches, panel, channel, depth, weights, sums);
        }

        Store(patch, patches, panel, sums, (float*)((byte*)sums + _sumBytes));
    }

    int Patch(int block) => (int)((long)_patches * block / _blocks);

    void Transform(int panel, int channel, int depth, float* points)
    {
        switch (_matrix.Type)
        {
            case DType.F16:
                Transform<ReadF16<L, V>>(panel, channel, depth, points);
                break;
            case DType.BF16:
                Transform<ReadBF16<L, V>>(panel, channel, depth, points);
                break;
            case DType.I8:
                Transform<ReadI8<L, V>>(panel, channel, depth, points);
                break;
            default:
                Transform<ReadF32<L, V>>(panel, channel, depth, points);
                break;
        }
    }

    void Transform<W>(int panel, int channel, int depth, float* points)
        where W : struct, IWeightReader<V>
    {
        long line = 2 * L.Count * W.Size;
        var taps = _matrix.At(panel, channel);
        for (var c = 0; c < depth; c++, taps += line, points += 2 * L.Count)
        {
            WinogradTransforms<L, V>.Weights<W>(taps, line * _channels, points, (Depth + Apart) * 2 * L.Count);
            WinogradTransforms<L, V>.Weights<W>(taps + (L.Count * W.Size), line * _channels, points + L.Count, (Depth + Apart) * 2 * L.Count);
        }
    }

    void Multiply(int patch, int patches, int panel, int channel, int depth, float* weights, float* sums)
    {
        var next = Math.Min(Depth, _channels - channel - depth);
        var tiles = (patches + L.TileRows - 1) / L.TileRows;
        var rows = PointsOfWave + (((long)(channel / Blocking.Inputs) * Points * _wavePatches) + patch - _wavePatch) * Blocking.RowStride + (channel % Blocking.Inputs);
        for (var point = 0; point < Points; point++)
        {
            var ready = _tiles.Ready((byte*)weights, depth, narrow: false, tiles, spare: null).Others;

            // Nine taps of the next stretch, each a piece of memory of its own, with the first tile of nine of the points.
            var ahead = next > 0 && point % (Points / Taps) == 0 ? _matrix.At(panel, (point / (Points / Taps) * _channels) + channel + depth) : null;
            for (var t = 0; t < tiles; t++)
            {
                var first = patches * t / tiles;
                var count = (patches * (t + 1) / tiles) - first;
                var call = new TileCall
                {
                    Rows = rows + ((long)first * Blocking.RowStride), Panel = (byte*)ready.Weights, Words = depth, Distance = Blocking.RowStride * sizeof(float),
                    Sums = sums + (first * 2 * L.Count), SumDistance = 2 * L.Count * sizeof(float), Accumulate = channel > 0 ? 1 : 0,
                };
                if (ahead is not null && t == 0)
                {
                    call.Ahead = ahead;
                    call.Output = call.Residual = (byte*)call.Sums;
                    call.Fetches = next * _matrix.WordBytes / Prefetch.Line;
                }

                _tiles.Sum(&call, ready.Kernels, count);
            }

            rows += (long)_wavePatches * Blocking.RowStride;
            weights += (Depth + Apart) * 2 * L.Count;
            sums += (patches + Apart) * 2 * L.Count;
        }
    }

    /// <summary>Sums to outputs, a run of patches of one row of patches at a time: four rows of positions.</summary>
    void Store(int patch, int patches, int panel, float* sums, float* outputs)
    {
        var column = panel * _matrix.PanelOutputs;
        const int rowPositions = 4 * StoredPatches;
        for (var done = 0; done < patches;)
        {
            var (line, x) = Math.DivRem(patch + done, _patchColumns);
            var (image, y) = Math.DivRem(line, _patchRows);
            var run = Math.Min(Math.Min(patches - done, _patchColumns - x), StoredPatches);
            for (var p = 0; p < run; p++)
            {
                for (var half = 0; half < 2; half++)
                {
                    WinogradTransforms<L, V>.Output(
                        sums + ((done + p) * 2 * L.Count) + (half * L.Count), (long)(patches + Apart) * 2 * L.Count,
                        outputs + (p * 4 * 2 * L.Count) + (half * L.Count), rowPositions * 2 * L.Count, 2 * L.Count);
                }
            }

            for (var r = 0; r < 4 && (4 * y) + r < _height; r++)
            {
                if (_matrix.Scales(panel) is var scales && scales is not null)
                {
                    ColumnScales<L, V>.Apply(outputs + (r * rowPositions * 2 * L.Count), 4 * run, scales);
                }

                var row = (((image * _height) + (4 * y) + r) * _width) + (4 * x);
                _epilogue.Store(outputs + (r * rowPositions * 2 * L.Count), row, Math.Min(4 * run, _width - (4 * x)), column);
            }

            done += run;
        }
    }

    /// <summary>The first phase of a wave: patches to points.</summary>
    sealed class InputPhase(WinogradKernel<L, V> kernel) : IParallelWork
    {
        public void Execute(int tile, int worker)
        {
            var from = tile * InputPatches;
            var to = Math.Min(from + InputPatches, kernel._wavePatches);
            for (var patch = from; patch < to; patch++)
            {
                kernel.TransformPatch(patch);
            }
        }
    }

    void TransformPatch(int patch)
    {
        TransformPatch(patch, _op.Input.First, 0);
        if (_op.Input.Second is { } second)
        {
            TransformPatch(patch, second, _firstChannels);
        }
    }

    void TransformPatch(int patch, Value value, int firstChannel)
    {
        var (line, x) = Math.DivRem(_wavePatch + patch, _patchColumns);
        var (image, y) = Math.DivRem(line, _patchRows);
        var (height, width, channels) = (value.Shape[1], value.Shape[2], value.Shape.Channels);
        var shift = _op.Upsample ? 1 : 0;
        var picture = _run!.Data(value) + ((long)image * height * width * channels);
        var positions = stackalloc float*[Points];
        for (var r = 0; r < 6; r++)
        {
            for (var c = 0; c < 6; c++)
            {
                var (py, px) = ((4 * y) + r - _op.Padding.Top, (4 * x) + c - _op.Padding.Left);
                var inside = py >= 0 && px >= 0 && py < height << shift && px < width << shift;
                positions[(r * 6) + c] = inside ? picture + (((((long)(py >> shift)) * width) + (px >> shift)) * channels) : (float*)_run.Shared;
            }
        }

        var stride = (long)_wavePatches * Blocking.RowStride;
        for (var c = 0; c < channels; c += L.Count)
        {
            var (stretch, within) = Math.DivRem(firstChannel + c, Blocking.Inputs);
            WinogradTransforms<L, V>.Input(positions, c, PointsOfWave + (stretch * Points * stride) + (patch * Blocking.RowStride) + within, stride);
        }
    }
}
