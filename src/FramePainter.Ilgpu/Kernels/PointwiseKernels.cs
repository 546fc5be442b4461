using ILGPU;

namespace FramePainter.Ilgpu.Kernels;

/// <summary>Up to three values and a few numbers; each kernel says what they are.</summary>
internal struct PointwiseArguments
{
    /// <summary>First input.</summary>
    public Elements First;

    /// <summary>Second input.</summary>
    public Elements Second;

    /// <summary>Third input.</summary>
    public Elements Third;

    /// <summary>Where results go.</summary>
    public Elements Output;

    /// <summary>Elements of the output.</summary>
    public int Count;

    /// <summary>A number.</summary>
    public int A;

    /// <summary>A number.</summary>
    public int B;

    /// <summary>Factor of the first input.</summary>
    public float FirstScale;

    /// <summary>Factor of the second input.</summary>
    public float SecondScale;
}

/// <summary>Kernels of one element a thread.</summary>
internal static class PointwiseKernels
{
    /// <summary>Threads of a group.</summary>
    public const int Threads = 256;

    /// <summary>An activation, numbered A.</summary>
    [DeviceKernel]
    public static void Activate(PointwiseArguments arguments)
    {
        var i = Index();
        if (i < arguments.Count)
        {
            arguments.Output[i] = Functions.Activate(arguments.A, arguments.First[i]);
        }
    }

    /// <summary>GEGLU; A is the channels of the output.</summary>
    [DeviceKernel]
    public static void Geglu(PointwiseArguments arguments)
    {
        var i = Index();
        if (i < arguments.Count)
        {
            var at = i + (i / arguments.A * arguments.A);
            arguments.Output[i] = arguments.First[at] * Functions.Gelu(arguments.First[at + arguments.A]);
        }
    }

    /// <summary>The weighted sum of two.</summary>
    [DeviceKernel]
    public static void Blend(PointwiseArguments arguments)
    {
        var i = Index();
        if (i < arguments.Count)
        {
            arguments.Output[i] = (arguments.FirstScale * arguments.First[i]) + (arguments.SecondScale * arguments.Second[i]);
        }
    }

    /// <summary>Adds rows of a table.</summary>
    [DeviceKernel]
    public static void AddRows(PointwiseArguments arguments, TableRows rows)
    {
        var i = Index();
        if (i < arguments.Count)
        {
            arguments.Output[i] = arguments.First[i] + rows.At(i / rows.Channels, i % rows.Channels);
        }
    }

    /// <summary>Multiplies by element A of the second input.</summary>
    [DeviceKernel]
    public static void Scale(PointwiseArguments arguments)
    {
        var i = Index();
        if (i < arguments.Count)
        {
            arguments.Output[i] = arguments.First[i] * arguments.Second[arguments.A];
        }
    }

    /// <summary>Sinusoids of the first input by the frequencies of the second; A is how many frequencies there are.</summary>
    [DeviceKernel]
    public static void Sinusoid(PointwiseArguments arguments)
    {
        var i = Index();
        if (i < arguments.Count)
        {
            var width = 2 * arguments.A;
            var channel = i % width;
            var sine = channel >= arguments.A;
            var angle = arguments.First[i / width] * arguments.Second[sine ? channel - arguments.A : channel];
            arguments.Output[i] = Functions.Sine(angle, sine ? 0 : 1);
        }
    }

    /// <summary>Row A of the first input, or the row that the second names when B is 1.</summary>
    [DeviceKernel]
    public static void SelectRow(PointwiseArguments arguments)
    {
        var i = Index();
        if (i < arguments.Count)
        {
            var row = arguments.B != 0 ? (int)arguments.Second[0] : arguments.A;
            arguments.Output[i] = arguments.First[(row * arguments.Count) + i];
        }
    }

    /// <summary>The class embedding (second input) before the patches (first), positions (third) added. A tokens of B channels.</summary>
    [DeviceKernel]
    public static void ClassToken(PointwiseArguments arguments)
    {
        var i = Index();
        if (i < arguments.Count)
        {
            var channel = i % arguments.B;
            var position = i / arguments.B;
            var token = position % arguments.A;
            var patch = position - (position / arguments.A) - 1;
            var own = token == 0 ? arguments.Second[channel] : arguments.First[(patch * arguments.B) + channel];
            arguments.Output[i] = own + arguments.Third[(token * arguments.B) + channel];
        }
    }

    /// <summary>Both halves from A shared elements (first input) and B conditional ones (second); the unconditional half is there when the output is longer than A.</summary>
    [DeviceKernel]
    public static void JoinHalves(PointwiseArguments arguments)
    {
        var i = Index();
        if (i < arguments.Count)
        {
            var shared = arguments.First[i % arguments.A];
            var conditional = arguments.Count == arguments.A || i >= arguments.A;
            arguments.Output[i] = conditional ? shared + arguments.Second[i % arguments.A % arguments.B] : shared;
        }
    }

    /// <summary>Guidance and an Euler step: velocity, latents, scalars; A is 1 when there are two halves, B is 0.</summary>
    [DeviceKernel]
    public static void Euler(PointwiseArguments arguments)
    {
        var i = Index();
        if (i < arguments.Count)
        {
            var sigma = arguments.Third[0];
            var x = arguments.Second[i];
            var v = arguments.First[i];
            if (arguments.A != 0)
            {
                v += Functions.Rounded(arguments.Third[2] * (arguments.First[arguments.Count + i] - v), arguments.B);
            }

            // Each operation rounded by itself and in the original's order: what is lost while latents are some hundred times the prediction shows in edits of few steps.
            var variance = Functions.Rounded(sigma * sigma, arguments.B) + 1;
            var clean = Functions.Rounded(v * (-sigma / MathF.Sqrt(variance)), arguments.B) + (x / variance);
            arguments.Output[i] = x + Functions.Rounded((x - clean) / sigma * (arguments.Third[1] - sigma), arguments.B);
        }
    }

    static int Index() => (Grid.IdxX * Threads) + Group.IdxX;
}
