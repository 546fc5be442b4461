namespace FramePainter;

/// <summary>What an edit warns of.</summary>
public enum EditWarningKind
{
    /// <summary>Drag points were given, and the released weights were trained on sketches alone: the result may not follow them. No concern with weights trained for points.</summary>
    PointsUntrained,

    /// <summary>A replay ran on another device or version than the edit, or its model or picture could not be compared: the pixels may differ.</summary>
    ReplayUnverified,
}

/// <summary>Something about a result that its user should know, though nothing failed.</summary>
/// <param name="Kind">What it is about, for programs.</param>
/// <param name="Message">The same for people.</param>
public readonly record struct EditWarning(EditWarningKind Kind, string Message);
