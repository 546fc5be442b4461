using System.Globalization;
using System.Text;
using FramePainter.Tensors;

namespace FramePainter.Weights;

/// <summary>What stands against a tensor.</summary>
public enum CheckpointIssueKind
{
    /// <summary>The model needs it and no file holds it.</summary>
    Missing,

    /// <summary>It has another shape than the configs ask for.</summary>
    Misshaped,

    /// <summary>It holds elements that are none of F32, F16, BF16.</summary>
    UnsupportedType,

    /// <summary>A file holds it and the model has no place for it, or its shard index does not list it.</summary>
    Unused,
}

/// <summary>One tensor that does not fit.</summary>
/// <param name="Kind">What stands against it.</param>
/// <param name="Tensor">Its name, with the part's prefix.</param>
/// <param name="File">The file that holds it, or that should.</param>
/// <param name="Detail">What was expected and found; empty when the kind says it all.</param>
public sealed record CheckpointIssue(CheckpointIssueKind Kind, string Tensor, string File, string Detail);

/// <summary>A file of weights.</summary>
/// <param name="Part">The network it belongs to: <c>unet</c>, <c>control</c>, <c>vae</c>, <c>clip</c>; empty when it was looked at by itself.</param>
/// <param name="Path">Its path.</param>
/// <param name="Bytes">Its size.</param>
public sealed record CheckpointFile(string Part, string Path, long Bytes);

/// <summary>A tensor found in a file.</summary>
/// <param name="Name">Its name, with the part's prefix.</param>
/// <param name="Type">Its element type.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="File">The file that holds it.</param>
public sealed record CheckpointTensor(string Name, DType Type, Shape Shape, long Bytes, string File);

/// <summary>What a checkpoint, or one file of weights, holds and what does not fit.</summary>
/// <param name="Files">The files of weights.</param>
/// <param name="Tensors">Every tensor in them.</param>
/// <param name="Issues">Every tensor that does not fit; always empty for a file looked at by itself.</param>
/// <param name="Problems">What kept parts from being looked at: missing or malformed files, refused configs.</param>
public sealed record CheckpointReport(
    IReadOnlyList<CheckpointFile> Files,
    IReadOnlyList<CheckpointTensor> Tensors,
    IReadOnlyList<CheckpointIssue> Issues,
    IReadOnlyList<CheckpointException> Problems)
{
    const int MostLines = 40;

    /// <summary>Whether nothing stands against it.</summary>
    public bool IsSound => Issues.Count == 0 && Problems.Count == 0;

    /// <summary>Bytes of all tensors.</summary>
    public long TensorBytes => Tensors.Sum(t => t.Bytes);

    /// <summary>Elements of all tensors.</summary>
    public long Parameters => Tensors.Sum(t => t.Shape.Count);

    /// <summary>The tensors of one kind of issue.</summary>
    /// <param name="kind">The kind.</param>
    public IEnumerable<CheckpointIssue> Of(CheckpointIssueKind kind) => Issues.Where(i => i.Kind == kind);

    /// <summary>The issues as text: their counts, then one line each, at most 40 of them.</summary>
    public string Describe()
    {
        var text = new StringBuilder();
        text.AppendJoin(", ", Issues.GroupBy(i => i.Kind).OrderBy(g => g.Key).Select(g => $"{g.Count().ToString("N0", CultureInfo.InvariantCulture)} {Label(g.Key)}"));
        foreach (var issue in Issues.OrderBy(i => i.Kind).Take(MostLines))
        {
            text.Append("\n  ").Append(Label(issue.Kind)).Append(": ").Append(issue.Tensor);
            if (issue.Detail.Length > 0)
                text.Append(", ").Append(issue.Detail);

            text.Append(" (").Append(issue.File).Append(')');
        }

        if (Issues.Count > MostLines)
            text.Append(CultureInfo.InvariantCulture, $"\n  and {Issues.Count - MostLines:N0} more");

        return text.ToString();
    }

    static string Label(CheckpointIssueKind kind) => kind switch
    {
        CheckpointIssueKind.Missing => "missing",
        CheckpointIssueKind.Misshaped => "misshaped",
        CheckpointIssueKind.UnsupportedType => "of unsupported type",
        _ => "unused",
    };
}
