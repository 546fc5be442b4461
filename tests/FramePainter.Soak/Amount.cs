namespace FramePainter.Soak;

/// <summary>How much is run.</summary>
static class Amount
{
    /// <summary>Whether everything is run: minutes in place of seconds.</summary>
    public static bool IsFull { get; } = Environment.GetEnvironmentVariable("FRAMEPAINTER_FULL") == "1";

    /// <summary>Edits at once, all together.</summary>
    public static int Edits => IsFull ? 1000 : 60;

    /// <summary>Different edits that they are drawn from.</summary>
    public static int Kinds => IsFull ? 120 : 12;

    /// <summary>Painters opened and disposed, one after the other.</summary>
    public static int Cycles => IsFull ? 200 : 12;
}
