using System.Diagnostics;

namespace FramePainter.Pipeline;

/// <summary>
/// A linear map from a latent pixel to a colour, fitted by least squares: to what the VAE decodes a few random latents to, and for an edit mostly to the
/// picture and its own latents, whose colours the edit shares. Cheap, and close enough to see where an edit goes.
/// </summary>
internal sealed class LatentPreview
{
    /// <summary>Latents that are decoded for the fit.</summary>
    const int Samples = 6;

    /// <summary>The latents' channels and the constant.</summary>
    const int Columns = Networks.LatentChannels + 1;

    const int Colors = 3;

    /// <summary>What the random latents weigh beside the picture's: enough for colours that the picture lacks.</summary>
    const double RandomWeight = 0.05;

    readonly double[] _normal;
    readonly double[] _right;
    readonly double[] _map;

    LatentPreview(double[] normal, double[] right)
    {
        (_normal, _right) = (normal, right);
        _map = Solve([.. normal], [.. right]);
    }

    /// <summary>Fits the map.</summary>
    /// <param name="decode">Decodes scaled latents of two frames, [2, side, side, 4], to pictures of <paramref name="factor"/> times the side.</param>
    /// <param name="side">Side of the latents.</param>
    /// <param name="factor">Side in pixels that one latent pixel stands for.</param>
    public static LatentPreview Fit(Func<float[], PixelImage[]> decode, int side, int factor)
    {
        var random = new TorchRandom(0);
        var (normal, right) = (new double[Columns * Columns], new double[Columns * Colors]);
        var (positions, row) = (side * side, new double[Columns]);
        row[^1] = 1;
        for (var sample = 0; sample < Samples; sample++)
        {
            // A level for each frame and channel with grain on it: the levels tell the colours, the grain keeps channels apart.
            var latents = new float[Networks.Frames * positions * Networks.LatentChannels];
            var levels = new float[64];
            random.Randn(latents);
            random.Randn(levels);
            for (var i = 0; i < latents.Length; i++)
            {
                var frame = i / (positions * Networks.LatentChannels);
                latents[i] = (0.3f * latents[i]) + levels[(frame * Networks.LatentChannels) + (i % Networks.LatentChannels)];
            }

            var pictures = decode(latents);
            for (var at = 0; at < Networks.Frames * positions; at++)
            {
                var (frame, position) = Math.DivRem(at, positions);
                for (var c = 0; c < Networks.LatentChannels; c++)
                {
                    row[c] = latents[(at * Networks.LatentChannels) + c];
                }

                Add(normal, right, row, MeanColor(pictures[frame], position % side, position / side, factor));
            }
        }

        return new LatentPreview(normal, right);
    }

    /// <summary>The map for edits of one picture.</summary>
    /// <param name="latents">The picture's scaled latents [h, w, 4].</param>
    /// <param name="picture">The picture at the working size, RGB.</param>
    /// <param name="width">w.</param>
    public LatentPreview For(ReadOnlySpan<float> latents, PixelImage picture, int width)
    {
        var (positions, factor) = (latents.Length / Networks.LatentChannels, picture.Width / width);
        // The last entry of the normal matrix counts the samples.
        var weight = RandomWeight * positions / _normal[^1];
        double[] normal = [.. _normal.Select(n => n * weight)];
        double[] right = [.. _right.Select(r => r * weight)];
        var row = new double[Columns];
        row[^1] = 1;
        for (var at = 0; at < positions; at++)
        {
            for (var c = 0; c < Networks.LatentChannels; c++)
            {
                row[c] = latents[(at * Networks.LatentChannels) + c];
            }

            Add(normal, right, row, MeanColor(picture, at % width, at / width, factor));
        }

        return new LatentPreview(normal, right);
    }

    /// <summary>The colours of one frame's latents.</summary>
    /// <param name="latents">Scaled latents [h, w, 4].</param>
    /// <param name="width">w.</param>
    /// <param name="height">h.</param>
    public PixelImage Draw(ReadOnlySpan<float> latents, int width, int height)
    {
        Debug.Assert(latents.Length == width * height * Networks.LatentChannels, "One frame.");
        var pixels = new byte[width * height * Colors];
        for (var i = 0; i < pixels.Length; i++)
        {
            var (position, color) = Math.DivRem(i, Colors);
            var value = _map[(Networks.LatentChannels * Colors) + color];
            for (var c = 0; c < Networks.LatentChannels; c++)
            {
                value += latents[(position * Networks.LatentChannels) + c] * _map[(c * Colors) + color];
            }

            pixels[i] = (byte)Math.Round(Math.Clamp(value, 0, 255));
        }

        return PixelImage.Adopt(pixels, width, height, PixelFormat.Rgb24);
    }

    static double[] MeanColor(PixelImage picture, int x, int y, int factor)
    {
        var color = new double[Colors];
        for (var i = 0; i < factor * factor; i++)
        {
            var at = ((((y * factor) + (i / factor)) * picture.Width) + (x * factor) + (i % factor)) * Colors;
            for (var c = 0; c < Colors; c++)
            {
                color[c] += picture.Pixels[at + c] / (double)(factor * factor);
            }
        }

        return color;
    }

    static void Add(double[] normal, double[] right, double[] row, double[] color)
    {
        for (var i = 0; i < Columns; i++)
        {
            for (var j = 0; j < Columns; j++)
            {
                normal[(i * Columns) + j] += row[i] * row[j];
            }

            for (var c = 0; c < Colors; c++)
            {
                right[(i * Colors) + c] += row[i] * color[c];
            }
        }
    }

    /// <summary>Gauss–Jordan elimination; a trace on the diagonal keeps it regular, which the random samples do anyway.</summary>
    static double[] Solve(double[] a, double[] b)
    {
        for (var p = 0; p < Columns; p++)
        {
            var pivot = a[(p * Columns) + p] += 1e-9;
            for (var r = 0; r < Columns; r++)
            {
                if (r == p)
                {
                    continue;
                }

                var factor = a[(r * Columns) + p] / pivot;
                for (var c = 0; c < Columns; c++)
                {
                    a[(r * Columns) + c] -= factor * a[(p * Columns) + c];
                }

                for (var c = 0; c < Colors; c++)
                {
                    b[(r * Colors) + c] -= factor * b[(p * Colors) + c];
                }
            }
        }

        for (var p = 0; p < Columns; p++)
        {
            for (var c = 0; c < Colors; c++)
            {
                b[(p * Colors) + c] /= a[(p * Columns) + p];
            }
        }

        return b;
    }
}
