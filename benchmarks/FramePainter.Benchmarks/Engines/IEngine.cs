namespace FramePainter.Benchmarks.Engines;

/// <summary>A graph bound to random inputs, ready to run again and again.</summary>
internal interface IEngine : IDisposable
{
    /// <summary>One run.</summary>
    void Run();

    /// <summary>The output <c>y</c> of the last run, channels last.</summary>
    float[] Read();
}
