using FramePainter.Backends.Cpu.Jit;
using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>Chooses the product kernel of an op for the store's instruction path.</summary>
internal static class ProductKernels
{
    public static CpuKernel Create(ProductOp op, CpuWeights weights) => InstructionPaths.Create(weights.Path, new Factory(op, weights));

    sealed class Factory(ProductOp op, CpuWeights weights) : ILanesFactory<CpuKernel>
    {
        public CpuKernel Create<L, V>()
            where L : struct, ILanes<V>
            where V : struct =>
            op is ConvOp patches && weights.Winograd != WinogradUse.Never && WinogradKernel<L, V>.Takes(patches, weights.Winograd) ? new WinogradKernel<L, V>(patches, weights)
            : new ProductKernel<L, V>(op, weights, op switch
            {
                LinearOp linear => new LinearRows(linear),
                ConvOp convolution => new ConvRows(convolution),
                TemporalConvOp temporal => new TemporalRows(temporal),
                _ => throw new NotSupportedException($"The CPU has no rows for {op.GetType().Name} ('{op.Name}')."),
            });
    }
}

/// <summary>
/// Linear ops and convolutions as one blocked matrix product: rows × packed panels, epilogue in the tile's store.
/// A work item is a block of rows by a group of panels. For each stretch of inputs it gathers its rows once (or reads them in place), widens each
/// panel once where its kernels want that, and lets the micro-kernel run over both; sums of unfinished tiles stay in the worker's scratch. What a word
/// of a row or panel is (a float, a pair of bfloat16) and which kernels multiply it is <see cref="TileArithmetic"/>'s.
/// Each output is one chain of multiply-adds whose order hangs on the shape alone.
/// </summary>
internal sealed unsafe class ProductKernel<L, V> : CpuKernel
    where L : struct, ILanes<V>
    where V : struct
{
    const int SmallestItem = 1 << 19;

    readonly RowSource _source;
    readonly TileArithmetic _arithmetic;
    readonly TileEpilogue<L, V> _epilogue;
    readonly PackedMatrix _matrix;
    readonly (RowBlock Rows, Stretch[] Stretches)[] _blocks;
    readonly int[] _groups;
    readonly int _channels;
    readonly bool _blocksFastest;
    readonly int _rowBytes;
    readonly int _panelBytes;
    readonly int _sumBytes;
    CpuRun? _run;

    public ProductKernel(ProductOp op, CpuWeights weights, RowSource source)
    {
        var gated = op.Epilogue.Activation == Activation.Geglu;
        _source = source;
        var numbers = weights.Numbers.For(op);
        _matrix = PackedMatrix.Of(weights, op.Weight, 2 * L.Count, gated, numbers);
        _arithmetic = TileArithmetic.Of<L, V>(numbers, _matrix.Type);
        _epilogue = new TileEpilogue<L, V>(op, weights);
        _channels = op.Output.Shape.Channels;
        _blocks = [.. source.Runs.Where(run => run.Rows > 0).SelectMany(Cut)];
        var gathers = _blocks.Any(b => b.Stretches.Any(s => s.Distance == 0));
        _groups = Group(gathers);
        _blocksFastest = _matrix.Panels * _matrix.PanelBytes > source.Bytes;

        var rows = _blocks.Length == 0 ? 0 : _blocks.Max(b => b.Rows.Rows);
        var panels = _groups.Length < 2 ? 0 : Enumerable.Range(0, _groups.Length - 1).Max(g => _groups[g + 1] - _groups[g]);
        _rowBytes = gathers ? Align(rows * Blocking.RowStride * sizeof(float)) : 0;
        var words = _blocks.Length == 0 ? 0 : _blocks.Max(b => b.Stretches.Max(s => s.Words));
        _panelBytes = Align(Math.Max(words, Blocking.Inputs) * 2 * L.Count * sizeof(float));
        _sumBytes = Align((_blocks.Any(b => b.Stretches.Length > 1) ? rows * panels : L.TileRows) * 2 * L.Count * sizeof(float));
    }

    /// <inheritdoc/>
    public override long ScratchBytesPerWorker => (long)_rowBytes + _panelBytes + _sumBytes;

    /// <inheritdoc/>
    public override void Run(CpuRun run)
    {
        _source.Bind(run);
        _epilogue.Bind(run);
        _run = run;
        run.Parallel(this, _blocks.Length * (_groups.Length - 1));
    }

    /// <inheritdoc/>
    public override void Execute(int tile, int worker)
    {
        var groups = _groups.Length - 1;
        var (b, g) = _blocksFastest ? (tile % _blocks.Length, tile / _blocks.Length) : (tile / groups, tile % groups);
        var (block, stretches) = _blocks[b];
        var gathered = (float*)_run!.Scratch(worker);
        var spare = (byte*)gathered + _rowBytes;
        var sums = (float*)(spare + _panelBytes);
        var tiles = (block.Rows + L.TileRows - 1) / L.TileRows;
        for (var s = 0; s < stretches.Length; s++)
        {
            var stretch = stretches[s];
            var last = s == stretches.Length - 1;
            var inPlace = stretch.Distance > 0;
            var rows = inPlace ? _source.Place(block.Row, stretch.From) : gathered;
            var distance = inPlace ? stretch.Distance : Blocking.RowStride;
            if (!inPlace)
            {
                _arithmetic.Gather(_source, block, stretch.From, stretch.Words, gathered, (float*)spare);
            }

            for (var panel = _groups[g]; panel < _groups[g + 1]; panel++)
            {
                var column = panel * _matrix.PanelOutputs;
                var narrow = _matrix.PanelOutputs == _matrix.Columns && _channels - column <= L.Count;
                var ready = _arithmetic.Ready(_matrix.At(panel, stretch.From), stretch.Words, narrow, tiles, spare);

                // The next panel's weights arrive while this one is used: a share of them with every tile.
                var ahead = panel + 1 < _groups[g + 1] ? _matrix.At(panel + 1, stretch.From)
                    : !last ? _matrix.At(_groups[g], stretch.From + stretch.Words)
                    : null;
                var share = ((long)stretch.Words * _matrix.WordBytes / tiles) + Prefetch.Line;
                for (var t = 0; t < tiles; t++)
                {
                    var first = Part(block.Rows, tiles, t);
                    var count = Part(block.Rows, tiles, t + 1) - first;
                    var call = new TileCall
                    {
                        Rows = rows + ((long)first * distance), Panel = (byte*)ready.Weights, Words = stretch.Words, Distance = (long)distance * sizeof(float), Accumulate = s > 0 ? 1 : 0,
                        Sums = stretches.Length == 1 ? sums : sums + ((((long)(panel - _groups[g]) * block.Rows) + first) * 2 * L.Count),
                    };

                    // Rows in place are still far away when the first panel meets them.
                    var meets = inPlace && panel == _groups[g];
                    if (_arithmetic.TakesAnyDistance)
                    {
                        // Fetched by the kernel as it goes.
                        call.Ahead = meets ? (byte*)(rows + ((long)(first + count) * distance)) : ahead is null ? (byte*)call.Sums : ahead;
                        call.Fetches = meets ? stretch.Words : Math.Max(ahead is null ? 0 : (int)(share / Prefetch.Line), last ? 4 * count : 0);
                        call.Output = call.Residual = (byte*)call.Sums;
                        if (last)
                        {
                            _epilogue.Prefetch(ref call, block.Row + first, count, column);
                        }
                    }
                    else if (last)
                    {
                        _epilogue.Prefetch(block.Row + first, count, column);
                    }

                    if (ahead is not null)
                    {
                        if (meets || !_arithmetic.TakesAnyDistance)
                        {
                            Prefetch.Far(ahead, share);
                        }

                        ahead += share;
                    }

                    _arithmetic.Sum(ref call, ready.Kernels, count);
                    if (last)
                    {
                        if (_matrix.Scales(panel) is var scales && scales is not null)
                        {
                            ColumnScales<L, V>.Apply(call.Sums, count, scales);
                        }

                        _epilogue.Store(call.Sums, block.Row + first, count, column);
                    }
                }
            }
        }
    }

    /// <summary>Cuts a run of rows into blocks of nearly equal size.</summary>
    IEnumerable<(RowBlock Rows, Stretch[] Stretches)> Cut(RowBlock run)
    {
        var stretches = Stretch.Cut(_source, run, _arithmetic, _matrix.WordInputs);
        var most = stretches.Length == 0 || stretches[0].Distance == 0
            ? Blocking.Rows
            : Math.Clamp(Blocking.InPlace / stretches.Max(s => s.Words) / L.TileRows * L.TileRows, L.TileRows, Blocking.RowsInPlace);
        var parts = (run.Rows + most - 1) / most;
        return Enumerable.Range(0, parts).Select(p =>
        {
            var first = Part(run.Rows, parts, p);
            return (run with { Row = run.Row + first, Rows = Part(run.Rows, parts, p + 1) - first }, stretches);
        });
    }

    /// <summary>Boundaries of groups of panels: wide enough to pay for gathering rows, many enough to keep cores busy to the end.</summary>
    int[] Group(bool gathers)
    {
        if (_blocks.Length == 0)
        {
            return [0];
        }

        var wide = Math.Max(1, (gathers ? Blocking.Columns : Blocking.ColumnsInPlace) / _matrix.Columns);
        var block = _blocks.MaxBy(b => b.Rows.Rows).Rows;
        var panelCost = (long)(block.Rows + 8) * block.Inputs * _matrix.Columns;
        var affordable = (int)Math.Clamp(_matrix.Panels * panelCost / SmallestItem, 1, _matrix.Panels);
        var items = gathers ? Blocking.Items : Blocking.ItemsInPlace;
        var wanted = Math.Max((_matrix.Panels + wide - 1) / wide, (items + _blocks.Length - 1) / _blocks.Length);
        var groups = Math.Min(wanted, affordable);
        return [.. Enumerable.Range(0, groups + 1).Select(g => Part(_matrix.Panels, groups, g))];
    }

    static int Part(int whole, int parts, int part) => (int)((long)whole * part / parts);

    static int Align(int bytes) => (bytes + NativeBuffer.Alignment - 1) / NativeBuffer.Alignment * NativeBuffer.Alignment;
}
