using System.Globalization;

namespace FramePainter.Cli.Terminal;

/// <summary>Figures as people read them, the same in every culture.</summary>
static class Figures
{
    static readonly string[] s_units = ["B", "KiB", "MiB", "GiB", "TiB"];

    /// <summary>A number of bytes in the largest unit that leaves at least one.</summary>
    public static string Bytes(long bytes)
    {
        double value = bytes;
        var unit = 0;
        while (value >= 1024 && unit < s_units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{value.ToString(unit == 0 ? "F0" : "F1", CultureInfo.InvariantCulture)} {s_units[unit]}");
    }

    /// <summary>A count with separators.</summary>
    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Seconds with milliseconds.</summary>
    public static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("F3", CultureInfo.InvariantCulture);

    /// <summary>Billions of operations a second.</summary>
    public static string Rate(double flops, TimeSpan time) =>
        flops > 0 && time > TimeSpan.Zero ? (flops / time.TotalSeconds / 1e9).ToString("F1", CultureInfo.InvariantCulture) : "";
}
