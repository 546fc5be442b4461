using System.Globalization;
using FramePainter.Backends.Cpu.Simd;

namespace FramePainter.Core.Tests.Backends;

public sealed class FirstLevelCacheTests
{
    [Fact]
    public void Says_what_the_operating_system_says()
    {
        const string file = "/sys/devices/system/cpu/cpu0/cache/index0/size";
        Assert.SkipUnless(File.Exists(file) && File.ReadAllText(file.Replace("size", "type", StringComparison.Ordinal)).StartsWith("Data", StringComparison.Ordinal), "There is no such file.");
        Assert.SkipWhen(FirstLevelCache.Bytes == 0, "The processor does not say.");
        var kilobytes = long.Parse(File.ReadAllText(file).Trim().TrimEnd('K'), CultureInfo.InvariantCulture);
        Assert.Equal(kilobytes << 10, FirstLevelCache.Bytes);
    }
}
