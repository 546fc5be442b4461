using FramePainter.Benchmarks.Cases;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Benchmarks.Peer;

/// <summary>How a value lies in the peer's memory.</summary>
internal enum Layout
{
    /// <summary><c>[images, C, H, W]</c>: what the runtime's convolutions and norms want.</summary>
    Planes,

    /// <summary><c>[images, tokens, C]</c>, or a table <c>[rows, C]</c>.</summary>
    Tokens,
}

/// <summary>How attention is written down.</summary>
internal enum AttentionForm
{
    /// <summary>The runtime's own fused operator.</summary>
    Fused,

    /// <summary>Products and a softmax, as exporters spell it out.</summary>
    SpelledOut,
}

/// <summary>
/// Writes one of our graphs, unfused, as an ONNX model the way an exporter of the original would: convolutions on planes, linear layers and
/// attention on tokens, a transposition where the two meet.
/// </summary>
internal sealed class OnnxTranslator(RandomWeights weights, AttentionForm form)
{
    readonly OnnxModel _model = new();
    readonly Dictionary<(Value Value, Layout Layout), string> _names = [];

    /// <summary>Stacked projections stay apart here: slicing them again would cost the peer copies.</summary>
    readonly Dictionary<Value, List<(int First, string Name)>> _parts = [];

    readonly Dictionary<Value, Layout> _inputs = [];
    Graph _graph = null!;

    /// <summary>The layout that each input is wanted in.</summary>
    public IReadOnlyDictionary<Value, Layout> Inputs => _inputs;

    /// <summary>The layout that the output <c>y</c> comes in.</summary>
    public Layout OutputLayout { get; private set; }

    /// <summary>The model's file.</summary>
    public byte[] Translate(Graph graph)
    {
        _graph = graph;
        foreach (var op in graph.Ops)
        {
            Write(op);
        }

        var y = graph.Output("y");
        OutputLayout = LayoutOf(y);
        _model.Output(Get(y, OutputLayout), "y", Dims(y.Shape, OutputLayout));
        return _model.ToBytes();
    }

    /// <summary>Extents of a value in a layout.</summary>
    public static long[] Dims(Shape s, Layout layout) => layout switch
    {
        Layout.Planes => [s[0], s[3], s[1], s[2]],
        _ => s.Rank == 2 ? [s[0], s[1]] : [s.Images, s.Tokens, s.Channels],
    };

    void Write(Op op)
    {
        switch (op)
        {
            case LinearOp linear: Linear(linear); break;
            case ConvOp conv: Conv(conv); break;
            case TemporalConvOp conv: TemporalConv(conv); break;
            case GroupNormOp norm: GroupNorm(norm); break;
            case LayerNormOp norm: LayerNorm(norm); break;
            case AttentionOp attention: Attention(attention); break;
            case TemporalAttentionOp attention: TemporalAttention(attention); break;
            case ActivateOp activate: Activate(activate); break;
            case BlendOp blend: Blend(blend); break;
            case AddRowsOp add: AddRows(add); break;
            default: throw new NotSupportedException($"{op.GetType().Name} '{op.Name}' has no translation.");
        }
    }

    void Linear(LinearOp op)
    {
        var x = Joined(op.Input, Layout.Tokens);
        if (op.ImageStride > 1)
        {
            x = Node("Slice", x, _model.Constant(0), _model.Constant(long.MaxValue), _model.Constant(0), _model.Constant(op.ImageStride));
        }

        if (op.Weight.Join == MatrixJoin.Outputs && op.Weight.Tensors.Length > 1)
        {
            var width = op.Weight.Outputs / op.Weight.Tensors.Length;
            _parts[op.Output] = [.. op.Weight.Tensors.Select((name, i) => (i * width, Product(x, [name], width, op.Weight.Inputs)))];
            return;
        }

        var y = Product(x, [.. op.Weight.Tensors], op.Weight.Outputs, op.Weight.Inputs);
        Set(op.Output, Layout.Tokens, op.Bias is null ? y : Node("Add", y, _model.Constant(Vector(op.Bias), op.Bias.Count)));
    }

    /// <summary>x·Wᵀ, with tensors side by side along the inputs.</summary>
    string Product(string x, string[] tensors, int outputs, int inputs)
    {
        var turned = new float[(long)inputs * outputs];
        var first = 0;
        foreach (var tensor in tensors)
        {
            var (w, k) = (weights.Floats(tensor), inputs / tensors.Length);
            for (var row = 0; row < k; row++)
            {
                for (var column = 0; column < outputs; column++)
                {
                    turned[((first + row) * outputs) + column] = w[(column * k) + row];
                }
            }

            first += k;
        }

        return Node("MatMul", x, _model.Constant(turned, inputs, outputs));
    }

    void Conv(ConvOp op)
    {
        var x = Joined(op.Input, Layout.Planes);
        if (op.Upsample)
        {
            x = _model.Node("Resize", [x, "", _model.Constant([1f, 1f, 2f, 2f], 4)], ("mode", "nearest"), ("nearest_mode", "floor"), ("coordinate_transformation_mode", "asymmetric"));
        }

        var p = op.Padding;
        Set(op.Output, Layout.Planes, _model.Node(
            "Conv",
            [x, _model.Constant(weights.Floats(op.Weight.Tensors[0]), op.Weight.Outputs, op.Weight.Inputs, op.KernelHeight, op.KernelWidth), .. Bias(op.Bias)],
            ("pads", new long[] { p.Top, p.Left, p.Bottom, p.Right }),
            ("strides", new long[] { op.Stride, op.Stride })));
    }

    /// <summary>A (3,1) convolution over [B, C, F, H·W].</summary>
    void TemporalConv(TemporalConvOp op)
    {
        var s = op.Output.Shape;
        long halves = s.Images / op.Frames, area = s.Tokens, k = op.Weight.Inputs;
        var x = Reshape(Joined(op.Input, Layout.Planes), halves, op.Frames, k, area);
        var y = _model.Node(
            "Conv",
            [Transpose(x, 0, 2, 1, 3), _model.Constant(weights.Floats(op.Weight.Tensors[0]), op.Weight.Outputs, k, 3, 1), .. Bias(op.Bias)],
            ("pads", new long[] { 1, 0, 1, 0 }));
        Set(op.Output, Layout.Planes, Reshape(Transpose(y, 0, 2, 1, 3), Dims(s, Layout.Planes)));
    }

    /// <summary>As exporters write it: an instance norm over groups, then the affine map.</summary>
    void GroupNorm(GroupNormOp op)
    {
        var s = op.Output.Shape;
        var x = Joined(op.Input, Layout.Planes);
        long images = s.Images / op.Frames;
        var grouped = op.Frames == 1 ? x : Transpose(Reshape(x, images, op.Frames, s.Channels, s.Tokens), 0, 2, 1, 3);
        var ones = Enumerable.Repeat(1f, op.Groups).ToArray();
        var normed = _model.Node(
            "InstanceNormalization",
            [Reshape(grouped, images, op.Groups, -1), _model.Constant(ones, op.Groups), _model.Constant(new float[op.Groups], op.Groups)],
            ("epsilon", op.Epsilon));
        if (op.Frames > 1)
        {
            normed = Transpose(Reshape(normed, images, s.Channels, op.Frames, s.Tokens), 0, 2, 1, 3);
        }

        var y = Reshape(normed, Dims(s, Layout.Planes));
        y = Node("Mul", y, _model.Constant(Vector(op.Gamma), s.Channels, 1, 1));
        Set(op.Output, Layout.Planes, Node("Add", y, _model.Constant(Vector(op.Beta), s.Channels, 1, 1)));
    }

    void LayerNorm(LayerNormOp op)
    {
        var c = op.Output.Shape.Channels;
        Set(op.Output, Layout.Tokens, _model.Node(
            "LayerNormalization", [Get(op.Input, Layout.Tokens), _model.Constant(Vector(op.Gamma), c), _model.Constant(Vector(op.Beta), c)], ("axis", -1), ("epsilon", op.Epsilon)));
    }

    void Attention(AttentionOp op)
    {
        var width = op.Heads * op.HeadDim;
        _parts[op.Output] = [(0, Heads(op.Self, op, width))];
        if (op.Matching is { } matching)
        {
            _parts[op.Output].Add((width, Heads(matching, op, width)));
        }
    }

    string Heads(Qkv set, AttentionOp op, int width)
    {
        var (images, sources) = (op.Output.Shape.Images, set.Key.Value.Shape.Images);
        string Spread(Channels c)
        {
            var part = Part(c, width);
            return images == sources ? part : Node("Gather", part, _model.Constant([.. Enumerable.Range(0, images).Select(n => (long)n * sources / images)]));
        }

        return Attend(Part(set.Query, width), Spread(set.Key), Spread(set.Value), op.Heads, op.HeadDim, images, op.Output.Shape.Tokens, set.Key.Value.Shape.Tokens);
    }

    string Attend(string query, string key, string value, int heads, int headDim, long images, long tokens, long keyTokens)
    {
        if (form == AttentionForm.Fused)
        {
            return _model.Node("MultiHeadAttention", [query, key, value], ("num_heads", heads));
        }

        string Split(string x, long count, params long[] order) => Transpose(Reshape(x, images, count, heads, headDim), order);
        var scores = Node("MatMul", Node("Mul", Split(query, tokens, 0, 2, 1, 3), _model.Constant([1 / MathF.Sqrt(headDim)])), Split(key, keyTokens, 0, 2, 3, 1));
        var attended = Node("MatMul", _model.Node("Softmax", [scores], ("axis", -1)), Split(value, keyTokens, 0, 2, 1, 3));
        return Reshape(Transpose(attended, 0, 2, 1, 3), images, tokens, heads * headDim);
    }

    /// <summary>Frames next to each other for every position, then attention over two tokens.</summary>
    void TemporalAttention(TemporalAttentionOp op)
    {
        var s = op.Output.Shape;
        long halves = s.Images / 2, tokens = s.Tokens, width = op.Heads * op.HeadDim;
        string ByPosition(Channels c) => Reshape(Transpose(Reshape(Part(c, (int)width), halves, 2, tokens, width), 0, 2, 1, 3), halves * tokens, 2, width);
        var y = Attend(ByPosition(op.Input.Query), ByPosition(op.Input.Key), ByPosition(op.Input.Value), op.Heads, op.HeadDim, halves * tokens, 2, 2);
        Set(op.Output, Layout.Tokens, Reshape(Transpose(Reshape(y, halves, tokens, 2, width), 0, 2, 1, 3), s.Images, tokens, width));
    }

    void Activate(ActivateOp op)
    {
        var layout = LayoutOf(op.Input);
        var x = Get(op.Input, layout);
        switch (op.Activation)
        {
            case Activation.Silu:
                Set(op.Output, layout, Node("Mul", x, Node("Sigmoid", x)));
                break;
            case Activation.Geglu:
                var (value, gate) = (_model.Fresh(), _model.Fresh());
                _model.Node("Split", [Get(op.Input, Layout.Tokens)], [value, gate], ("axis", -1));
                Set(op.Output, Layout.Tokens, Node("Mul", value, Node("Gelu", gate)));
                break;
            default:
                throw new NotSupportedException($"{op.Activation} has no translation.");
        }
    }

    void Blend(BlendOp op)
    {
        var layout = LayoutOf(op.Left) == LayoutOf(op.Right) ? LayoutOf(op.Left) : Layout.Planes;
        Set(op.Output, layout, Node("Add", Scaled(op.Left, op.LeftScale, layout), Scaled(op.Right, op.RightScale, layout)));
    }

    string Scaled(Value value, MixScale scale, Layout layout)
    {
        var factor = scale.Evaluate(scale.Mix is null ? 0 : weights.Floats(scale.Mix)[0]);
        return factor == 1 ? Get(value, layout) : Node("Mul", Get(value, layout), _model.Constant([factor]));
    }

    void AddRows(AddRowsOp op)
    {
        var (s, layout) = (op.Output.Shape, LayoutOf(op.Input));
        var rows = Get(op.Rows.Table, Layout.Tokens);
        long images = op.Rows.Table.Shape[0];
        if (images > 1)
        {
            images = s.Images;
            rows = Node("Gather", rows, _model.Constant([.. Enumerable.Range(0, s.Images).Select(i => (long)op.Rows.RowOf(i, s.Images))]));
        }

        var spread = layout == Layout.Planes ? Reshape(rows, images, s.Channels, 1, 1) : Reshape(rows, images, 1, s.Channels);
        Set(op.Output, layout, Node("Add", Get(op.Input, layout), spread));
    }

    float[] Vector(WeightVector vector)
    {
        var parts = vector.Tensors.Select(weights.Floats).ToArray();
        return vector.Join == VectorJoin.Sum ? [.. Enumerable.Range(0, vector.Count).Select(i => parts.Sum(p => p[i]))] : [.. parts.SelectMany(p => p)];
    }

    string[] Bias(WeightVector? bias) => bias is null ? [] : [_model.Constant(Vector(bias), bias.Count)];

    string Node(string op, params string[] inputs) => _model.Node(op, inputs);

    string Reshape(string x, params long[] dims) => Node("Reshape", x, _model.Constant(dims));

    string Transpose(string x, params long[] order) => _model.Node("Transpose", [x], ("perm", order));

    string Joined(Operand x, Layout layout) => x.Second is null
        ? Get(x.First, layout)
        : _model.Node("Concat", [Get(x.First, layout), Get(x.Second, layout)], ("axis", layout == Layout.Planes ? 1 : -1));

    string Part(Channels c, int width)
    {
        if (_parts.TryGetValue(c.Value, out var parts) && parts.Find(p => p.First == c.FirstChannel).Name is { } name)
        {
            return name;
        }

        return c.FirstChannel == 0 && c.Value.Shape.Channels == width
            ? Get(c.Value, Layout.Tokens)
            : Node("Slice", Get(c.Value, Layout.Tokens), _model.Constant(c.FirstChannel), _model.Constant(c.FirstChannel + width), _model.Constant(-1));
    }

    Layout LayoutOf(Value value) =>
        _names.ContainsKey((value, Layout.Planes)) ? Layout.Planes
        : _names.ContainsKey((value, Layout.Tokens)) || _parts.ContainsKey(value) || value.Shape.Rank < 4 ? Layout.Tokens : Layout.Planes;

    void Set(Value value, Layout layout, string name) => _names[(value, layout)] = name;

    string Get(Value value, Layout layout)
    {
        if (_names.TryGetValue((value, layout), out var name))
        {
            return name;
        }

        if (layout == Layout.Tokens && _parts.TryGetValue(value, out var parts))
        {
            name = parts.Count == 1 ? parts[0].Name : _model.Node("Concat", [.. parts.Select(p => p.Name)], ("axis", -1));
        }
        else if (_graph.Inputs.Contains(value) && !_inputs.ContainsKey(value))
        {
            _inputs.Add(value, layout);
            name = _model.Input(value.Name, Dims(value.Shape, layout));
        }
        else
        {
            var s = value.Shape;
            name = layout == Layout.Tokens
                ? Reshape(Transpose(Get(value, Layout.Planes), 0, 2, 3, 1), Dims(s, Layout.Tokens))
                : Transpose(Reshape(Get(value, Layout.Tokens), s[0], s[1], s[2], s[3]), 0, 3, 1, 2);
        }

        Set(value, layout, name);
        return name;
    }
}
