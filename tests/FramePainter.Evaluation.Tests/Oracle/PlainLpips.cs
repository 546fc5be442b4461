namespace FramePainter.Evaluation.Tests.Oracle;

/// <summary>LPIPS written down once more, from the layer lists of torchvision and the formula of the paper.</summary>
static class PlainLpips
{
    // One letter a layer: a convolution by its index, P a pooling, T a tap.
    static readonly string[] s_alex = ["0", "T", "P", "3", "T", "P", "6", "T", "8", "T", "10", "T"];
    static readonly string[] s_vgg16 = ["0", "2", "T", "P", "5", "7", "T", "P", "10", "12", "14", "T", "P", "17", "19", "21", "T", "P", "24", "26", "28", "T"];

    public static RandomWeights Weights(LpipsNetwork network)
    {
        (int Index, int Outputs, int Inputs, int Side)[] layers = network == LpipsNetwork.Alex
            ? [(0, 64, 3, 11), (3, 192, 64, 5), (6, 384, 192, 3), (8, 256, 384, 3), (10, 256, 256, 3)]
            :
            [
                (0, 64, 3, 3), (2, 64, 64, 3), (5, 128, 64, 3), (7, 128, 128, 3), (10, 256, 128, 3), (12, 256, 256, 3), (14, 256, 256, 3),
                (17, 512, 256, 3), (19, 512, 512, 3), (21, 512, 512, 3), (24, 512, 512, 3), (26, 512, 512, 3), (28, 512, 512, 3),
            ];
        int[] taps = network == LpipsNetwork.Alex ? [64, 192, 384, 256, 256] : [64, 128, 256, 512, 512];
        var weights = new RandomWeights();
        foreach (var (index, outputs, inputs, side) in layers)
        {
            weights.AddLayer($"features.{index}", 1.4f, outputs, inputs, side, side);
        }

        for (var i = 0; i < taps.Length; i++)
        {
            weights.Add($"lin{i}.model.1.weight", 0, 1, 1, taps[i], 1, 1);
        }

        weights.AddLayer("classifier.1", 1, 10, 20);
        return weights;
    }

    public static double Distance(LpipsNetwork network, RandomWeights weights, PixelImage a, PixelImage b)
    {
        var (left, right) = (Taps(network, weights, a), Taps(network, weights, b));
        double distance = 0;
        for (var tap = 0; tap < left.Count; tap++)
        {
            var linear = weights.Values($"lin{tap}.model.1.weight");
            var (height, width) = (left[tap][0].GetLength(0), left[tap][0].GetLength(1));
            for (var y = 0; y < height; y++)
            {
                for (var x = 0; x < width; x++)
                {
                    var (u, v) = (Unit(left[tap], y, x), Unit(right[tap], y, x));
                    distance += u.Zip(v, (p, q) => (p - q) * (p - q)).Zip(linear, (d, w) => d * w).Sum() / (height * width);
                }
            }
        }

        return distance;
    }

    static double[] Unit(double[][,] planes, int y, int x)
    {
        var norm = Math.Sqrt(planes.Sum(p => p[y, x] * p[y, x]));
        return [.. planes.Select(p => p[y, x] / (norm + 1e-10))];
    }

    static List<double[][,]> Taps(LpipsNetwork network, RandomWeights weights, PixelImage image)
    {
        double[] shift = [-.030, -.088, -.188], scale = [.458, .448, .450];
        var x = PlainLayers.Planes(image, (value, c) => ((value / 127.5) - 1 - shift[c]) / scale[c]);
        var taps = new List<double[][,]>();
        foreach (var layer in network == LpipsNetwork.Alex ? s_alex : s_vgg16)
        {
            if (layer == "T")
            {
                taps.Add(x);
            }
            else if (layer == "P")
            {
                x = PlainLayers.MaxPool(x, network == LpipsNetwork.Alex ? 3 : 2, 2);
            }
            else
            {
                var kernel = $"features.{layer}.weight";
                var (outputs, side) = (weights.ShapeOf(kernel)[0], weights.ShapeOf(kernel)[^1]);
                x = PlainLayers.Conv(x, weights.Values(kernel), weights.Values($"features.{layer}.bias"), outputs, side, side == 11 ? 4 : 1, side == 3 ? 1 : 2, rectify: true);
            }
        }

        return taps;
    }
}
