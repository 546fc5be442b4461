namespace FramePainter.Evaluation;

/// <summary>The network whose features <see cref="Lpips"/> compares.</summary>
public enum LpipsNetwork
{
    /// <summary>AlexNet of torchvision: the usual choice for judging, and the quick one.</summary>
    Alex,

    /// <summary>VGG-16 of torchvision, without batch norm.</summary>
    Vgg16,
}
