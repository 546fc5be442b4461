namespace FramePainter.Cuda;

/// <summary>How a weight matrix is packed.</summary>
internal enum MatrixForm
{
    /// <summary>As it is.</summary>
    Plain,

    /// <summary>Rows of the second half lie between those of the first (GEGLU: each gate behind its value).</summary>
    Gated,

    /// <summary>A 3×3 kernel over a doubled picture as a 2×2 kernel over the picture itself, for outputs of even rows and columns.</summary>
    CornerEvenEven,

    /// <summary>The same for even rows and odd columns.</summary>
    CornerEvenOdd,

    /// <summary>The same for odd rows and even columns.</summary>
    CornerOddEven,

    /// <summary>The same for odd rows and columns.</summary>
    CornerOddOdd,
}

/// <summary>What forms mean.</summary>
internal static class MatrixForms
{
    /// <summary>The form for every second row (from row <c>corner / 2</c> on) and column (from <c>corner % 2</c>) of the output.</summary>
    public static MatrixForm Corner(int corner) => MatrixForm.CornerEvenEven + corner;

    /// <summary>The tap of the 2×2 kernel that a tap of the 3×3 kernel is added to.</summary>
    /// <remarks>Along one side, output 2p reads inputs p−1, p, p by taps 0, 1, 2, and output 2p+1 reads p, p, p+1.</remarks>
    public static int TapOf(MatrixForm corner, int tap)
    {
        var (y, x) = Math.DivRem(corner - MatrixForm.CornerEvenEven, 2);
        return (((tap / 3) + 1 + y) / 2 - y) * 2 + (((tap % 3) + 1 + x) / 2 - x);
    }

    /// <summary>Whether it is one of the four.</summary>
    public static bool IsCorner(MatrixForm form) => form >= MatrixForm.CornerEvenEven;
}
