using System.Collections.Immutable;

namespace FramePainter.Graphs;

/// <summary>A list of ops in an order in which they can run, over values of known shape.</summary>
/// <param name="Name">What it computes, for people.</param>
/// <param name="Inputs">Values given from outside.</param>
/// <param name="Ops">The ops; each reads inputs and outputs of ops before it.</param>
/// <param name="Outputs">Values wanted outside.</param>
public sealed record Graph(string Name, ImmutableArray<Value> Inputs, ImmutableArray<Op> Ops, ImmutableArray<Value> Outputs)
{
    /// <summary>Floating-point operations of all products.</summary>
    public double Flops => Ops.Sum(op => op.Flops);

    /// <summary>The input of this name.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public Value Input(string name) =>
        Inputs.FirstOrDefault(v => v.Name == name) ?? throw new KeyNotFoundException($"Graph '{Name}' has no input '{name}'.");

    /// <summary>The output of this name.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public Value Output(string name) =>
        Outputs.FirstOrDefault(v => v.Name == name) ?? throw new KeyNotFoundException($"Graph '{Name}' has no output '{name}'.");
}
