using FramePainter.Tensors;

namespace FramePainter.Graphs;

/// <summary>How often a value can change.</summary>
public enum Rate
{
    /// <summary>At most once an edit: depends on the picture, the signal or the options alone.</summary>
    Edit,

    /// <summary>In every denoising step.</summary>
    Step,
}

/// <summary>
/// A tensor of float32 that flows through a <see cref="Graph"/>, dense and channels-last:
/// <c>[images, H, W, C]</c>, <c>[images, tokens, C]</c> or a table <c>[rows, C]</c>.
/// Images are ordered half-major, frames fastest: image = half·frames + frame; half 0 is the unconditional one.
/// Ops read the same memory as pictures or as tokens; nothing is reshaped in between.
/// </summary>
public sealed class Value
{
    internal Value(int id, string name, Shape shape, Rate rate)
    {
        Id = id;
        Name = name;
        Shape = shape;
        Rate = rate;
    }

    /// <summary>A number unique within the builder that made it; dense from 0.</summary>
    public int Id { get; }

    /// <summary>A name for people and for bindings; unique among inputs and outputs.</summary>
    public string Name { get; }

    /// <summary>Its extents.</summary>
    public Shape Shape { get; }

    /// <summary>How often it changes: the fastest rate among what it is computed from.</summary>
    public Rate Rate { get; }

    /// <summary>Size in bytes as float32.</summary>
    public long Bytes => Shape.Count * sizeof(float);

    /// <inheritdoc/>
    public override string ToString() => $"{Name}#{Id}{Shape}";
}

/// <summary>One value, or two concatenated along their channels: how an op reads <c>[x, skip]</c> without a copy.</summary>
/// <param name="First">The first channels.</param>
/// <param name="Second">The channels behind, or null. Same images and positions as the first.</param>
public readonly record struct Operand(Value First, Value? Second = null)
{
    /// <summary>All channels.</summary>
    public int Channels => First.Shape.Channels + (Second?.Shape.Channels ?? 0);

    /// <summary>The extents as if concatenated.</summary>
    public Shape Shape => First.Shape.WithChannels(Channels);

    /// <summary>A single value is an operand.</summary>
    /// <param name="value">The value.</param>
    public static implicit operator Operand(Value value) => new(value);
}

/// <summary>Consecutive channels of a value: how attention finds queries, keys and values in one fused projection.</summary>
/// <param name="Value">The value.</param>
/// <param name="FirstChannel">Where the channels begin; how many they are is the op's matter.</param>
public readonly record struct Channels(Value Value, int FirstChannel = 0);

/// <summary>Which row of a table an image reads.</summary>
public enum RowOrder
{
    /// <summary>Images are cut into as many equal runs as there are rows: row = image·rows/images. One row serves all; two rows serve the guidance halves.</summary>
    ByRun,

    /// <summary>Rows alternate with the images: row = image mod rows. Two rows serve the two frames.</summary>
    ByFrame,
}

/// <summary>A table <c>[rows, C]</c> of which one row is added to every position of an image.</summary>
/// <param name="Table">The table.</param>
/// <param name="Order">Which row an image reads.</param>
public readonly record struct RowTable(Value Table, RowOrder Order = RowOrder.ByRun)
{
    /// <summary>The row that an image reads.</summary>
    /// <param name="image">The image.</param>
    /// <param name="images">How many images there are.</param>
    public int RowOf(int image, int images)
    {
        var rows = Table.Shape[0];
        return Order == RowOrder.ByFrame ? image % rows : (int)((long)image * rows / images);
    }
}
