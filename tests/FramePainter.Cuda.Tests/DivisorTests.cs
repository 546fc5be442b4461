using FramePainter.Cuda.Kernels;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace FramePainter.Cuda.Tests;

/// <summary>Divisors of tiles, as kernels divide by them.</summary>
public sealed class DivisorTests
{
    /// <summary>Numbers about every multiple are where a factor that is off by too much shows first.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(641)]
    [InlineData(65_535)]
    [InlineData(65_537)]
    [InlineData((1 << 30) - 1)]
    [InlineData((1 << 30) + 1)]
    [InlineData(int.MaxValue - 1)]
    [InlineData(int.MaxValue)]
    public void The_quotient_is_exact_about_the_largest_multiples(int divisor)
    {
        var by = Divisor.Of(divisor);
        var largest = int.MaxValue / divisor * divisor;
        foreach (var number in new long[] { 0, 1, divisor - 1, divisor, divisor + 1L, largest - 1L, largest, largest + 1L, int.MaxValue - 1, int.MaxValue }.Where(n => n <= int.MaxValue))
        {
            Assert.Equal((int)(number / divisor), by.Quotient((int)number));
        }
    }

    [Property(MaxTest = 2000)]
    public Property The_quotient_is_that_of_a_division() => Prop.ForAll(
        Gen.Choose(0, int.MaxValue).ToArbitrary(), Gen.Choose(0, 30).SelectMany(bits => Gen.Choose(1, 1 << bits)).ToArbitrary(),
        (number, divisor) => Divisor.Of(divisor).Quotient(number) == number / divisor);
}
