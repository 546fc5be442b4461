using System.Globalization;
using System.Text;

namespace FramePainter.Benchmarks.Compare;

/// <summary>The table, as Markdown for people and CSV for programs.</summary>
internal static class Report
{
    public static string Markdown(IReadOnlyList<Row> rows, int threads, int rounds, double ceiling, Precision precision)
    {
        var text = new StringBuilder();
        var (ours, peer, title) = precision == Precision.BFloat16
            ? ("bfloat16", "float32", "Ours in bfloat16 against ours in float32")
            : ("ours", "ONNX Runtime", $"Ours against ONNX Runtime {Version}, float32");
        text.AppendLine(CultureInfo.InvariantCulture, $"# {title}, {threads} threads").AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"Medians of {rounds} interleaved rounds in one process; ceiling {ceiling:F0} GFLOP/s (float32 multiply-adds on registers, same run). A ratio above 1: the first is faster.").AppendLine();
        text.AppendLine($"| case | {ours}, ms | {peer}, ms | ratio | GFLOP/s | of the ceiling | results differ by |");
        text.AppendLine("|---|---:|---:|---:|---:|---:|---:|");
        foreach (var r in rows)
        {
            var (rate, share) = r.Flops == 0 ? ("", "") : (Text($"{r.Flops / r.Ours / 1e9:F0}"), Text($"{100 * r.OfCeiling:F0} %"));
            text.AppendLine(CultureInfo.InvariantCulture, $"| {r.Name} | {1e3 * r.Ours:F2} | {1e3 * r.Peer:F2} | {r.Ratio:F2} | {rate} | {share} | {r.Difference:E1} |");
        }

        return text.ToString();
    }

    public static string Csv(IReadOnlyList<Row> rows)
    {
        var text = new StringBuilder("case,flops,ours_s,peer_s,ratio,of_ceiling,difference\n");
        foreach (var r in rows)
        {
            text.Append(CultureInfo.InvariantCulture, $"{Quoted(r.Name)},{r.Flops:R},{r.Ours:R},{r.Peer:R},{r.Ratio:R},{r.OfCeiling:R},{r.Difference:R}\n");
        }

        return text.ToString();
    }

    static string Quoted(string name) => name.Contains(',', StringComparison.Ordinal) ? $"\"{name}\"" : name;

    static string Version => Microsoft.ML.OnnxRuntime.OrtEnv.Instance().GetVersionString();

    static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
