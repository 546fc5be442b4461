using ILGPU;

namespace FramePainter.Ilgpu.Kernels;

/// <summary>A table of which each image reads one row.</summary>
internal struct TableRows
{
    /// <summary>The table; anything when there are no rows.</summary>
    public Elements Table;

    /// <summary>Rows of the table; 0 for no table.</summary>
    public int Rows;

    /// <summary>1 where rows alternate with the images, 0 where images are cut into equal runs.</summary>
    public int ByFrame;

    /// <summary>How many images read it.</summary>
    public int Images;

    /// <summary>Positions of an image.</summary>
    public int Tokens;

    /// <summary>Channels of a row.</summary>
    public int Channels;

    /// <summary>What a position reads.</summary>
    public readonly float At(int position, int channel)
    {
        var image = position / Tokens;
        var row = ByFrame != 0 ? image % Rows : image * Rows / Images;
        return Table[(row * Channels) + channel];
    }
}
