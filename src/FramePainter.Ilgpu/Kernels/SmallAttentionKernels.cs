using ILGPU;

namespace FramePainter.Ilgpu.Kernels;

/// <summary>Attention whose probabilities are written out, and attention over two frames.</summary>
internal static class SmallAttentionKernels
{
    /// <summary>Threads of a group.</summary>
    public const int Threads = 256;

    /// <summary>Threads that share a row.</summary>
    public const int Lanes = 32;

    /// <summary>Probabilities of one query. Grid: queries, images·heads.</summary>
    [DeviceKernel]
    public static void Probabilities(AttentionArguments arguments)
    {
        var partial = SharedMemory.Allocate<float>(Threads);
        var set = arguments.Self;
        var thread = Group.IdxX;
        var image = Grid.IdxY / arguments.Heads;
        var head = Grid.IdxY % arguments.Heads;
        var keyImage = image * set.KeyImages / arguments.Images;
        var query = (((image * arguments.Tokens) + Grid.IdxX) * set.QueryStride) + set.QueryFirst + (head * arguments.HeadDim);
        var keys = (keyImage * set.Keys * set.KeyStride) + set.KeyFirst + (head * arguments.HeadDim);
        var row = ((Grid.IdxY * arguments.Tokens) + Grid.IdxX) * set.Keys;
        var largest = float.NegativeInfinity;
        for (var k = thread; k < set.Keys; k += Threads)
        {
            var score = 0f;
            for (var d = 0; d < arguments.HeadDim; d++)
            {
                score += set.Query[query + d] * set.Key[keys + (k * set.KeyStride) + d];
            }

            score *= arguments.Scale;
            arguments.Output[row + k] = score;
            largest = score > largest ? score : largest;
        }

        partial[thread] = largest;
        Group.Barrier();
        for (var i = 0; i < Threads; i++)
        {
            largest = partial[i] > largest ? partial[i] : largest;
        }

        Group.Barrier();
        var sum = 0f;
        for (var k = thread; k < set.Keys; k += Threads)
        {
            var weight = MathF.Exp(arguments.Output[row + k] - largest);
            arguments.Output[row + k] = weight;
            sum += weight;
        }

        partial[thread] = sum;
        Group.Barrier();
        var total = 0f;
        for (var i = 0; i < Threads; i++)
        {
            total += partial[i];
        }

        for (var k = thread; k < set.Keys; k += Threads)
        {
            arguments.Output[row + k] /= total;
        }
    }

    /// <summary>Two queries and two keys, 32 threads for each position and head. Grid: groups of eight.</summary>
    [DeviceKernel]
    public static void Temporal(AttentionArguments arguments)
    {
        var partial = SharedMemory.Allocate<float>(4 * Threads);
        var set = arguments.Self;
        var (lane, item) = (Group.IdxX % Lanes, (Grid.IdxX * (Threads / Lanes)) + (Group.IdxX / Lanes));
        var (dim, tokens) = (arguments.HeadDim, arguments.Tokens);
        var inside = item < arguments.Images / 2 * tokens * arguments.Heads;
        var place = inside ? item / arguments.Heads : 0;
        var head = inside ? item % arguments.Heads : 0;
        var first = (place / tokens * 2 * tokens) + (place % tokens);
        var second = first + tokens;
        var q0 = (first * set.QueryStride) + set.QueryFirst + (head * dim);
        var q1 = (second * set.QueryStride) + set.QueryFirst + (head * dim);
        var k0 = (first * set.KeyStride) + set.KeyFirst + (head * dim);
        var k1 = (second * set.KeyStride) + set.KeyFirst + (head * dim);
        var products = default(Quad);
        for (var d = lane; d < dim; d += Lanes)
        {
            var (a, b, x, y) = (set.Query[q0 + d], set.Query[q1 + d], set.Key[k0 + d], set.Key[k1 + d]);
            products = new Quad(products.X + (a * x), products.Y + (a * y), products.Z + (b * x), products.W + (b * y));
        }

        var own = Group.IdxX * 4;
        partial[own] = products.X;
        partial[own + 1] = products.Y;
        partial[own + 2] = products.Z;
        partial[own + 3] = products.W;
        Group.Barrier();
        var sums = default(Quad);
        var from = (Group.IdxX - lane) * 4;
        for (var i = 0; i < Lanes; i++)
        {
            var at = from + (i * 4);
            sums = new Quad(sums.X + partial[at], sums.Y + partial[at + 1], sums.Z + partial[at + 2], sums.W + partial[at + 3]);
        }

        if (!inside)
        {
            return;
        }

        var share0 = 1 / (1 + MathF.Exp((sums.Y - sums.X) * arguments.Scale));
        var share1 = 1 / (1 + MathF.Exp((sums.W - sums.Z) * arguments.Scale));
        var v0 = (first * set.ValueStride) + set.ValueFirst + (head * dim);
        var v1 = (second * set.ValueStride) + set.ValueFirst + (head * dim);
        var out0 = (first * arguments.OutputStride) + (head * dim);
        var out1 = (second * arguments.OutputStride) + (head * dim);
        for (var d = lane; d < dim; d += Lanes)
        {
            var (x, y) = (set.Value[v0 + d], set.Value[v1 + d]);
            arguments.Output[out0 + d] = (share0 * x) + ((1 - share0) * y);
            arguments.Output[out1 + d] = (share1 * x) + ((1 - share1) * y);
        }
    }
}
