namespace FramePainter.Evaluation.Tests.Oracle;

/// <summary>CLIP ViT-B/32's vision tower written down once more, on a picture of 224×224.</summary>
static class PlainClip
{
    const int Width = 768;
    const int Tokens = 50;
    const string Root = "vision_model.";

    public static RandomWeights Weights()
    {
        var weights = new RandomWeights();
        weights.Add(Root + "embeddings.class_embedding", -1, 1, Width);
        weights.Add(Root + "embeddings.patch_embedding.weight", -0.03f, 0.03f, Width, 3, 32, 32);
        weights.Add(Root + "embeddings.position_embedding.weight", -1, 1, Tokens, Width);
        weights.Add("visual_projection.weight", -0.06f, 0.06f, 512, Width);
        Norm(Root + "pre_layrnorm");
        Norm(Root + "post_layernorm");
        for (var i = 0; i < 12; i++)
        {
            var layer = $"{Root}encoder.layers.{i}.";
            Norm(layer + "layer_norm1");
            Norm(layer + "layer_norm2");
            foreach (var name in new[] { "q_proj", "k_proj", "v_proj", "out_proj" })
            {
                weights.AddLayer(layer + "self_attn." + name, 1.5f, Width, Width);
            }

            weights.AddLayer(layer + "mlp.fc1", 1, 4 * Width, Width);
            weights.AddLayer(layer + "mlp.fc2", 1, Width, 4 * Width);
        }

        weights.Add("logit_scale", 0, 1);
        return weights;

        void Norm(string name)
        {
            weights.Add(name + ".weight", 0.5f, 1.5f, Width);
            weights.Add(name + ".bias", -0.2f, 0.2f, Width);
        }
    }

    public static double[] Features(RandomWeights weights, PixelImage square)
    {
        double[] mean = [0.48145466, 0.4578275, 0.40821073], deviation = [0.26862954, 0.26130258, 0.27577711];
        var planes = PlainLayers.Planes(square, (v, c) => ((v / 255) - mean[c]) / deviation[c]);
        var patches = PlainLayers.Conv(planes, weights.Values(Root + "embeddings.patch_embedding.weight"), null, Width, 32, 32, 0, rectify: false);
        var (first, positions) = (weights.Values(Root + "embeddings.class_embedding"), weights.Values(Root + "embeddings.position_embedding.weight"));
        var x = Enumerable.Range(0, Tokens).Select(t => Enumerable.Range(0, Width)
            .Select(c => (t == 0 ? first[c] : patches[c][(t - 1) / 7, (t - 1) % 7]) + positions[(t * Width) + c]).ToArray()).ToArray();
        x = Norm(x, Root + "pre_layrnorm");
        for (var i = 0; i < 12; i++)
        {
            var layer = $"{Root}encoder.layers.{i}.";
            var h = Norm(x, layer + "layer_norm1");
            var attended = Attend(Linear(h, layer + "self_attn.q_proj"), Linear(h, layer + "self_attn.k_proj"), Linear(h, layer + "self_attn.v_proj"));
            x = Sum(x, Linear(attended, layer + "self_attn.out_proj"));
            var inner = Linear(Norm(x, layer + "layer_norm2"), layer + "mlp.fc1").Select(row => row.Select(v => v / (1 + Math.Exp(-1.702 * v))).ToArray()).ToArray();
            x = Sum(x, Linear(inner, layer + "mlp.fc2"));
        }

        return PlainLayers.Linear([Norm(x, Root + "post_layernorm")[0]], weights.Values("visual_projection.weight"), null, 512)[0];

        double[][] Norm(double[][] rows, string name)
        {
            var (scale, shift) = (weights.Values(name + ".weight"), weights.Values(name + ".bias"));
            return [.. rows.Select(r => PlainLayers.LayerNorm(r, scale, shift))];
        }

        double[][] Linear(double[][] rows, string name) =>
            PlainLayers.Linear(rows, weights.Values(name + ".weight"), weights.Values(name + ".bias"), weights.ShapeOf(name + ".bias")[0]);
    }

    static double[][] Sum(double[][] a, double[][] b) => [.. a.Zip(b, (p, q) => p.Zip(q, (u, v) => u + v).ToArray())];

    static double[][] Attend(double[][] query, double[][] key, double[][] value)
    {
        var result = query.Select(_ => new double[Width]).ToArray();
        for (var head = 0; head < 12; head++)
        {
            for (var t = 0; t < Tokens; t++)
            {
                var channels = Enumerable.Range(head * 64, 64);
                var scores = key.Select(k => Math.Exp(channels.Sum(c => query[t][c] * k[c]) / 8)).ToArray();
                foreach (var c in channels)
                {
                    result[t][c] = scores.Zip(value, (s, v) => s * v[c]).Sum() / scores.Sum();
                }
            }
        }

        return result;
    }
}
