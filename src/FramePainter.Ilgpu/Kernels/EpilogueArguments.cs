using ILGPU;

namespace FramePainter.Ilgpu.Kernels;

/// <summary>What happens to a product's sums: <c>out = scale·(activation(sum + bias) + row) + Σ scale·residual</c>. Views that are not used hold anything.</summary>
internal struct EpilogueArguments
{
    /// <summary>Where results go.</summary>
    public Elements Output;

    /// <summary>Added to the sums.</summary>
    public ArrayView<float> Bias;

    /// <summary>First residual.</summary>
    public Elements First;

    /// <summary>Second residual.</summary>
    public Elements Second;

    /// <summary>Added behind the activation.</summary>
    public TableRows Rows;

    /// <summary>Channels of the output.</summary>
    public int Channels;

    /// <summary>1 with a bias.</summary>
    public int HasBias;

    /// <summary>How many residuals there are.</summary>
    public int Residuals;

    /// <summary>The activation as a number; GEGLU takes two sums.</summary>
    public int Activation;

    /// <summary>1 for GEGLU: sums come in pairs.</summary>
    public int Gated;

    /// <summary>Factor of the activated sum with its row.</summary>
    public float Scale;

    /// <summary>Factor of the first residual.</summary>
    public float FirstScale;

    /// <summary>Factor of the second residual.</summary>
    public float SecondScale;

    /// <summary>Finishes one sum.</summary>
    public readonly void Store(int row, int channel, float sum)
    {
        if (channel < Channels)
        {
            var x = HasBias != 0 ? sum + Bias[channel] : sum;
            Finish(row, channel, Functions.Activate(Activation, x));
        }
    }

    /// <summary>Finishes a sum with its gate.</summary>
    public readonly void StoreGated(int row, int channel, float sum, float gate)
    {
        if (channel < Channels)
        {
            var x = HasBias != 0 ? sum + Bias[channel] : sum;
            var g = HasBias != 0 ? gate + Bias[Channels + channel] : gate;
            Finish(row, channel, x * Functions.Gelu(g));
        }
    }

    readonly void Finish(int row, int channel, float x)
    {
        if (Rows.Rows != 0)
        {
            x += Rows.At(row, channel);
        }

        x *= Scale;
        var at = (row * Channels) + channel;
        if (Residuals > 0)
        {
            x += FirstScale * First[at];
        }

        if (Residuals > 1)
        {
            x += SecondScale * Second[at];
        }

        Output[at] = x;
    }
}
