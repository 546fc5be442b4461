using System.Globalization;
using FramePainter.Graphs;
using FramePainter.Model;

namespace FramePainter.Benchmarks.Cases;

/// <summary>Shapes of the real network at 512×512 and 576×1024: two frames, two guidance halves.</summary>
internal static class RealShapes
{
    const int Frames = 2;
    const int ContextWidth = 1024;
    const int TimeWidth = 1280;

    static readonly Module s_attentions = new("attentions");

    public static IReadOnlyList<BenchmarkCase> All { get; } =
    [
        Linear(4608, 320, 2560, quick: true, Activation.Geglu),
        Linear(9216, 640, 640, quick: true),
        Linear(2304, 640, 5120, quick: true),
        Linear(576, 1280, 1280, quick: true),
        Conv(2, 72, 128, 320, quick: true),
        Conv(4, 16, 16, 640, quick: true),
        Conv(4, 8, 8, 1280, quick: true),
        Conv(4, 16, 16, 640, quick: true, upsample: true),
        Conv(4, 32, 32, 640, quick: false, stride: 2),
        Attention(4, 5, 4096, matching: false, quick: true),
        Attention(4, 5, 4096, matching: true, quick: false),
        Attention(4, 10, 1024, matching: false, quick: true),
        Attention(4, 10, 1024, matching: true, quick: true),
        new("group norm + SiLU 2x72x128x320", CaseGroup.Norm, true, g =>
            g.Output(g.Silu(g.GroupNorm(new Module("norm"), Picture(g, 2, 72, 128, 320), groups: 32, epsilon: 1e-5f)), "y")),
        ResNet(64, 320, quick: true),
        ResNet(32, 640, quick: true),
        Transformer(64, 320, exported: true),
        Transformer(64, 320, exported: false),
        Transformer(32, 640, exported: true),
        Transformer(32, 640, exported: false),
    ];

    /// <summary>The cases of a group.</summary>
    public static IEnumerable<BenchmarkCase> Of(CaseGroup group) => All.Where(c => c.Group == group);

    static BenchmarkCase Linear(int rows, int inputs, int outputs, bool quick, Activation activation = Activation.None) =>
        new(Text($"linear {rows}x{inputs}->{outputs}{(activation == Activation.Geglu ? " GEGLU" : "")}"), CaseGroup.Linear, quick, g =>
        {
            var y = g.Linear(new Module("linear"), g.Input("x", Rate.Step, 1, rows, inputs), outputs);
            g.Output(activation == Activation.None ? y : g.Activate(y, activation), "y");
        });

    static BenchmarkCase Conv(int images, int height, int width, int channels, bool quick, int stride = 1, bool upsample = false) =>
        new(Text($"conv 3x3 {images}x{height}x{width}x{channels}{(upsample ? " upsampled" : stride > 1 ? " stride 2" : "")}"), CaseGroup.Convolution, quick, g =>
            g.Output(g.Conv(new Module("conv"), Picture(g, images, height, width, channels), channels, stride, upsample: upsample), "y"));

    static BenchmarkCase Attention(int images, int heads, int tokens, bool matching, bool quick) =>
        new(Text($"attention {images}x{heads}x{tokens}x64{(matching ? " + matching" : "")}"), CaseGroup.Attention, quick, g =>
        {
            var channels = heads * 64;
            Channels Tokens(string name, int of) => new(g.Input(name, Rate.Step, of, tokens, channels));
            var self = new Qkv(Tokens("q", images), Tokens("k", images), Tokens("v", images));
            Qkv? second = matching ? new Qkv(Tokens("mq", images), Tokens("mk", images / Frames), Tokens("mv", images / Frames)) : null;
            g.Output(g.Attention(self, heads, 64, second), "y");
        });

    static BenchmarkCase ResNet(int side, int channels, bool quick) =>
        new(Text($"ResNet block {channels} at {side}x{side}"), CaseGroup.Block, quick, g =>
        {
            var time = new TimeRows(g.Input("time", Rate.Edit, 1, TimeWidth), null);
            g.Output(ResBlocks.SpatioTemporal(g, new Module("resnet"), Picture(g, 4, side, side, channels), channels, time, 32, 1e-5f, 1e-5f, Frames), "y");
        });

    /// <summary>Against the original's graph as exporters write it, or against ours, with fused attention and every exact saving given to the peer too.</summary>
    static BenchmarkCase Transformer(int side, int channels, bool exported) =>
        new(Text($"transformer block {channels} at {side}x{side}{(exported ? "" : ", peer with our savings")}"), CaseGroup.Block, exported, g =>
        {
            var inputs = new TransformerInputs(AttentionKind.Matching, g.Input("context", Rate.Edit, 2, ContextWidth), g.Input("frame_index", Rate.Edit, Frames));
            g.Output(TransformerBlocks.SpatioTemporal(g, s_attentions, Picture(g, 4, side, side, channels), 1, channels / 64, 32, inputs), "y");
        })
        {
            WriteExported = !exported ? null : g =>
            {
                var context = g.Input("context", Rate.Edit, 2, 1, ContextWidth);
                var position = TransformerBlocks.FramePosition(g, s_attentions, g.Input("frame_index", Rate.Edit, Frames), channels);
                g.Output(ExportedTransformer.Write(g, s_attentions, Picture(g, 4, side, side, channels), channels / 64, 32, context, position), "y");
            },
        };

    static Value Picture(GraphBuilder g, int images, int height, int width, int channels) => g.Input("x", Rate.Step, images, height, width, channels);

    static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
