using System.Collections.Immutable;
using FramePainter.Tensors;

namespace FramePainter.Graphs;

/// <summary>
/// Writes a graph down, op by op. Shapes are inferred and checked here, so that model code reads like the paper
/// and backends can trust what they get. Names of the current block are pushed with <see cref="Scope"/>.
/// </summary>
public sealed class GraphBuilder
{
    readonly List<Op> _ops = [];
    readonly List<Value> _inputs = [];
    readonly List<Value> _outputs = [];
    readonly Dictionary<Value, string> _outputNames = [];
    int _nextId;
    string _scope = "";

    /// <summary>Opens a block: until it is disposed, ops are named under it.</summary>
    /// <param name="name">The block's name.</param>
    public IDisposable Scope(string name)
    {
        var outer = _scope;
        _scope = outer.Length == 0 ? name : $"{outer}.{name}";
        return new ScopeEnd(this, outer);
    }

    /// <summary>Declares an input.</summary>
    /// <param name="name">Its name, unique among inputs.</param>
    /// <param name="rate">How often it changes.</param>
    /// <param name="extents">Its extents.</param>
    public Value Input(string name, Rate rate, params ReadOnlySpan<long> extents)
    {
        if (_inputs.Any(i => i.Name == name))
        {
            throw new ArgumentException($"There is an input '{name}' already.", nameof(name));
        }

        var value = new Value(_nextId++, name, new Shape(extents), rate);
        _inputs.Add(value);
        return value;
    }

    /// <summary>Declares a value to be an output of the graph.</summary>
    /// <param name="value">The value.</param>
    /// <param name="name">The name under which it is found; the returned value carries it.</param>
    public void Output(Value value, string name)
    {
        if (_outputNames.ContainsValue(name) || !_outputNames.TryAdd(value, name))
        {
            throw new ArgumentException($"'{name}' or the value behind it is an output already.", nameof(name));
        }

        _outputs.Add(value);
    }

    /// <summary>Ends the building.</summary>
    /// <param name="name">The graph's name.</param>
    public Graph Build(string name)
    {
        // Outputs get their public names by being replaced wholesale: a value's name never changes once made.
        var renamed = _outputs.ToDictionary(v => v, v => new Value(v.Id, _outputNames[v], v.Shape, v.Rate));
        var ops = _ops.Select(op => Rewriter.Replace(op, v => renamed.GetValueOrDefault(v, v))).ToImmutableArray();
        return new Graph(name, [.. _inputs], ops, [.. _outputs.Select(v => renamed[v])]);
    }

    /// <summary>Every position times a matrix.</summary>
    /// <param name="x">What is multiplied.</param>
    /// <param name="weight">The matrix.</param>
    /// <param name="bias">Added to the sum, or null.</param>
    /// <param name="imageStride">Only images 0, s, 2s, ... are read.</param>
    public Value Linear(Operand x, WeightMatrix weight, WeightVector? bias = null, int imageStride = 1)
    {
        Check(weight.Taps == 1 && weight.Inputs == x.Channels && x.Shape.Images % imageStride == 0, $"linear {weight.Key} on {x.Shape}");
        CheckBias(weight, bias);
        var shape = x.Shape.WithChannels(weight.Outputs).WithImages(x.Shape.Images / imageStride);
        return Add(shape, [x], o => new LinearOp { Name = Named(weight.Tensors[0]), Outputs = o, Input = x, Weight = weight, Bias = bias, ImageStride = imageStride });
    }

    /// <summary>Two-dimensional convolution.</summary>
    /// <param name="x">Pictures <c>[images, H, W, C]</c>.</param>
    /// <param name="weight">The kernel.</param>
    /// <param name="bias">Added to the sum, or null.</param>
    /// <param name="stride">Distance between outputs.</param>
    /// <param name="padding">Zeros around the input; 1 on every side when left out.</param>
    /// <param name="upsample">Double the input first.</param>
    /// <param name="kernel">Kernel height and width; 3 and 3 when left out.</param>
    public Value Conv(Operand x, WeightMatrix weight, WeightVector? bias = null, int stride = 1, Padding? padding = null, bool upsample = false, (int Height, int Width)? kernel = null)
    {
        var (kernelHeight, kernelWidth) = kernel ?? (3, 3);
        var pad = padding ?? Padding.Same(1);
        var scale = upsample ? 2 : 1;
        Check(x.Shape.Rank == 4 && weight.Inputs == x.Channels && weight.Taps == kernelHeight * kernelWidth, $"convolution {weight.Key} on {x.Shape}");
        CheckBias(weight, bias);
        var height = (x.Shape[1] * scale) + pad.Top + pad.Bottom - kernelHeight;
        var width = (x.Shape[2] * scale) + pad.Left + pad.Right - kernelWidth;
        Check(height >= 0 && width >= 0, $"a {kernelHeight}x{kernelWidth} kernel on {x.Shape}");
        var shape = new Shape(x.Shape.Images, (height / stride) + 1, (width / stride) + 1, weight.Outputs);
        return Add(shape, [x], o => new ConvOp
        {
            Name = Named(weight.Tensors[0]), Outputs = o, Input = x, Weight = weight, Bias = bias,
            KernelHeight = kernelHeight, KernelWidth = kernelWidth, Stride = stride, Padding = pad, Upsample = upsample,
        });
    }

    /// <summary>Convolution over the frames of a half.</summary>
    /// <param name="x">Images, frames fastest.</param>
    /// <param name="weight">The kernel, three taps.</param>
    /// <param name="bias">Added to the sum, or null.</param>
    /// <param name="frames">Frames of a half.</param>
    public Value TemporalConv(Value x, WeightMatrix weight, WeightVector? bias, int frames)
    {
        Check(weight.Taps == 3 && weight.Inputs == x.Shape.Channels && x.Shape.Images % frames == 0, $"temporal convolution {weight.Key} on {x.Shape}");
        CheckBias(weight, bias);
        return Add(x.Shape.WithChannels(weight.Outputs), [x], o => new TemporalConvOp { Name = Named(weight.Tensors[0]), Outputs = o, Input = x, Weight = weight, Bias = bias, Frames = frames });
    }

    /// <summary>Group normalisation.</summary>
    /// <param name="x">What is normalised.</param>
    /// <param name="gamma">Factor per channel.</param>
    /// <param name="beta">Shift per channel.</param>
    /// <param name="groups">Groups of channels.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="frames">Consecutive images that share mean and variance.</param>
    public Value GroupNorm(Operand x, WeightVector gamma, WeightVector beta, int groups, float epsilon, int frames = 1)
    {
        Check(x.Channels % groups == 0 && gamma.Count == x.Channels && beta.Count == x.Channels && x.Shape.Images % frames == 0, $"{groups} groups over {x.Shape}");
        return Add(x.Shape, [x], o => new GroupNormOp { Name = Named(gamma.Tensors[0]), Outputs = o, Input = x, Gamma = gamma, Beta = beta, Groups = groups, Epsilon = epsilon, Frames = frames });
    }

    /// <summary>Layer normalisation over channels.</summary>
    /// <param name="x">What is normalised.</param>
    /// <param name="gamma">Factor per channel.</param>
    /// <param name="beta">Shift per channel.</param>
    /// <param name="epsilon">Added to the variance.</param>
    public Value LayerNorm(Value x, WeightVector gamma, WeightVector beta, float epsilon)
    {
        Check(gamma.Count == x.Shape.Channels && beta.Count == x.Shape.Channels, $"layer norm over {x.Shape}");
        return Add(x.Shape, [x], o => new LayerNormOp { Name = Named(gamma.Tensors[0]), Outputs = o, Input = x, Gamma = gamma, Beta = beta, Epsilon = epsilon });
    }

    /// <summary>Attention, with or without matching heads.</summary>
    /// <param name="self">The first set of heads.</param>
    /// <param name="heads">Heads of each set.</param>
    /// <param name="headDim">Channels of one head.</param>
    /// <param name="matching">The matching heads, or null.</param>
    public Value Attention(Qkv self, int heads, int headDim, Qkv? matching = null)
    {
        CheckQkv(self, heads * headDim);
        if (matching is { } second)
        {
            CheckQkv(second, heads * headDim);
        }

        var query = self.Query.Value.Shape;
        var shape = query.WithChannels(heads * headDim * (matching is null ? 1 : 2));
        Value[] read = [self.Query.Value, self.Key.Value, self.Value.Value, .. matching is { } m ? new[] { m.Query.Value, m.Key.Value, m.Value.Value } : []];
        return Add(shape, [.. read.Select(v => (Operand)v)], o => new AttentionOp { Name = Named("attention"), Outputs = o, Self = self, Matching = matching, Heads = heads, HeadDim = headDim });
    }

    /// <summary>Attention probabilities, written out.</summary>
    /// <param name="query">Queries.</param>
    /// <param name="key">Keys.</param>
    /// <param name="heads">Heads.</param>
    /// <param name="headDim">Channels of one head.</param>
    public Value AttentionProbabilities(Channels query, Channels key, int heads, int headDim)
    {
        CheckQkv(new Qkv(query, key, key), heads * headDim);
        var shape = new Shape(query.Value.Shape.Images, heads, query.Value.Shape.Tokens, key.Value.Shape.Tokens);
        return Add(shape, [query.Value, key.Value], o => new AttentionProbabilitiesOp { Name = Named("probabilities"), Outputs = o, Query = query, Key = key, Heads = heads, HeadDim = headDim });
    }

    /// <summary>Attention over the two frames of a half.</summary>
    /// <param name="input">Queries, keys and values.</param>
    /// <param name="heads">Heads.</param>
    /// <param name="headDim">Channels of one head.</param>
    public Value TemporalAttention(Qkv input, int heads, int headDim)
    {
        CheckQkv(input, heads * headDim);
        var query = input.Query.Value.Shape;
        Check(query.Images % 2 == 0 && input.Key.Value.Shape.Images == query.Images, $"temporal attention over two frames of {query}");
        return Add(query.WithChannels(heads * headDim), [input.Query.Value, input.Key.Value, input.Value.Value],
            o => new TemporalAttentionOp { Name = Named("temporal_attention"), Outputs = o, Input = input, Heads = heads, HeadDim = headDim });
    }

    /// <summary>An activation.</summary>
    /// <param name="x">What it is applied to.</param>
    /// <param name="activation">The function.</param>
    public Value Activate(Value x, Activation activation)
    {
        Check(activation != Activation.Geglu || x.Shape.Channels % 2 == 0, $"GEGLU on {x.Shape}");
        var shape = activation == Activation.Geglu ? x.Shape.WithChannels(x.Shape.Channels / 2) : x.Shape;
        return Add(shape, [x], o => new ActivateOp { Name = Named("activation"), Outputs = o, Input = x, Activation = activation });
    }

    /// <summary>The sum of two values of one shape.</summary>
    /// <param name="left">First value.</param>
    /// <param name="right">Second value.</param>
    public Value Add(Value left, Value right) => Blend(left, MixScale.One, right, MixScale.One);

    /// <summary>The weighted sum of two values of one shape.</summary>
    /// <param name="left">First value.</param>
    /// <param name="leftScale">Its factor.</param>
    /// <param name="right">Second value.</param>
    /// <param name="rightScale">Its factor.</param>
    public Value Blend(Value left, MixScale leftScale, Value right, MixScale rightScale)
    {
        Check(left.Shape == right.Shape, $"a sum of {left.Shape} and {right.Shape}");
        return Add(left.Shape, [left, right], o => new BlendOp { Name = Named("add"), Outputs = o, Left = left, Right = right, LeftScale = leftScale, RightScale = rightScale });
    }

    /// <summary>Adds a row of a table to every position of an image.</summary>
    /// <param name="x">The images.</param>
    /// <param name="table">The rows.</param>
    /// <param name="order">Which row an image reads.</param>
    public Value AddRows(Value x, Value table, RowOrder order = RowOrder.ByRun)
    {
        Check(table.Shape.Rank == 2 && table.Shape.Channels == x.Shape.Channels && x.Shape.Images % table.Shape[0] == 0, $"rows {table.Shape} added to {x.Shape}");
        var rows = new RowTable(table, order);
        return Add(x.Shape, [x, table], o => new AddRowsOp { Name = Named("add_rows"), Outputs = o, Input = x, Rows = rows });
    }

    /// <summary>Adds the source frame's tokens at source points to the other frames' tokens at target points, in the last half.</summary>
    /// <param name="x">The features.</param>
    /// <param name="points">Source and target of each point, <c>[n, 4]</c>.</param>
    /// <param name="frames">Frames of a half.</param>
    public Value AddTokens(Value x, Value points, int frames)
    {
        Check(
            x.Shape.Rank == 4 && x.Shape.Tokens > 0 && frames > 0 && x.Shape.Images % frames == 0 && points.Shape.Rank == 2 && points.Shape.Channels == AddTokensOp.Columns,
            $"points {points.Shape} on {x.Shape}");
        return Add(x.Shape, [x, points], o => new AddTokensOp { Name = Named("add_tokens"), Outputs = o, Input = x, Points = points, Frames = frames });
    }

    /// <summary>Multiplies by one of a row of scalars.</summary>
    /// <param name="x">What is scaled.</param>
    /// <param name="scalars">The row.</param>
    /// <param name="column">Which scalar.</param>
    public Value Scale(Value x, Value scalars, int column)
    {
        Check(column >= 0 && column < scalars.Shape.Count, $"scalar {column} of {scalars.Shape}");
        return Add(x.Shape, [x, scalars], o => new ScaleOp { Name = Named("scale"), Outputs = o, Input = x, Scalars = scalars, Column = column });
    }

    /// <summary>Normalises control features and pools them to the U-Net's size.</summary>
    /// <param name="control">Control features.</param>
    /// <param name="height">The U-Net's height at the join.</param>
    /// <param name="width">The U-Net's width at the join.</param>
    public Value ControlPool(Value control, int height, int width)
    {
        Check(control.Shape.Rank == 4 && control.Shape.Tokens * (long)control.Shape.Channels > 1, $"control features {control.Shape}");
        return Add(new Shape(control.Shape.Images, height, width, control.Shape.Channels), [control], o => new ControlPoolOp { Name = Named("control_pool"), Outputs = o, Input = control });
    }

    /// <summary>Aligns pooled control features with the U-Net's and adds them.</summary>
    /// <param name="x">The U-Net's features.</param>
    /// <param name="control">Pooled control features of the last images.</param>
    /// <param name="scales">Control scale of each control image.</param>
    public Value ControlAlign(Value x, Value control, Value scales)
    {
        Check(
            x.Shape.WithImages(control.Shape.Images) == control.Shape && control.Shape.Images <= x.Shape.Images && scales.Shape.Count == control.Shape.Images,
            $"control features {control.Shape} with {scales.Shape} scales joined to {x.Shape}");
        return Add(x.Shape, [x, control, scales], o => new ControlAlignOp { Name = Named("control_align"), Outputs = o, Input = x, Control = control, Scales = scales });
    }

    /// <summary>Sinusoidal embedding of numbers.</summary>
    /// <param name="x">The numbers.</param>
    /// <param name="dim">Channels of each.</param>
    /// <param name="rows">Rows of the output table; they hold all numbers' channels in order.</param>
    public Value Sinusoid(Value x, int dim, int rows)
    {
        Check(dim % 2 == 0 && x.Shape.Count % rows == 0, $"a sinusoid of {dim} channels for {x.Shape} in {rows} rows");
        return Add(new Shape(rows, x.Shape.Count / rows * dim), [x], o => new SinusoidOp { Name = Named("sinusoid"), Outputs = o, Input = x, Dim = dim });
    }

    /// <summary>A row of a table, picked at run time.</summary>
    /// <param name="table">The table.</param>
    /// <param name="index">One element: the row.</param>
    /// <param name="row">What a row is; the innermost extent as <c>[1, C]</c> when left out.</param>
    public Value SelectRow(Value table, Value index, Shape? row = null)
    {
        var shape = row ?? new Shape(1, table.Shape.Channels);
        Check(index.Shape.Count == 1 && shape.Count > 0 && table.Shape.Count % shape.Count == 0, $"a row {shape} of {table.Shape}");
        return Add(shape, [table, index], o => new SelectRowOp { Name = Named("select_row"), Outputs = o, Table = table, Index = index });
    }

    /// <summary>A fixed row of a table.</summary>
    /// <param name="table">The table.</param>
    /// <param name="row">The row.</param>
    public Value SelectRow(Value table, int row)
    {
        Check(row >= 0 && row < table.Shape.Count / table.Shape.Channels, $"row {row} of {table.Shape}");
        return Add(new Shape(1, table.Shape.Channels), [table], o => new SelectRowOp { Name = Named("select_row"), Outputs = o, Table = table, Row = row });
    }

    /// <summary>CLIP's tokens: class embedding before the patches, positions added.</summary>
    /// <param name="patches">Patch features.</param>
    /// <param name="classEmbedding">The class embedding.</param>
    /// <param name="positions">Position embeddings of all tokens.</param>
    public Value ClassToken(Value patches, WeightVector classEmbedding, WeightVector positions)
    {
        var (tokens, channels) = (patches.Shape.Tokens + 1, patches.Shape.Channels);
        Check(classEmbedding.Count == channels && positions.Count == tokens * channels, $"{positions.Count} position values for {patches.Shape}");
        return Add(new Shape(patches.Shape.Images, tokens, channels), [patches], o => new ClassTokenOp { Name = Named("embeddings"), Outputs = o, Patches = patches, Class = classEmbedding, Positions = positions });
    }

    /// <summary>Makes both guidance halves of what they share.</summary>
    /// <param name="shared">Shared features of all frames.</param>
    /// <param name="conditional">Added in the conditional half.</param>
    /// <param name="halves">1 or 2.</param>
    public Value JoinHalves(Value shared, Value conditional, int halves)
    {
        Check(halves is 1 or 2 && conditional.Shape == shared.Shape.WithImages(1), $"{conditional.Shape} joined to {shared.Shape}");
        return Add(shared.Shape.WithImages(halves * shared.Shape.Images), [shared, conditional], o => new JoinHalvesOp { Name = Named("join_halves"), Outputs = o, Shared = shared, Conditional = conditional, Halves = halves });
    }

    /// <summary>Guidance and one Euler step.</summary>
    /// <param name="velocity">The network's output, one or two halves.</param>
    /// <param name="latents">Latents before the step.</param>
    /// <param name="scalars">σ, σ', guidance weight, input scale.</param>
    public Value Euler(Value velocity, Value latents, Value scalars)
    {
        var halves = velocity.Shape.Images / Math.Max(latents.Shape.Images, 1);
        Check(halves is 1 or 2 && velocity.Shape == latents.Shape.WithImages(halves * latents.Shape.Images) && scalars.Shape.Count == 4, $"an Euler step of {latents.Shape} along {velocity.Shape}");
        return Add(latents.Shape, [velocity, latents, scalars], o => new EulerOp { Name = Named("euler"), Outputs = o, Velocity = velocity, Latents = latents, Scalars = scalars });
    }

    Value Add(Shape shape, ReadOnlySpan<Operand> read, Func<ImmutableArray<Value>, Op> make)
    {
        var rate = Rate.Edit;
        foreach (var operand in read)
        {
            rate = (Rate)Math.Max((int)rate, Math.Max((int)operand.First.Rate, (int)(operand.Second?.Rate ?? Rate.Edit)));
            Check(operand.Second is null || operand.First.Shape == operand.Second.Shape.WithChannels(operand.First.Shape.Channels), $"{operand.First.Shape} beside {operand.Second?.Shape}");
        }

        var value = Make(shape, rate);
        _ops.Add(make([value]));
        return value;
    }

    Value Make(Shape shape, Rate rate) => new(_nextId, $"%{_nextId++}", shape, rate);

    string Named(string last)
    {
        var name = last.EndsWith(".weight", StringComparison.Ordinal) ? last[..^".weight".Length] : last;
        return _scope.Length == 0 || name.Contains('.', StringComparison.Ordinal) ? name : $"{_scope}.{name}";
    }

    static void CheckBias(WeightMatrix weight, WeightVector? bias) =>
        Check(bias is null || bias.Count == weight.Outputs, $"a bias of {bias?.Count} for {weight.Key}");

    static void CheckQkv(Qkv set, int width)
    {
        var (query, key, value) = (set.Query.Value.Shape, set.Key.Value.Shape, set.Value.Value.Shape);
        Check(
            set.Query.FirstChannel + width <= query.Channels && set.Key.FirstChannel + width <= key.Channels
            && set.Value.FirstChannel + width <= value.Channels && key.Images == value.Images && key.Tokens == value.Tokens
            && key.Images > 0 && query.Images % key.Images == 0,
            $"attention of {width} channels with queries {query}, keys {key}, values {value}");
    }

    static void Check(bool fits, string what)
    {
        if (!fits)
        {
            throw new ArgumentException($"The graph does not fit together: {what}.", nameof(what));
        }
    }

    sealed class ScopeEnd(GraphBuilder builder, string outer) : IDisposable
    {
        public void Dispose() => builder._scope = outer;
    }
}
