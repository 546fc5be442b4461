using Google.Protobuf;

namespace FramePainter.Benchmarks.Peer;

/// <summary>
/// Writes an ONNX model as protobuf (onnx.proto, IR version 8, opset 17 and the runtime's own domain).
/// Field numbers are those of that file; only what the peer's graphs need is here.
/// </summary>
internal sealed class OnnxModel
{
    /// <summary>The runtime's own operators: fused attention, exact GELU.</summary>
    public const string RuntimeDomain = "com.microsoft";

    readonly List<ByteString> _nodes = [];
    readonly List<ByteString> _initializers = [];
    readonly List<ByteString> _inputs = [];
    readonly List<ByteString> _outputs = [];
    int _names;

    enum TensorType
    {
        Float = 1,
        Int64 = 7,
    }

    /// <summary>A constant of floats.</summary>
    public string Constant(ReadOnlySpan<float> values, params long[] dims)
    {
        var bytes = new byte[values.Length * sizeof(float)];
        System.Runtime.InteropServices.MemoryMarshal.AsBytes(values).CopyTo(bytes);
        return Initializer(TensorType.Float, bytes, dims);
    }

    /// <summary>A constant list of whole numbers.</summary>
    public string Constant(params long[] values)
    {
        var bytes = new byte[values.Length * sizeof(long)];
        Buffer.BlockCopy(values, 0, bytes, 0, bytes.Length);
        return Initializer(TensorType.Int64, bytes, values.Length);
    }

    /// <summary>An input of floats.</summary>
    public string Input(string name, params long[] dims)
    {
        _inputs.Add(ValueInfo(name, dims));
        return name;
    }

    /// <summary>Makes a value an output under a name.</summary>
    public void Output(string value, string name, params long[] dims)
    {
        Node("Identity", [value], [name]);
        _outputs.Add(ValueInfo(name, dims));
    }

    /// <summary>A node with one output.</summary>
    public string Node(string op, string[] inputs, params (string Name, object Value)[] attributes)
    {
        var output = Fresh();
        Node(op, inputs, [output], attributes);
        return output;
    }

    /// <summary>A node.</summary>
    public void Node(string op, string[] inputs, string[] outputs, params (string Name, object Value)[] attributes) => _nodes.Add(Message(w =>
    {
        foreach (var input in inputs)
        {
            Text(w, 1, input);
        }

        foreach (var output in outputs)
        {
            Text(w, 2, output);
        }

        Text(w, 3, Fresh());
        Text(w, 4, op);
        foreach (var (name, value) in attributes)
        {
            Bytes(w, 5, Attribute(name, value));
        }

        Text(w, 7, op is "MultiHeadAttention" or "Gelu" ? RuntimeDomain : "");
    }));

    /// <summary>A name that no other value has.</summary>
    public string Fresh() => $"t{_names++}";

    /// <summary>The whole file.</summary>
    public byte[] ToBytes()
    {
        var graph = Message(w =>
        {
            _nodes.ForEach(n => Bytes(w, 1, n));
            Text(w, 2, "graph");
            _initializers.ForEach(i => Bytes(w, 5, i));
            _inputs.ForEach(i => Bytes(w, 11, i));
            _outputs.ForEach(o => Bytes(w, 12, o));
        });
        return Message(w =>
        {
            Number(w, 1, 8);
            Bytes(w, 7, graph);
            Bytes(w, 8, Opset("", 17));
            Bytes(w, 8, Opset(RuntimeDomain, 1));
        }).ToByteArray();
    }

    static ByteString Opset(string domain, long version) => Message(w =>
    {
        Text(w, 1, domain);
        Number(w, 2, version);
    });

    string Initializer(TensorType type, byte[] bytes, params long[] dims)
    {
        var name = Fresh();
        _initializers.Add(Message(w =>
        {
            foreach (var dim in dims)
            {
                Number(w, 1, dim);
            }

            Number(w, 2, (long)type);
            Text(w, 8, name);
            Bytes(w, 9, UnsafeByteOperations.UnsafeWrap(bytes));
        }));
        return name;
    }

    static ByteString ValueInfo(string name, long[] dims)
    {
        var shape = Message(w =>
        {
            foreach (var dim in dims)
            {
                Bytes(w, 1, Message(d => Number(d, 1, dim)));
            }
        });
        var tensor = Message(w =>
        {
            Number(w, 1, (long)TensorType.Float);
            Bytes(w, 2, shape);
        });
        return Message(w =>
        {
            Text(w, 1, name);
            Bytes(w, 2, Message(t => Bytes(t, 1, tensor)));
        });
    }

    static ByteString Attribute(string name, object value) => Message(w =>
    {
        const int isFloat = 1, isInt = 2, isText = 3, isInts = 7, type = 20;
        Text(w, 1, name);
        switch (value)
        {
            case float number:
                w.WriteTag(2, WireFormat.WireType.Fixed32);
                w.WriteFloat(number);
                Number(w, type, isFloat);
                break;
            case int number:
                Number(w, 3, number);
                Number(w, type, isInt);
                break;
            case string text:
                Text(w, 4, text);
                Number(w, type, isText);
                break;
            case long[] numbers:
                foreach (var number in numbers)
                {
                    Number(w, 8, number);
                }

                Number(w, type, isInts);
                break;
            default:
                throw new NotSupportedException($"An attribute of {value.GetType()} is not needed so far.");
        }
    });

    static ByteString Message(Action<CodedOutputStream> write)
    {
        using var stream = new MemoryStream();
        using (var coded = new CodedOutputStream(stream, leaveOpen: true))
        {
            write(coded);
        }

        return UnsafeByteOperations.UnsafeWrap(stream.ToArray());
    }

    static void Text(CodedOutputStream w, int field, string text)
    {
        w.WriteTag(field, WireFormat.WireType.LengthDelimited);
        w.WriteString(text);
    }

    static void Bytes(CodedOutputStream w, int field, ByteString bytes)
    {
        w.WriteTag(field, WireFormat.WireType.LengthDelimited);
        w.WriteBytes(bytes);
    }

    static void Number(CodedOutputStream w, int field, long number)
    {
        w.WriteTag(field, WireFormat.WireType.Varint);
        w.WriteInt64(number);
    }
}
