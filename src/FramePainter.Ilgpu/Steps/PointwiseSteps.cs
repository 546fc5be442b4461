using System.Globalization;
using FramePainter.Graphs;
using FramePainter.Ilgpu.Kernels;
using ILGPU;
using ILGPU.Runtime;

namespace FramePainter.Ilgpu.Steps;

/// <summary>Makes steps of one element a thread.</summary>
internal static class PointwiseSteps
{
    public static Step Create(Op op, IlgpuWeights weights)
    {
        var shape = op.Output.Shape;
        var fixedPart = new PointwiseArguments { Count = (int)shape.Count };
        switch (op)
        {
            case ActivateOp { Activation: Activation.Geglu } o:
                return Of(PointwiseKernels.Geglu, fixedPart with { A = shape.Channels }, o.Input);
            case ActivateOp o:
                return Of(PointwiseKernels.Activate, fixedPart with { A = (int)o.Activation }, o.Input);
            case BlendOp o:
                return Of(PointwiseKernels.Blend, fixedPart with { FirstScale = weights.Scale(o.LeftScale), SecondScale = weights.Scale(o.RightScale) }, o.Left, o.Right);
            case ScaleOp o:
                return Of(PointwiseKernels.Scale, fixedPart with { A = o.Column }, o.Input, o.Scalars);
            case SinusoidOp o:
                var frequencies = weights.Table(string.Create(CultureInfo.InvariantCulture, $":frequencies{o.Dim}"), o.Dim / 2, () => Frequencies(o.Dim / 2));
                return new PointwiseStep(op, weights.Backend, PointwiseKernels.Sinusoid, fixedPart with { A = o.Dim / 2 }, [o.Input], frequencies);
            case SelectRowOp o:
                return Of(PointwiseKernels.SelectRow, fixedPart with { A = o.Row, B = o.Index is null ? 0 : 1 }, o.Table, o.Index ?? o.Table);
            case ClassTokenOp o:
                return new PointwiseStep(
                    op, weights.Backend, PointwiseKernels.ClassToken, fixedPart with { A = shape.Tokens, B = shape.Channels }, [o.Patches], weights.Vector(o.Class), weights.Vector(o.Positions));
            case JoinHalvesOp o:
                return Of(PointwiseKernels.JoinHalves, fixedPart with { A = (int)o.Shared.Shape.Count, B = (int)o.Conditional.Shape.Count }, o.Shared, o.Conditional);
            case EulerOp o:
                return Of(PointwiseKernels.Euler, fixedPart with { A = o.Velocity.Shape.Images > o.Latents.Shape.Images ? 1 : 0 }, o.Velocity, o.Latents, o.Scalars);
            default:
                throw new NotSupportedException($"'{op.Name}' is a {op.GetType().Name}, which is not computed element by element.");
        }

        Step Of(Action<PointwiseArguments> kernel, PointwiseArguments arguments, params Value[] inputs) =>
            new PointwiseStep(op, weights.Backend, kernel, arguments, inputs);
    }

    static float[] Frequencies(int half) => [.. Enumerable.Range(0, half).Select(k => (float)Math.Exp(-Math.Log(10000) * k / half))];
}

/// <summary>A step of one element a thread: values of the graph first, then views that stay.</summary>
internal sealed class PointwiseStep(
    Op op, IlgpuBackend backend, Action<PointwiseArguments> kernel, PointwiseArguments fixedPart, Value[] inputs, params ArrayView<float>[] kept) : Step
{
    readonly Launcher<PointwiseArguments> _launcher = new(backend, kernel);

    public override void Run(StepRun run)
    {
        var arguments = fixedPart;
        arguments.First = View(run, 0);
        arguments.Second = View(run, 1);
        arguments.Third = View(run, 2);
        arguments.Output = run[op.Output];
        _launcher.Launch(run, new Index3D(Groups(arguments.Count, PointwiseKernels.Threads), 1, 1), PointwiseKernels.Threads, arguments);
    }

    Elements View(StepRun run, int index) =>
        index < inputs.Length ? run[inputs[index]]
        : index - inputs.Length < kept.Length ? kept[index - inputs.Length]
        : run[op.Output];
}

/// <summary>Rows of a table added to images.</summary>
internal sealed class AddRowsStep : Step
{
    readonly AddRowsOp _op;
    readonly IlgpuBackend _backend;
    readonly Action<AcceleratorStream, KernelConfig, PointwiseArguments, TableRows> _add;

    public AddRowsStep(AddRowsOp op, IlgpuBackend backend)
    {
        (_op, _backend) = (op, backend);
        Action<PointwiseArguments, TableRows> kernel = PointwiseKernels.AddRows;
        _add = backend.Load(kernel, a => a.LoadKernel(kernel));
    }

    public override void Run(StepRun run)
    {
        var (input, output) = (run[_op.Input], run[_op.Output]);
        var count = (int)_op.Output.Shape.Count;
        var arguments = new PointwiseArguments { First = input, Second = input, Third = input, Output = output, Count = count };
        if (count > 0)
        {
            lock (_backend.Launching)
            {
                _add(run.Stream, new KernelConfig(Groups(count, PointwiseKernels.Threads), PointwiseKernels.Threads), arguments, run.Rows(_op.Rows, _op.Output));
            }
        }
    }
}
