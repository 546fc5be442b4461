namespace FramePainter.Core.Tests.Engine;

/// <summary>Tests that count the process's native memory: nothing else may run beside them.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class WholeEdits
{
    public const string Name = "Whole edits";
}
