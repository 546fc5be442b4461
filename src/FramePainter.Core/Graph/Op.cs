using System.Collections.Immutable;

namespace FramePainter.Graphs;

/// <summary>
/// One operation of a graph. The set is closed: every backend implements every kind below, and the
/// double-precision oracle in the tests defines what each means. All tensors are dense float32.
/// </summary>
public abstract record Op
{
    /// <summary>Where in the model it stands, for people.</summary>
    public required string Name { get; init; }

    /// <summary>What it writes; one value for nearly all.</summary>
    public required ImmutableArray<Value> Outputs { get; init; }

    /// <summary>The first value it writes.</summary>
    public Value Output => Outputs[0];

    /// <summary>Every value it reads, in a fixed order.</summary>
    public abstract IEnumerable<Value> Inputs { get; }

    /// <summary>Floating-point operations of its products, 2 per multiply-add; 0 for ops without products.</summary>
    public virtual double Flops => 0;

    private protected static IEnumerable<Value> Of(Operand operand) =>
        operand.Second is null ? [operand.First] : [operand.First, operand.Second];

    private protected static IEnumerable<Value> Of(Value? value) => value is null ? [] : [value];
}

/// <summary>An op that multiplies by a weight matrix and may carry an <see cref="Graphs.Epilogue"/>.</summary>
public abstract record ProductOp : Op
{
    /// <summary>What is multiplied; two values count as concatenated along channels.</summary>
    public required Operand Input { get; init; }

    /// <summary>The matrix.</summary>
    public required WeightMatrix Weight { get; init; }

    /// <summary>Added to the sum, or null.</summary>
    public WeightVector? Bias { get; init; }

    /// <summary>What happens to the sum before it is stored.</summary>
    public Epilogue Epilogue { get; init; } = Epilogue.None;

    /// <inheritdoc/>
    public override IEnumerable<Value> Inputs => Of(Input).Concat(Epilogue.Values);
}

/// <summary>Every position times the matrix: <c>out[r] = W·in[r] + b</c>. Also a 1×1 convolution.</summary>
public sealed record LinearOp : ProductOp
{
    /// <summary>Only images 0, s, 2s, ... are read (s = 2: frame 0 of each half); the output has images/s of them. 1 reads all.</summary>
    public int ImageStride { get; init; } = 1;

    /// <inheritdoc/>
    public override double Flops => 2.0 * (Output.Shape.Count / Output.Shape.Channels) * Weight.Outputs * Weight.Inputs;
}

/// <summary>Zeros added around a picture before a convolution, in positions.</summary>
/// <param name="Top">Rows above.</param>
/// <param name="Left">Columns to the left.</param>
/// <param name="Bottom">Rows below.</param>
/// <param name="Right">Columns to the right.</param>
public readonly record struct Padding(int Top, int Left, int Bottom, int Right)
{
    /// <summary>The same on every side.</summary>
    /// <param name="all">Positions on each side.</param>
    public static Padding Same(int all) => new(all, all, all, all);
}

/// <summary>Two-dimensional convolution (cross-correlation, as in PyTorch) over <c>[images, H, W, C]</c>; taps are kernel rows by columns.</summary>
public sealed record ConvOp : ProductOp
{
    /// <summary>Kernel height.</summary>
    public int KernelHeight { get; init; } = 3;

    /// <summary>Kernel width.</summary>
    public int KernelWidth { get; init; } = 3;

    /// <summary>Distance between outputs, both ways.</summary>
    public int Stride { get; init; } = 1;

    /// <summary>Zeros around the (upsampled) input.</summary>
    public Padding Padding { get; init; } = Padding.Same(1);

    /// <summary>The input is read as if each position were doubled in both directions first (nearest neighbour).</summary>
    public bool Upsample { get; init; }

    /// <inheritdoc/>
    public override double Flops => 2.0 * (Output.Shape.Count / Output.Shape.Channels) * Weight.Outputs * Weight.Inputs * Weight.Taps;
}

/// <summary>Convolution over time, kernel (3,1,1): <c>out[f] = W₀·in[f−1] + W₁·in[f] + W₂·in[f+1]</c>, zeros beyond the first and last frame of a half.</summary>
public sealed record TemporalConvOp : ProductOp
{
    /// <summary>Frames of a half; images are a multiple of it. Two frames use two of the three taps each.</summary>
    public required int Frames { get; init; }

    /// <inheritdoc/>
    public override double Flops =>
        2.0 * (Output.Shape.Count / Output.Shape.Channels) * Weight.Outputs * Weight.Inputs * (3 - (2.0 / Frames));
}

/// <summary>Group normalisation, then an affine map per channel, then an activation. Mean and variance (biased) over the channels of a group and all positions.</summary>
public sealed record GroupNormOp : Op
{
    /// <summary>What is normalised; groups run over the concatenated channels and may straddle the seam.</summary>
    public required Operand Input { get; init; }

    /// <summary>Factor per channel.</summary>
    public required WeightVector Gamma { get; init; }

    /// <summary>Shift per channel.</summary>
    public required WeightVector Beta { get; init; }

    /// <summary>How many groups the channels form.</summary>
    public required int Groups { get; init; }

    /// <summary>Added to the variance.</summary>
    public required float Epsilon { get; init; }

    /// <summary>So many consecutive images share mean and variance: 1, or the frames of a half in temporal blocks.</summary>
    public int Frames { get; init; } = 1;

    /// <summary>Applied at the end.</summary>
    public Activation Activation { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<Value> Inputs => Of(Input);
}

/// <summary>Layer normalisation over channels, then an affine map per channel. An optional row is added to the input first.</summary>
public sealed record LayerNormOp : Op
{
    /// <summary>What is normalised.</summary>
    public required Value Input { get; init; }

    /// <summary>Factor per channel.</summary>
    public required WeightVector Gamma { get; init; }

    /// <summary>Shift per channel.</summary>
    public required WeightVector Beta { get; init; }

    /// <summary>Added to the variance (biased).</summary>
    public required float Epsilon { get; init; }

    /// <summary>Added to every position of an image before normalising, or null.</summary>
    public RowTable? Rows { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<Value> Inputs => [Input, .. Of(Rows?.Table)];
}

/// <summary>Queries, keys and values of one attention, each <c>heads·headDim</c> channels, heads one behind the other.</summary>
/// <param name="Query">Queries, of all images.</param>
/// <param name="Key">Keys. With fewer images than the queries, image n reads image ⌊n·keyImages/images⌋: frame 0 of its own half.</param>
/// <param name="Value">Values, with the images of the keys.</param>
public readonly record struct Qkv(Channels Query, Channels Key, Channels Value);

/// <summary>
/// Scaled dot-product attention, softmax(q·kᵀ/√headDim)·v per image and head.
/// With <see cref="Matching"/> a second set of heads (matching attention, paper section 3.3) is computed in the same op
/// and stored behind the first: the output has <c>2·heads·headDim</c> channels and one linear op sums both projections.
/// </summary>
public sealed record AttentionOp : Op
{
    /// <summary>The first set of heads.</summary>
    public required Qkv Self { get; init; }

    /// <summary>The matching heads, or null.</summary>
    public Qkv? Matching { get; init; }

    /// <summary>Heads of each set.</summary>
    public required int Heads { get; init; }

    /// <summary>Channels of one head.</summary>
    public required int HeadDim { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<Value> Inputs =>
        new[] { Self.Query.Value, Self.Key.Value, Self.Value.Value, Matching?.Query.Value, Matching?.Key.Value, Matching?.Value.Value }
            .OfType<Value>();

    /// <inheritdoc/>
    public override double Flops
    {
        get
        {
            double Pairs(Qkv set) => (double)Output.Shape.Images * Output.Shape.Tokens * set.Key.Value.Shape.Tokens;
            return 4.0 * Heads * HeadDim * (Pairs(Self) + (Matching is { } matching ? Pairs(matching) : 0));
        }
    }
}

/// <summary>The probabilities of one set of heads, written out: <c>[images, heads, tokens, key tokens]</c>. For seeing the correspondence, not for speed.</summary>
public sealed record AttentionProbabilitiesOp : Op
{
    /// <summary>Queries.</summary>
    public required Channels Query { get; init; }

    /// <summary>Keys, images mapped as in <see cref="Qkv"/>.</summary>
    public required Channels Key { get; init; }

    /// <summary>Heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Channels of one head.</summary>
    public required int HeadDim { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<Value> Inputs => [Query.Value, Key.Value];
}

/// <summary>Attention over the two frames of a half at the same position and head: a two-key softmax in closed form. All three inputs have the output's images.</summary>
public sealed record TemporalAttentionOp : Op
{
    /// <summary>Queries, keys and values.</summary>
    public required Qkv Input { get; init; }

    /// <summary>Heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Channels of one head.</summary>
    public required int HeadDim { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<Value> Inputs => [Input.Query.Value, Input.Key.Value, Input.Value.Value];
}

/// <summary>An activation on its own.</summary>
public sealed record ActivateOp : Op
{
    /// <summary>What it is applied to.</summary>
    public required Value Input { get; init; }

    /// <summary>The function; <see cref="Activation.Geglu"/> halves the channels.</summary>
    public required Activation Activation { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<Value> Inputs => [Input];
}

/// <summary><c>LeftScale·left + RightScale·right</c>: a sum, or the blend of a spatial and a temporal branch.</summary>
public sealed record BlendOp : Op
{
    /// <summary>First value.</summary>
    public required Value Left { get; init; }

    /// <summary>Second value, of the same shape.</summary>
    public required Value Right { get; init; }

    /// <summary>Factor of the first.</summary>
    public MixScale LeftScale { get; init; } = MixScale.One;

    /// <summary>Factor of the second.</summary>
    public MixScale RightScale { get; init; } = MixScale.One;

    /// <inheritdoc/>
    public override IEnumerable<Value> Inputs => [Left, Right];
}

/// <summary>Adds a row of a table to every position of an image.</summary>
public sealed record AddRowsOp : Op
{
    /// <summary>The images.</summary>
    public required Value Input { get; init; }

    /// <summary>The rows.</summary>
    public required RowTable Rows { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<Value> Inputs => [Input, Rows.Table];
}

/// <summary>
/// Guidance by drag points (paper, appendix A): in the last <see cref="Frames"/> images, which are the conditional half, the tokens of
/// frame 0 at the source points are added to those of every later frame at the target points; everything else passes unchanged.
/// A row of <see cref="Points"/> holds source x, source y, target x, target y as shares of the picture's width and height; a share s lies in
/// column min(⌊s·W⌋, W−1), the product rounded to float32 before ⌊⌋, rows alike. A row with a negative number is padding and adds nothing.
/// Points that share a target add up, in the order of the rows.
/// </summary>
public sealed record AddTokensOp : Op
{
    /// <summary>Columns of <see cref="Points"/>.</summary>
    public const int Columns = 4;

    /// <summary>The features, <c>[images, H, W, C]</c>.</summary>
    public required Value Input { get; init; }

    /// <summary>The points, <c>[n, 4]</c>.</summary>
    public required Value Points { get; init; }

    /// <summary>Frames of a half; images are a multiple of it.</summary>
    public required int Frames { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<Value> Inputs => [Input, Points];
}

/// <summary>Multiplies by one entry of a row of scalars: <c>out = in·scalars[column]</c>.</summary>
public sealed record ScaleOp : Op
{
    /// <summary>What is scaled.</summary>
    public required Value Input { get; init; }

    /// <summary>A row <c>[1, n]</c>.</summary>
    public required Value Scalars { get; init; }

    /// <summary>Which entry.</summary>
    public required int Column { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<Value> Inputs => [Input, Scalars];
}

/// <summary>
/// The half of the control alignment that does not depend on the U-Net: per image, with the mean and the unbiased standard deviation
/// over all positions and channels of the input, <c>out = (pool(c) − mean c)/(std c + 1e-5)</c>, pooled (adaptive average) to the output's height and width:
/// rows ⌊i·H/h⌋ to ⌈(i+1)·H/h⌉−1, columns alike.
/// </summary>
public sealed record ControlPoolOp : Op
{
    /// <summary>Added to the control features' standard deviation.</summary>
    public const float Epsilon = 1e-5f;

    /// <summary>Control features <c>[images, H, W, C]</c>.</summary>
    public required Value Input { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<Value> Inputs => [Input];
}

/// <summary>
/// Joins the control features: for the last m images of x, with m images of pooled control,
/// <c>out = x + 0.2·scale·(control·std x + mean x)</c>, mean and unbiased standard deviation of x per image over all
/// positions and channels; the images before pass unchanged (the unconditional half has scale 0).
/// </summary>
public sealed record ControlAlignOp : Op
{
    /// <summary>The factor on every control scale (the original's constant).</summary>
    public const float Strength = 0.2f;

    /// <summary>The U-Net's features <c>[images, h, w, C]</c>.</summary>
    public required Value Input { get; init; }

    /// <summary>Output of <see cref="ControlPoolOp"/>, <c>[m, h, w, C]</c>; m ≤ images.</summary>
    public required Value Control { get; init; }

    /// <summary>Control scales, one per control image: m elements.</summary>
    public required Value Scales { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<Value> Inputs => [Input, Control, Scales];
}

/// <summary>
/// Sinusoidal embedding: each input number t becomes <see cref="Dim"/> channels, cosines first:
/// <c>cos(t·10000^(−k/half)), sin(t·10000^(−k/half))</c>, k = 0..half−1, half = Dim/2 (even Dim only). Row-major: the output holds count·Dim numbers,
/// grouped into rows as its shape says.
/// </summary>
public sealed record SinusoidOp : Op
{
    /// <summary>Numbers to embed.</summary>
    public required Value Input { get; init; }

    /// <summary>Channels per number.</summary>
    public required int Dim { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<Value> Inputs => [Input];
}

/// <summary>
/// One row of a table: <c>out = table[index]</c>. A row is as long as the output; the table counts as a list of such rows.
/// The index is read from a value when it changes between runs.
/// </summary>
public sealed record SelectRowOp : Op
{
    /// <summary>The table.</summary>
    public required Value Table { get; init; }

    /// <summary>A value of one element that holds the row as a whole number, or null for <see cref="Row"/>.</summary>
    public Value? Index { get; init; }

    /// <summary>The row when there is no <see cref="Index"/>.</summary>
    public int Row { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<Value> Inputs => [Table, .. Of(Index)];
}

/// <summary>CLIP's token row: the class embedding goes before the patches of each image, and position embeddings are added to all.</summary>
public sealed record ClassTokenOp : Op
{
    /// <summary>Patch features <c>[images, h, w, C]</c>; the output is <c>[images, h·w + 1, C]</c>.</summary>
    public required Value Patches { get; init; }

    /// <summary>The class embedding, C elements.</summary>
    public required WeightVector Class { get; init; }

    /// <summary>Position embeddings, (h·w + 1)·C elements, row-major.</summary>
    public required WeightVector Positions { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<Value> Inputs => [Patches];
}

/// <summary>
/// Makes both guidance halves of what they share: image f of the first half is <c>shared[f]</c>, of the second half <c>shared[f] + conditional[0]</c>.
/// The image latents' part of conv_in joins here: zero for the unconditional half.
/// </summary>
public sealed record JoinHalvesOp : Op
{
    /// <summary>What both halves share, <c>[frames, h, w, C]</c>.</summary>
    public required Value Shared { get; init; }

    /// <summary>What only the conditional half gets, <c>[1, h, w, C]</c>, for every frame.</summary>
    public required Value Conditional { get; init; }

    /// <summary>1: only the conditional half is made; 2: the unconditional one, then the conditional one.</summary>
    public required int Halves { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<Value> Inputs => [Shared, Conditional];
}

/// <summary>
/// Guidance and one Euler step (v-prediction): with scalars σ, σ', w:
/// <c>v = v_u + w·(v_c − v_u)</c> (or v_c alone when there is one half),
/// <c>x0 = v·(−σ/√(σ²+1)) + x/(σ²+1)</c>, <c>out = x + ((x − x0)/σ)·(σ' − σ)</c>, every operation rounded to float32 by itself and in this order.
/// Safe in place (out may share memory with x).
/// </summary>
public sealed record EulerOp : Op
{
    /// <summary>The network's output, <c>[halves·frames, h, w, 4]</c>.</summary>
    public required Value Velocity { get; init; }

    /// <summary>Latents before the step, <c>[frames, h, w, 4]</c>.</summary>
    public required Value Latents { get; init; }

    /// <summary>A row <c>[1, 4]</c>: σ, σ', guidance weight, 1/√(σ²+1).</summary>
    public required Value Scalars { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<Value> Inputs => [Velocity, Latents, Scalars];
}
