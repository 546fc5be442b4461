using System.Globalization;
using FramePainter.Graphs;
using FramePainter.Model;
using FramePainter.Weights;

namespace FramePainter.Goldens;

/// <summary>Kinds that run a network or a block of one, written with the product's own model code.</summary>
internal static class NetworkKinds
{
    public static IReadOnlyDictionary<string, Func<NetworkCase, Dictionary<string, GoldenTensor>>> All { get; } =
        new Dictionary<string, Func<NetworkCase, Dictionary<string, GoldenTensor>>>(StringComparer.Ordinal)
        {
            ["clip"] = c => WithModel(c, m => c.Graph.Output(ClipVision.Build(c.Graph, m.Clip, c.Picture("pixel_values")), "image_embeds")),
            ["vae_encode"] = c => WithModel(c, m => c.PictureOutput(Vae.Encode(c.Graph, m.Vae, c.Picture("image")), "latents")),
            ["vae_decode"] = c => WithModel(c, m => c.PictureOutput(Vae.Decode(c.Graph, m.Vae, c.Picture("latents")), "frames")),
            ["control_encoder"] = ControlEncoderCase,
            ["control_align"] = ControlAlign,
            ["resnet_block"] = ResBlock,
            ["downsample"] = c => WithModel(c, _ => Conv(c, stride: 2, upsample: false)),
            ["upsample"] = c => WithModel(c, _ => Conv(c, stride: 1, upsample: true)),
            ["matching_block"] = MatchingBlock,
            ["transformer"] = Transformer,
            ["unet"] = UNetCase,
        };

    static Dictionary<string, GoldenTensor> WithModel(NetworkCase c, Action<Checkpoint> write)
    {
        using var model = Checkpoint.Open(c.Golden.ModelFolder);
        write(model);
        return c.Run(model);
    }

    static void Conv(NetworkCase c, int stride, bool upsample)
    {
        var x = c.Picture("x");
        c.PictureOutput(c.Graph.Conv(c.Prefix["conv"], x, x.Shape.Channels, stride, upsample: upsample), "y");
    }

    static Dictionary<string, GoldenTensor> ControlEncoderCase(NetworkCase c) => WithModel(c, m =>
    {
        var table = ControlEncoder.TimeTable(c.Graph, m.Control, c.Numbers("t", c.Golden.Args.GetProperty("timestep").GetSingle()));
        c.PictureOutput(ControlEncoder.Build(c.Graph, m.Control, c.Picture("frames"), new TimeRows(table, null)), "control");
    });

    static Dictionary<string, GoldenTensor> ControlAlign(NetworkCase c)
    {
        var x = c.Picture("sample");
        var control = c.Graph.ControlPool(c.Picture("control"), x.Shape[1], x.Shape[2]);
        c.PictureOutput(c.Graph.ControlAlign(x, control, c.Plain("scale")), "y");
        return c.Run(null);
    }

    static Dictionary<string, GoldenTensor> ResBlock(NetworkCase c) => WithModel(c, m =>
    {
        using var handle = m.Open($"{c.Prefix.Path}.spatial_res_block.conv2.weight");
        var epsilon = EpsilonOf(m, c.Prefix);
        var time = new TimeRows(c.Graph.Silu(c.Plain("temb")), null);
        var frames = c.Golden.Args.GetProperty("frames").GetInt32();
        c.PictureOutput(ResBlocks.SpatioTemporal(c.Graph, c.Prefix, c.Picture("x"), handle.View.Shape[0], time, m.UNet.NormGroups, epsilon, epsilon, frames), "y");
    });

    static Dictionary<string, GoldenTensor> MatchingBlock(NetworkCase c) => WithModel(c, m =>
    {
        var (g, x, heads) = (c.Graph, c.Plain("x"), HeadsOf(m, c.Prefix));
        var frames = c.Golden.Args.GetProperty("frames").GetInt32();
        g.Output(TransformerBlocks.Spatial(g, c.Prefix, x, heads, c.Transformer(AttentionKind.Matching, frames)), "y");

        var (channels, matching) = (x.Shape.Channels, c.Prefix["sparse_attention"]);
        var normed = g.LayerNorm(c.Prefix["norm1"], x);
        var query = g.Linear(matching["to_q"], normed, channels, bias: false);
        var key = g.Linear(matching["to_k"], normed, channels, bias: false, imageStride: frames);
        g.Output(g.AttentionProbabilities(new(query), new(key), heads, channels / heads), "matching_probabilities");
    });

    static Dictionary<string, GoldenTensor> Transformer(NetworkCase c) => WithModel(c, m =>
    {
        var inputs = c.Transformer(AttentionKind.Matching, c.Golden.Args.GetProperty("frames").GetInt32());
        c.PictureOutput(TransformerBlocks.SpatioTemporal(c.Graph, c.Prefix, c.Picture("x"), m.UNet.TransformerLayers[LevelOf(m, c.Prefix)], HeadsOf(m, c.Prefix), m.UNet.NormGroups, inputs), "y");
    });

    static Dictionary<string, GoldenTensor> UNetCase(NetworkCase c)
    {
        var want = c.Golden.Outputs["noise"].Shape;
        var outputs = WithModel(c, m =>
        {
            var kind = c.Golden.Args.GetProperty("attention").GetString() switch
            {
                "matching" => AttentionKind.Matching,
                "cross_frame" => AttentionKind.CrossFrame,
                "temporal" => AttentionKind.Temporal,
                var other => throw new NotSupportedException($"There is no attention '{other}'."),
            };
            var (g, x) = (c.Graph, c.Picture("sample"));
            var time = c.Numbers("t", c.Golden.Args.GetProperty("timestep").GetSingle());
            var net = new UNet(m.UNet, c.Transformer(kind), new TimeRows(UNet.TimeTable(g, m.UNet, time, c.Plain("added_time_ids")), null));
            var control = g.ControlPool(c.Picture("control"), UNet.JoinExtent(m.UNet, x.Shape[1]), UNet.JoinExtent(m.UNet, x.Shape[2]));
            c.PictureOutput(net.Body(g, net.ConvIn(g, x), new ControlFeatures(control, c.Plain("scale"))).Prediction, "noise");
        });

        // Batch and frames apart again.
        var noise = outputs["noise"];
        return HostKinds.One("noise", noise.As([want[0], noise.Shape[0] / want[0], .. noise.Shape[1..]]));
    }

    /// <summary>The level of a block, outermost 0, by its place in the U-Net.</summary>
    static int LevelOf(Checkpoint model, Module module)
    {
        var parts = module.Path.Split('.');
        return parts[1] switch
        {
            "down_blocks" => int.Parse(parts[2], CultureInfo.InvariantCulture),
            "up_blocks" => model.UNet.Levels - 1 - int.Parse(parts[2], CultureInfo.InvariantCulture),
            _ => model.UNet.Levels - 1,
        };
    }

    static int HeadsOf(Checkpoint model, Module module) => model.UNet.AttentionHeads[LevelOf(model, module)];

    /// <summary>1e-6 in down blocks with attention and in all up blocks, else 1e-5.</summary>
    static float EpsilonOf(Checkpoint model, Module module) => module.Path.Split('.')[1] switch
    {
        "up_blocks" => 1e-6f,
        "down_blocks" when model.UNet.DownAttention[LevelOf(model, module)] => 1e-6f,
        _ => 1e-5f,
    };
}
