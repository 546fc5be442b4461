using System.Diagnostics;
using System.Globalization;

namespace FramePainter.Tensors;

/// <summary>The extents of a tensor, outermost first: 0 to 6 of them. Activations are channels-last, <c>[images, H, W, C]</c> or <c>[images, tokens, C]</c>.</summary>
public readonly struct Shape : IEquatable<Shape>
{
    readonly long[]? _extents;

    /// <summary>Creates a shape.</summary>
    /// <param name="extents">Extents, each at least 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">An extent is negative or there are more than six.</exception>
    public Shape(params ReadOnlySpan<long> extents)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(extents.Length, 6, nameof(extents));
        foreach (var extent in extents)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(extent, nameof(extents));
        }

        _extents = extents.ToArray();
    }

    /// <summary>Number of extents.</summary>
    public int Rank => _extents?.Length ?? 0;

    /// <summary>The extents, outermost first.</summary>
    public ReadOnlySpan<long> Extents => _extents;

    /// <summary>One extent; an index from the end counts from the innermost.</summary>
    /// <param name="axis">The axis.</param>
    public int this[Index axis] => checked((int)Extents[axis]);

    /// <summary>Product of all extents; 1 for a scalar.</summary>
    /// <exception cref="OverflowException">The product does not fit 63 bits.</exception>
    public long Count
    {
        get
        {
            long count = 1;
            foreach (var extent in Extents)
            {
                count = checked(count * extent);
            }

            return count;
        }
    }

    /// <summary>Images of an activation: the outermost extent.</summary>
    public int Images => this[0];

    /// <summary>Channels of an activation: the innermost extent.</summary>
    public int Channels => this[^1];

    /// <summary>Positions of one image: the product of the extents between the outermost and the innermost.</summary>
    public int Tokens
    {
        get
        {
            Debug.Assert(Rank >= 2, "An activation has images and channels.");
            long tokens = 1;
            foreach (var extent in Extents[1..^1])
            {
                tokens = checked(tokens * extent);
            }

            return checked((int)tokens);
        }
    }

    /// <summary>The same shape with another innermost extent.</summary>
    /// <param name="channels">The new innermost extent.</param>
    public Shape WithChannels(int channels)
    {
        var extents = Extents.ToArray();
        extents[^1] = channels;
        return new Shape(extents);
    }

    /// <summary>The same shape with another outermost extent.</summary>
    /// <param name="images">The new outermost extent.</param>
    public Shape WithImages(int images)
    {
        var extents = Extents.ToArray();
        extents[0] = images;
        return new Shape(extents);
    }

    /// <inheritdoc/>
    public bool Equals(Shape other) => Extents.SequenceEqual(other.Extents);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (var extent in Extents)
        {
            hash.Add(extent);
        }

        return hash.ToHashCode();
    }

    /// <summary>Equality of all extents.</summary>
    public static bool operator ==(Shape left, Shape right) => left.Equals(right);

    /// <summary>Inequality of some extent.</summary>
    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);

    /// <summary>The extents in brackets, as PyTorch prints them.</summary>
    public override string ToString() =>
        "[" + string.Join(", ", Extents.ToArray().Select(e => e.ToString(CultureInfo.InvariantCulture))) + "]";
}
