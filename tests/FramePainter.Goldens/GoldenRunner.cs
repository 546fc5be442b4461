using FramePainter.Backends;

namespace FramePainter.Goldens;

/// <summary>Runs cases on a backend. A kind is looked up by its name; nothing knows a case.</summary>
internal sealed class GoldenRunner(IBackend backend)
{
    public Verdict Run(string root, string name)
    {
        try
        {
            var golden = GoldenCase.Open(root, name);
            return Verdict.Of(golden, Compute(golden));
        }
        catch (Exception e)
        {
            return new Verdict(name, false, $"{e.GetType().Name}: {e.Message}");
        }
    }

    /// <summary>Whether a kind runs on the backend; the others are computed on the host alone.</summary>
    public static bool UsesBackend(string kind) => !HostKinds.All.ContainsKey(kind);

    /// <summary>The case's outputs.</summary>
    public Dictionary<string, GoldenTensor> Compute(GoldenCase golden) =>
        HostKinds.All.TryGetValue(golden.Kind, out var host) ? host(golden)
        : golden.Kind == "pipeline" ? PipelineKind.Run(golden, backend)
        : NetworkKinds.All.TryGetValue(golden.Kind, out var network) ? network(new NetworkCase(golden, backend))
        : throw new NotSupportedException($"'{golden.Kind}' is no kind that this runner knows.");
}
