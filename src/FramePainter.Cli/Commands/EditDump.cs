using System.Globalization;
using System.Runtime.InteropServices;
using FramePainter.Tensors;
using FramePainter.Weights.Safetensors;

namespace FramePainter.Cli.Commands;

/// <summary>Writes what an edit computed, for comparison with other implementations.</summary>
static class EditDump
{
    /// <summary>
    /// <c>latents</c> (final, F32, [1,2,4,h,w]), <c>frames</c> (U8, [2,H,W,3] in the working size: source, edit) and
    /// <c>edited</c>, <c>source</c> (U8, [H,W,3] in the picture's size); the edit's options as metadata.
    /// </summary>
    public static void Write(string path, EditResult result, EditOptions options)
    {
        var working = result.Frames[0];
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["steps"] = Text(options.Steps),
            ["seed"] = Text(options.Seed),
            ["control_scale"] = Text(options.ControlScale),
            ["guidance"] = Text(options.Guidance),
            ["decay"] = options.Decay.ToString(),
            ["fit"] = options.Fit.ToString(),
            ["draws"] = options.Draws.ToString(),
        };
        using var writer = SafetensorsWriter.Create(
            path,
            [
                new("latents", DType.F32, result.LatentsShape),
                new("frames", DType.U8, new Shape(result.Frames.Count, working.Height, working.Width, 3)),
                new("edited", DType.U8, new Shape(result.Edited.Height, result.Edited.Width, 3)),
                new("source", DType.U8, new Shape(result.Source.Height, result.Source.Width, 3)),
            ],
            metadata);
        writer.Append("latents", MemoryMarshal.AsBytes(result.Latents.ToArray().AsSpan()));
        foreach (var frame in result.Frames)
            writer.Append("frames", frame.ToRgb().Pixels);

        writer.Append("edited", result.Edited.ToRgb().Pixels);
        writer.Append("source", result.Source.ToRgb().Pixels);
        writer.Complete();
    }

    static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
}
