using FramePainter.Graphs;

namespace FramePainter.Conformance;

/// <summary>Linear ops.</summary>
internal static class LinearCases
{
    static readonly (int Images, int Tokens, int Inputs, int Outputs)[] s_sizes =
    [
        (2, 9, 17, 13), (1, 1, 1, 1), (1, 1, 67, 1), (3, 5, 1, 67), (6, 1, 2, 3), (1, 13, 7, 8), (2, 31, 15, 16), (1, 65, 16, 15),
        (5, 2, 31, 33), (4, 8, 64, 64), (1, 6, 65, 32), (2, 7, 33, 48), (1, 100, 3, 5), (1, 14, 129, 7), (3, 11, 40, 95), (1, 257, 20, 24),
        (2, 97, 640, 193), (1, 301, 320, 130), (1, 12, 1280, 320), (1, 1, 1024, 333),
    ];

    public static IEnumerable<OpCase> All
    {
        get
        {
            foreach (var (images, tokens, inputs, outputs) in s_sizes)
            {
                yield return Case($"{images}x{tokens}x{inputs} to {outputs}", c =>
                    c.Graph.Linear(c.Data(images, tokens, inputs), c.Matrix(outputs, inputs), c.Random.Next(3) == 0 ? null : c.Vector(outputs)));
            }

            foreach (var (first, second) in new[] { (1, 1), (5, 12), (16, 3), (33, 34), (64, 64), (320, 17) })
            {
                yield return Case($"concatenated {first}+{second}", c =>
                    c.Graph.Linear(new Operand(c.Data(2, 3, 7, first), c.Data(2, 3, 7, second)), c.Matrix(19, first + second), c.Vector(19)));
            }

            foreach (var (images, stride) in new[] { (4, 2), (6, 3), (2, 2), (6, 2) })
            {
                yield return Case($"every {stride}. of {images} images", c =>
                    c.Graph.Linear(c.Data(images, 7, 21), c.Matrix(18, 21), c.Vector(18), stride));
            }

            yield return Case("every 2. of 4 images concatenated", c =>
                c.Graph.Linear(new Operand(c.Data(4, 5, 9), c.Data(4, 5, 6)), c.Matrix(33, 15), c.Vector(33), 2));
            yield return Case("a table of rows", c => c.Graph.Linear(c.Data(5, 23), c.Matrix(29, 23), c.Vector(29)));
            yield return Case("three tensors along outputs", c => c.Graph.Linear(c.Data(2, 9, 20), new WeightMatrix
            {
                Tensors = [c.Tensor(0, 0.2, 12, 20), c.Tensor(0, 0.2, 7, 20), c.Tensor(0, 0.2, 12, 20)], Join = MatrixJoin.Outputs, Outputs = 31, Inputs = 20,
            }));
            yield return Case("two tensors along inputs", c => c.Graph.Linear(
                c.Data(2, 9, 33),
                new WeightMatrix { Tensors = [c.Tensor(0, 0.2, 21, 20), c.Tensor(0, 0.2, 21, 13)], Join = MatrixJoin.Inputs, Outputs = 21, Inputs = 33 },
                new WeightVector { Tensors = [c.Tensor(0, 1, 21), c.Tensor(0, 1, 21)], Join = VectorJoin.Sum, Count = 21 }));
            yield return Case("a slice of a tensor", c => c.Graph.Linear(
                c.Data(2, 9, 11),
                new WeightMatrix { Tensors = [c.Tensor(0, 0.3, 40, 30)], Outputs = 17, Inputs = 11, FirstOutput = 5, FirstInput = 13 },
                new WeightVector { Tensors = [c.Tensor(0, 1, 40)], Count = 17, First = 5 }));
            yield return Case("a joined bias", c => c.Graph.Linear(
                c.Data(1, 4, 6), c.Matrix(12, 6), new WeightVector { Tensors = [c.Tensor(0, 1, 5), c.Tensor(0, 1, 7)], Count = 12 }));
            yield return Case("rows of unlike size", c =>
            {
                var elements = RandomData.Normals(c.Random, 40 * 24);
                for (var i = 0; i < elements.Length; i++)
                {
                    elements[i] *= i / 24 % 2 == 0 ? 1e6f : 1e-6f;
                }

                return c.Graph.Linear(c.Input(elements, 2, 20, 24), c.Matrix(24, 24));
            }) with { RowByRow = true };

            for (var i = 0; i < Epilogues.Count; i++)
            {
                var combination = i;
                yield return Case($"epilogue {Epilogues.Name(i)}", c =>
                {
                    var outputs = new[] { 5, 16, 19, 37 }[combination % 4] * (Epilogues.Halves(combination) ? 2 : 1);
                    var product = c.Graph.Linear(c.Data(combination % 5 == 0 ? 6 : 4, 7, 10), c.Matrix(outputs, 10), combination % 3 == 0 ? null : c.Vector(outputs));
                    Epilogues.Add(c, product, combination);
                    return product;
                });
            }

            // GEGLU wide enough that its two halves lie in different blocks of any kernel, and with tails in both.
            foreach (var half in new[] { 1, 32, 67, 320 })
            {
                yield return Case($"GEGLU {half}", c =>
                {
                    var product = c.Graph.Linear(c.Data(2, 21, 64), c.Matrix(2 * half, 64), c.Vector(2 * half));
                    c.Change(op => (LinearOp)op with
                    {
                        Epilogue = new Epilogue { Activation = Activation.Geglu },
                        Outputs = [new Value(op.Output.Id, op.Output.Name, op.Output.Shape.WithChannels(half), op.Output.Rate)],
                    });
                    return product;
                });
            }
        }
    }

    static OpCase Case(string name, Func<CaseBuilder, Value> build) =>
        new($"linear {name}", typeof(LinearOp), c => c.Graph.Output(build(c), "out"));
}
