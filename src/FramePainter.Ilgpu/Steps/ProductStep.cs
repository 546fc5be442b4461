using FramePainter.Graphs;
using FramePainter.Ilgpu.Kernels;
using FramePainter.Tensors;
using ILGPU;
using ILGPU.Runtime;

namespace FramePainter.Ilgpu.Steps;

/// <summary>Makes steps of products: one kernel, by how rows are found and how weights are stored.</summary>
internal static class ProductStep
{
    public static Step Create<TRows>(ProductOp op, IlgpuWeights weights, Func<StepRun, TRows> rows)
        where TRows : struct, IRowReader
    {
        var matrix = weights.Matrix(op.Weight, op.Epilogue.Activation == Activation.Geglu);
        return matrix.Type switch
        {
            DType.F32 => new ProductStep<TRows, FloatWeights>(op, weights, rows, new FloatWeights(matrix.Floats), matrix.Columns),
            DType.F16 => new ProductStep<TRows, HalfWeights>(op, weights, rows, new HalfWeights(matrix.Bits), matrix.Columns),
            _ => new ProductStep<TRows, BrainWeights>(op, weights, rows, new BrainWeights(matrix.Bits), matrix.Columns),
        };
    }
}

/// <summary>A product with its epilogue.</summary>
internal sealed class ProductStep<TRows, TWeights> : Step
    where TRows : struct, IRowReader
    where TWeights : struct, IWeightReader
{
    readonly ProductOp _op;
    readonly IlgpuBackend _backend;
    readonly Func<StepRun, TRows> _rows;
    readonly TWeights _matrix;
    readonly ProductShape _shape;
    readonly ArrayView<float>? _bias;
    readonly EpilogueArguments _end;
    readonly Action<AcceleratorStream, KernelConfig, TRows, TWeights, ProductShape, EpilogueArguments> _multiply;

    public ProductStep(ProductOp op, IlgpuWeights weights, Func<StepRun, TRows> rows, TWeights matrix, int columns)
    {
        var epilogue = op.Epilogue;
        if (epilogue.Residuals.Length > 2)
        {
            throw new NotSupportedException($"'{op.Name}' adds {epilogue.Residuals.Length} residuals; two are the most.");
        }

        (_op, _backend, _rows, _matrix) = (op, weights.Backend, rows, matrix);
        var output = op.Output.Shape;
        _shape = new ProductShape { Rows = checked((int)(output.Count / Math.Max(1, output.Channels))), Columns = columns };
        _bias = op.Bias is null ? null : weights.Vector(op.Bias);
        _end = new EpilogueArguments
        {
            Channels = output.Channels,
            HasBias = op.Bias is null ? 0 : 1,
            Residuals = epilogue.Residuals.Length,
            Activation = (int)epilogue.Activation,
            Gated = epilogue.Activation == Activation.Geglu ? 1 : 0,
            Scale = weights.Scale(epilogue.Scale),
            FirstScale = epilogue.Residuals.Length > 0 ? weights.Scale(epilogue.Residuals[0].Scale) : 0,
            SecondScale = epilogue.Residuals.Length > 1 ? weights.Scale(epilogue.Residuals[1].Scale) : 0,
        };
        Action<TRows, TWeights, ProductShape, EpilogueArguments> kernel = ProductKernel.Multiply;
        _multiply = _backend.Load(kernel, a => a.LoadKernel(kernel));
    }

    public override void Run(StepRun run)
    {
        if (_shape.Rows == 0 || _shape.Columns == 0)
        {
            return;
        }

        var end = _end;
        var residuals = _op.Epilogue.Residuals;
        end.Output = run[_op.Output];
        end.Bias = _bias ?? end.Output.Memory;
        end.First = residuals.Length > 0 ? run[residuals[0].Value] : end.Output;
        end.Second = residuals.Length > 1 ? run[residuals[1].Value] : end.Output;
        end.Rows = run.Rows(_op.Epilogue.Rows, _op.Output);
        var grid = checked(Groups(_shape.Columns, ProductKernel.Tile) * Groups(_shape.Rows, ProductKernel.Tile));
        lock (_backend.Launching)
        {
            _multiply(run.Stream, new KernelConfig(grid, ProductKernel.Threads), _rows(run), _matrix, _shape, end);
        }
    }
}
