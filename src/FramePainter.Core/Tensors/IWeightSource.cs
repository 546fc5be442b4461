namespace FramePainter.Tensors;

/// <summary>
/// Where a backend takes weights from. Names carry their part as a prefix:
/// <c>unet.</c>, <c>control.</c>, <c>vae.</c>, <c>clip.</c>, followed by the tensor's name in its file.
/// </summary>
public interface IWeightSource
{
    /// <summary>Opens one tensor. The view lives until the handle is disposed, so that at most the tensors being packed are in memory.</summary>
    /// <param name="name">The prefixed name.</param>
    /// <exception cref="CheckpointException">There is no such tensor, or it can no longer be read.</exception>
    IWeightHandle Open(string name);

    /// <summary>A tensor's type and shape, without reading its bytes where the source knows them: the view's address is 0.</summary>
    /// <param name="name">The prefixed name.</param>
    /// <exception cref="CheckpointException">There is no such tensor.</exception>
    TensorView Describe(string name)
    {
        using var handle = Open(name);
        return handle.View with { Address = 0 };
    }
}

/// <summary>A tensor held open for reading.</summary>
public interface IWeightHandle : IDisposable
{
    /// <summary>The tensor.</summary>
    TensorView View { get; }
}
