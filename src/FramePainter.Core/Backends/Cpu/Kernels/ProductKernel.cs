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
            where V : struct
        {
            var numbers = weights.Numbers.For(op);
            var use = Use(numbers);
            if (op is ConvOp patches && use != WinogradUse.Never && WinogradKernel<L, V>.Suits(patches, use))
            {
                // Products of the points stay float32 whatever is asked for: faster than a direct convolution in bfloat16, and nearer. So do those of too few
                // patches, which read the same weights as more of them would.
                numbers = numbers with { Brain = null };
                if (WinogradKernel<L, V>.Takes(patches, use))
                {
                    return new WinogradKernel<L, V>(patches, weights, numbers);
                }
            }

            return new ProductKernel<L, V>(op, weights, numbers, op switch
            {
                LinearOp linear => new LinearRows(linear),
                ConvOp convolution => new ConvRows(convolution),
                TemporalConvOp temporal => new TemporalRows(temporal),
                _ => throw new NotSupportedException($"The CPU has no rows for {op.GetType().Name} ('{op.Name}')."),
            });
        }

        /// <summary>AMX has sixteen times as many multiply-adds a cycle as float32; Winograd's algorithm, which stays float32, saves three of four.</summary>
        WinogradUse Use(ProductNumbers numbers) =>
            weights.Winograd == WinogradUse.WhereFaster && numbers.Brain is { Matrices: true } ? WinogradUse.Never : weights.Winograd;
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

    /// <summary>Fewer rows do not pay for widening two panels ahead of them.</summary>
    const int FewestPairedRows = 28;

    readonly RowSource _source;
    readonly TileArithmetic _arithmetic;
    readonly TileEpilogue<L, V> _epilogue;
    readonly PackedMatrix _matrix;
    readonly (RowBlock Rows, Stretch[] Stretches)[] _blocks;
    readonly int[] _groups;
    readonly int _channels;
    readonly bool _blocksFastest;
    readonly int _distance;
    readonly int _rowBytes;
    readonly int _stageBytes;
    readonly int _panelBytes;
    readonly int _sumBytes;
    CpuRun? _run;

    public ProductKernel(ProductOp op, CpuWeights weights, ProductNumbers numbers, RowSource source)
    {
        var gated = op.Epilogue.Activation == Activation.Geglu;
        _source = source;
        _matrix = PackedMatrix.Of(weights, op.Weight, 2 * L.Count, gated, numbers);
        _arithmetic = TileArithmetic.Of<L, V>(numbers, _matrix.Type);
        _epilogue = new TileEpilogue<L, V>(op, weights);
        _channels = op.Output.Shape.Channels;
        _blocks = [.. source.Runs.Where(run => run.Rows > 0).SelectMany(Cut)];
        var gathers = _blocks.Any(b => b.Stretches.Any(s => s.Distance == 0));
        _groups = Group(_blocks.All(b => b.Stretches.All(s => s.Evenly)));
        _blocksFastest = _matrix.Panels * _matrix.PanelBytes > source.Bytes;

        var rows = _blocks.Length == 0 ? 0 : Padded(_blocks.Max(b => b.Rows.Rows));
        var panels = _groups.Length < 2 ? 0 : Enumerable.Range(0, _groups.Length - 1).Max(g => _groups[g + 1] - _groups[g]);
        var words = _blocks.Length == 0 ? 0 : _blocks.Max(b => b.Stretches.Max(s => s.Words));
        _distance = _arithmetic.Distance(words);
        _rowBytes = gathers ? Align(rows * _distance * sizeof(float)) : 0;
        _stageBytes = gathers ? Align(_arithmetic.StageFloats * sizeof(float)) : 0;
        _panelBytes = Align(Math.Max(words, Blocking.Inputs) * (_arithmetic.Pairs ? 2 : 1) * 2 * L.Count * sizeof(float));
        _sumBytes = Align((_blocks.Any(b => b.Stretches.Length > 1) ? rows * panels : _arithmetic.TileRows) * 2 * L.Count * sizeof(float));
    }

    /// <inheritdoc/>
    public override long ScratchBytesPerWorker => (long)_rowBytes + _stageBytes + _panelBytes + _sumBytes;

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
        var stage = (float*)((byte*)gathered + _rowBytes);
        var spare = (byte*)stage + _stageBytes;
        var sums = (float*)(spare + _panelBytes);
        var pairs = _arithmetic.Pairs && block.Rows >= FewestPairedRows;
        _arithmetic.Enter();
        for (var s = 0; s < stretches.Length; s++)
        {
            var stretch = stretches[s];
            var inPlace = stretch.Distance > 0;
            var pass = new Pass(
                block, stretch, (nint)(inPlace ? _source.Place(block.Row, stretch.From) : gathered), inPlace ? stretch.Distance : _distance, s == 0, s == stretches.Length - 1);
            for (var panel = _groups[g]; panel < _groups[g + 1];)
            {
                var panels = pairs ? Math.Min(2, _groups[g + 1] - panel) : 1;
                var next = panel + panels < _groups[g + 1] ? new Later(panel + panels, stretch.From)
                    : !pass.Last ? new Later(_groups[g], stretch.From + stretch.Words)
                    : default(Later?);
                Multiply(pass, panel, panels, panel == _groups[g], next, stage, spare, sums + (pass.Whole ? 0 : (long)(panel - _groups[g]) * Padded(block.Rows) * 2 * L.Count));
                panel += panels;
            }
        }

        _arithmetic.Leave();
    }

    /// <summary>All rows of a pass by one panel or by two.</summary>
    /// <param name="pass">The rows.</param>
    /// <param name="panel">The first panel.</param>
    /// <param name="panels">How many, 1 or 2.</param>
    /// <param name="meets">Rows are still far away: this is the first panel that they meet.</param>
    /// <param name="next">What comes after these panels: its weights arrive while these are used, a share of them with every tile.</param>
    /// <param name="stage">Scratch for gathering.</param>
    /// <param name="spare">Room for widened panels.</param>
    /// <param name="sums">The panels' sums of all rows, or of one tile where a pass is the whole product.</param>
    void Multiply(in Pass pass, int panel, int panels, bool meets, Later? next, float* stage, byte* spare, float* sums)
    {
        var (block, words) = (pass.Block, pass.Stretch.Words);
        var column = panel * _matrix.PanelOutputs;
        var tileRows = panels == 2 ? FloatKernels.PairedRows : _arithmetic.TileRows;
        var tiles = (block.Rows + tileRows - 1) / tileRows;
        var narrow = _matrix.PanelOutputs == _matrix.Columns && _channels - column <= L.Count;
        var at = _matrix.At(panel, pass.Stretch.From);
        var ready = panels == 2
            ? _arithmetic.ReadyPair(at, _matrix.At(panel + 1, pass.Stretch.From), words, spare)
            : _arithmetic.Ready(at, words, narrow, tiles, spare);
        var ahead = next is { } later ? _matrix.At(later.Panel, later.Word) : null;
        var share = ((long)words * _matrix.WordBytes * panels / tiles) + Prefetch.Line;
        var sumRow = 2 * L.Count;
        var finish = pass.Last && _arithmetic.Finishes ? _epilogue.Finish(column, narrow ? L.Count : panels * 2 * L.Count, _matrix.Scales(panel) is not null) : TileFinish.None;
        var call = new TileCall
        {
            Rows = (float*)pass.Rows, Distance = (long)pass.Distance * sizeof(float), Words = words,
            Sums = sums, Accumulate = pass.First ? 0 : 1, SumDistance = sumRow * sizeof(float), Kept = (byte*)ready.Others.Weights, ColumnScales = _matrix.Scales(panel),
        };
        var gathers = meets && pass.Stretch.Distance == 0;
        var distance = meets ? Following(pass.Stretch) : 0;
        var (row, (least, more)) = (block.Row, Math.DivRem(block.Rows, tiles));
        for (var t = 0; t < tiles; t++)
        {
            // Tiles of nearly equal size, or whole ones and a rest: what is written behind a rest is nobody's.
            var count = _arithmetic.RowStep == 1 ? (t < more ? least + 1 : least) : Math.Min(tileRows, block.Row + block.Rows - row);
            var weights = t == 0 ? ready.First : ready.Others;
            call.Panel = (byte*)weights.Weights;
            call.PanelDistance = weights.Distance;
            call.SumPanelDistance = (long)count * sumRow * sizeof(float);
            if (gathers)
            {
                _arithmetic.Gather(_source, block with { Row = row, Rows = count }, pass.Stretch.From, words, call.Rows, pass.Distance, stage);
            }

            if (_arithmetic.TakesAnyDistance)
            {
                // Fetched by the kernel as it goes.
                call.Ahead = distance > 0 ? (byte*)_source.Place(row + count, pass.Stretch.From * _matrix.WordInputs) : ahead is null ? (byte*)call.Sums : ahead;
                call.Fetches = distance > 0 ? (int)Math.Min(words, (((long)distance * count) + Prefetch.Line - 1) / Prefetch.Line) : Math.Max(ahead is null ? 0 : (int)(share / Prefetch.Line), pass.Last ? 4 * count : 0);
                if (pass.Last)
                {
                    _epilogue.Place(ref call, finish, row, count, column);
                }
                else
                {
                    call.Output = call.Residual = (byte*)call.Sums;
                }
            }
            else if (pass.Last)
            {
                _epilogue.Prefetch(row, count, column);
            }

            if (ahead is not null)
            {
                if (distance > 0 || !_arithmetic.TakesAnyDistance)
                {
                    Prefetch.Far(ahead, share);
                }

                ahead += share;
            }

            _arithmetic.Sum(&call, weights.Kernels, count);
            for (var p = 0; pass.Last && call.Finish == TileFinish.None && p < panels; p++)
            {
                var finished = call.Sums + ((long)p * count * sumRow);
                if (_matrix.Scales(panel + p) is var scales && scales is not null)
                {
                    ColumnScales<L, V>.Apply(finished, count, scales);
                }

                _epilogue.Store(finished, row, count, column + (p * _matrix.PanelOutputs));
            }

            row += count;
            call.Rows += (long)count * pass.Distance;
            call.Sums += pass.Whole ? 0 : (long)count * panels * sumRow;
        }
    }

    /// <summary>Bytes from one row of a stretch to the next where the rows are one piece of memory: the next tile's can be fetched line by line. Else 0.</summary>
    int Following(Stretch stretch)
    {
        if (!_arithmetic.TakesAnyDistance || !stretch.Evenly)
        {
            return 0;
        }

        var distance = _source.Beside(stretch.From * _matrix.WordInputs).Distance;
        return stretch.Distance > 0 || distance == stretch.Words * _matrix.WordInputs ? distance * sizeof(float) : 0;
    }

    /// <summary>Cuts a run of rows into blocks of nearly equal size.</summary>
    IEnumerable<(RowBlock Rows, Stretch[] Stretches)> Cut(RowBlock run)
    {
        var stretches = Stretch.Cut(_source, run, _arithmetic, _matrix.WordInputs);
        var most = stretches.Length == 0 || !stretches[0].Evenly
            ? _arithmetic.Rows
            : Math.Clamp(Blocking.InPlace / stretches.Max(s => s.Words), _arithmetic.TileRows, Blocking.RowsInPlace) / _arithmetic.TileRows * _arithmetic.TileRows;
        var parts = (run.Rows + most - 1) / most;

        // Whole tiles where a tile of fewer rows costs as much.
        var unit = _arithmetic.RowStep == 1 ? 1 : _arithmetic.TileRows;
        var units = (run.Rows + unit - 1) / unit;
        return Enumerable.Range(0, parts).Select(p =>
        {
            var first = Part(units, parts, p) * unit;
            return (run with { Row = run.Row + first, Rows = Math.Min(Part(units, parts, p + 1) * unit, run.Rows) - first }, stretches);
        });
    }

    /// <summary>Boundaries of groups of panels: wide enough to pay for gathering rows, many enough to keep cores busy to the end.</summary>
    int[] Group(bool evenly)
    {
        if (_blocks.Length == 0)
        {
            return [0];
        }

        var wide = Math.Max(1, (evenly ? Blocking.ColumnsInPlace : _arithmetic.Columns) / _matrix.Columns);
        var block = _blocks.MaxBy(b => b.Rows.Rows).Rows;
        var panelCost = (long)(block.Rows + 8) * block.Inputs * _matrix.Columns;
        var affordable = (int)Math.Clamp(_matrix.Panels * panelCost / SmallestItem, 1, _matrix.Panels);
        var items = evenly ? Blocking.ItemsInPlace : Blocking.Items;
        var wanted = Math.Max((_matrix.Panels + wide - 1) / wide, (items + _blocks.Length - 1) / _blocks.Length);
        var groups = Math.Min(wanted, affordable);

        // A group of an odd number of panels would leave one of them alone.
        var unit = _arithmetic.Pairs ? 2 : 1;
        var units = (_matrix.Panels + unit - 1) / unit;
        groups = Math.Min(groups, units);
        return [.. Enumerable.Range(0, groups + 1).Select(g => Math.Min(Part(units, groups, g) * unit, _matrix.Panels))];
    }

    /// <summary>Rows with those behind the last that tiles touch.</summary>
    int Padded(int rows) => (rows + _arithmetic.RowStep - 1) / _arithmetic.RowStep * _arithmetic.RowStep;

    static int Part(int whole, int parts, int part) => (int)((long)whole * part / parts);

    static int Align(int bytes) => (bytes + NativeBuffer.Alignment - 1) / NativeBuffer.Alignment * NativeBuffer.Alignment;

    /// <summary>A stretch of a block's inputs.</summary>
    /// <param name="Block">The block.</param>
    /// <param name="Stretch">The stretch.</param>
    /// <param name="Rows">Its first word in the first row.</param>
    /// <param name="Distance">Floats from one row to the next.</param>
    /// <param name="First">Sums begin with it.</param>
    /// <param name="Last">Sums are finished with it.</param>
    readonly record struct Pass(RowBlock Block, Stretch Stretch, nint Rows, int Distance, bool First, bool Last)
    {
        /// <summary>Sums never wait.</summary>
        public bool Whole => First && Last;
    }

    /// <summary>Where weights that come next begin.</summary>
    readonly record struct Later(int Panel, int Word);
}
