using System.Globalization;
using System.Text;

namespace FramePainter.Evaluation;

/// <summary>Figures as text, the same in every culture.</summary>
public static class EvaluationTable
{
    // Arrows: whether larger or smaller is nearer to the target.
    static readonly Column[] s_columns =
    [
        new("psnr_db", "PSNR (dB) ↑", "F3", f => f.Psnr),
        new("ssim_uniform7", "SSIM 7×7 ↑", "F4", f => f.SsimUniform7),
        new("ssim_gaussian", "SSIM Gaussian ↑", "F4", f => f.SsimGaussian),
        new("lpips_alex", "LPIPS AlexNet ↓", "F4", f => f.LpipsAlex),
        new("lpips_vgg16", "LPIPS VGG-16 ↓", "F4", f => f.LpipsVgg16),
    ];

    /// <summary>
    /// One line for each pair and method, and one with the mean (its pair is called <c>mean</c>) and CLIP-FID. The columns are always
    /// <c>method, pair, psnr_db, ssim_uniform7, ssim_gaussian, lpips_alex, lpips_vgg16, clip_fid</c>; what was not measured is empty.
    /// </summary>
    /// <param name="methods">The figures.</param>
    /// <returns>The file's text: RFC 4180 with line feeds.</returns>
    public static string Csv(IReadOnlyList<MethodFigures> methods)
    {
        ArgumentNullException.ThrowIfNull(methods);
        var text = new StringBuilder();
        Line(["method", "pair", .. s_columns.Select(c => c.Key), "clip_fid"]);
        foreach (var method in methods)
        {
            foreach (var pair in method.Pairs)
            {
                Line([method.Method, pair.Pair, .. s_columns.Select(c => Number(c.Value(pair), "R")), ""]);
            }

            Line([method.Method, "mean", .. s_columns.Select(c => Number(c.Mean(method), "R")), Number(method.ClipFid, "R")]);
        }

        return text.ToString();

        void Line(IEnumerable<string> cells) => text.AppendJoin(',', cells.Select(Quoted)).Append('\n');
    }

    /// <summary>One row for each method with the means of what was measured.</summary>
    /// <param name="methods">The figures.</param>
    /// <returns>A table of GitHub's Markdown.</returns>
    public static string Markdown(IReadOnlyList<MethodFigures> methods)
    {
        var rows = Means(methods);
        var text = new StringBuilder();
        Line(rows[0]);
        Line(rows[0].Select((_, i) => i == 0 ? "---" : "---:"));
        foreach (var row in rows.Skip(1))
        {
            Line(row.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal)));
        }

        return text.ToString();

        void Line(IEnumerable<string> cells) => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
    }

    /// <summary>The cells of <see cref="Markdown"/>: titles first, then a row for each method.</summary>
    /// <param name="methods">The figures.</param>
    public static IReadOnlyList<IReadOnlyList<string>> Means(IReadOnlyList<MethodFigures> methods)
    {
        ArgumentNullException.ThrowIfNull(methods);
        var columns = s_columns.Where(c => methods.Any(m => c.Mean(m) is not null)).ToArray();
        var withClip = methods.Any(m => m.ClipFid is not null);
        var rows = new List<IReadOnlyList<string>> { Row("method", columns.Select(c => c.Title), "CLIP-FID ↓") };
        rows.AddRange(methods.Select(m => Row(m.Method, columns.Select(c => Number(c.Mean(m), c.Format)), Number(m.ClipFid, "F3"))));
        return rows;

        IReadOnlyList<string> Row(string first, IEnumerable<string> cells, string last) => withClip ? [first, .. cells, last] : [first, .. cells];
    }

    static string Number(double? value, string format) => value switch
    {
        null => "",
        double.PositiveInfinity => "inf",
        _ => value.Value.ToString(format, CultureInfo.InvariantCulture),
    };

    static string Quoted(string cell) =>
        cell.AsSpan().IndexOfAny(",\"\n\r") < 0 ? cell : $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    sealed record Column(string Key, string Title, string Format, Func<PairFigures, double?> Value)
    {
        public double? Mean(MethodFigures method) => method.Pairs.Average(Value);
    }
}
