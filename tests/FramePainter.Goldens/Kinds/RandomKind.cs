using System.Globalization;
using FramePainter.Pipeline;
using FramePainter.Tensors;

namespace FramePainter.Goldens;

/// <summary>PyTorch's generator: draws one after the other.</summary>
internal sealed class RandomKind : IGoldenKind
{
    public string Kind => "random";

    public GoldenOutputs Run(GoldenCase golden)
    {
        var random = new TorchRandom(golden.Args.GetProperty("seed").GetInt64());
        var outputs = new GoldenOutputs();
        foreach (var draw in golden.Args.GetProperty("draws").EnumerateArray())
        {
            var extents = draw.GetProperty("shape").EnumerateArray().Select(e => e.GetInt64()).ToArray();
            var values = new float[new Shape(extents).Count];
            switch (draw.GetProperty("dtype").GetString())
            {
                case "float32":
                    random.Randn(values);
                    break;
                case "float16":
                    var halves = new Half[values.Length];
                    random.Randn(halves);
                    values = Array.ConvertAll(halves, h => (float)h);
                    break;
                case var other:
                    throw new NotSupportedException($"Draws of '{other}'.");
            }

            outputs.Add(string.Create(CultureInfo.InvariantCulture, $"draw{outputs.Count}"), GoldenTensor.Of(values, extents));
        }

        return outputs;
    }
}
