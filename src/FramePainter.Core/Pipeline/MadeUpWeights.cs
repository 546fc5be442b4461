using FramePainter.Tensors;

namespace FramePainter.Pipeline;

/// <summary>Weights of the shapes and types of others, all of one small number.</summary>
internal sealed class MadeUpWeights(IWeightSource shapes) : IWeightSource
{
    const float Number = 1f / 256;

    public TensorView Describe(string name) => shapes.Describe(name);

    public IWeightHandle Open(string name)
    {
        var view = shapes.Describe(name);
        return new Handle(view, NativeBuffer.Unfilled(view.Bytes));
    }

    sealed unsafe class Handle : IWeightHandle
    {
        readonly TensorView _view;
        readonly NativeBuffer _memory;

        public Handle(TensorView view, NativeBuffer memory)
        {
            (_view, _memory) = (view, memory);
            if (view.Type == DType.F32)
            {
                Fill(Number);
            }
            else
            {
                Fill(view.Type == DType.F16 ? BitConverter.HalfToUInt16Bits((Half)Number) : (ushort)(BitConverter.SingleToUInt32Bits(Number) >> 16));
            }
        }

        public TensorView View => _view with { Address = (nint)_memory.Pointer };

        public void Dispose() => _memory.Dispose();

        void Fill<T>(T number)
            where T : unmanaged
        {
            const int piece = 1 << 24;
            for (long at = 0; at < _view.Shape.Count; at += piece)
            {
                _memory.Span<T>(at * sizeof(T), (int)Math.Min(piece, _view.Shape.Count - at)).Fill(number);
            }
        }
    }
}
