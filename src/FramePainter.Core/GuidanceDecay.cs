namespace FramePainter;

/// <summary>How the weight of classifier-free guidance changes over the steps.</summary>
public enum GuidanceDecay
{
    /// <summary>Step i of N is guided by <c>(g−1)(1−i/N)²+1</c>: full strength at first, almost none at the end. The original's default.</summary>
    InverseSquare,

    /// <summary>Every step is guided by <c>g</c>.</summary>
    None,
}
