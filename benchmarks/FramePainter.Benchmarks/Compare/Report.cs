using System.Globalization;
using System.Text;

namespace FramePainter.Benchmarks.Compare;

/// <summary>The table, as Markdown for people and CSV for programs.</summary>
internal static class Report
{
    public static string Markdown(IReadOnlyList<Row> rows, int threads, int rounds, double ceiling)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"# Ours against ONNX Runtime {Version}, {threads} threads, float32").AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"Medians of {rounds} interleaved rounds in one process; ceiling {ceiling:F0} GFLOP/s (multiply-adds on registers, same run). A ratio above 1: ours is faster.").AppendLine();
        text.AppendLine("| case | ours, ms | ONNX Runtime, ms | ratio | GFLOP/s | of the ceiling | results differ by |");
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
        var text = new StringBuilder("case,flops,ours_s,onnxruntime_s,ratio,of_ceiling,difference\n");
        foreach (var r in rows)
        {
            text.Append(CultureInfo.InvariantCulture, $"{r.Name},{r.Flops:R},{r.Ours:R},{r.Peer:R},{r.Ratio:R},{r.OfCeiling:R},{r.Difference:R}\n");
        }

        return text.ToString();
    }

    static string Version => Microsoft.ML.OnnxRuntime.OrtEnv.Instance().GetVersionString();

    static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
