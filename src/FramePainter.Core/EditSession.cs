using FramePainter.Pipeline;

namespace FramePainter;

/// <summary>An edit that a session made.</summary>
/// <param name="Signal">What was to change.</param>
/// <param name="Options">How, without the progress callback and its previews.</param>
/// <param name="Result">What came of it.</param>
public sealed record SessionEdit(Signal Signal, EditOptions Options, EditResult Result);

/// <summary>
/// Several edits of one picture, made by <see cref="Painter.Open"/>. What belongs to the picture is kept: its CLIP row, its latents for each seed and working size,
/// the plans and memory of the last kind of edit, and the control features of the last signal, so that later edits pay for little but denoising and decoding.
/// Results are those of a fresh painter, bit for bit. Safe to use from several threads; its edits wait for one another.
/// </summary>
public sealed class EditSession : IDisposable
{
    readonly Painter _painter;
    readonly PictureCache _picture;
    readonly List<SessionEdit> _history = [];
    readonly Lock _editing = new();
    bool _disposed;

    internal EditSession(Painter painter, PixelImage image)
    {
        _painter = painter;
        _picture = new PictureCache(image);
    }

    /// <summary>The picture that is edited.</summary>
    public PixelImage Picture => _picture.Image;

    /// <summary>The edits made and not undone, the last one at the end, as they are now: as many as <see cref="EditLimits.History"/>, of which the oldest makes room. Results are kept until they are undone or the session goes.</summary>
    public IReadOnlyList<SessionEdit> History
    {
        get
        {
            lock (_history)
            {
                return [.. _history];
            }
        }
    }

    /// <summary>Edits the session's picture. See <see cref="Painter.Edit"/> for the errors.</summary>
    /// <param name="signal">What is to change.</param>
    /// <param name="options">How; the original's defaults when left out.</param>
    /// <param name="cancel">Looked at between the tiles of every kernel; a cancelled edit leaves the session usable.</param>
    /// <exception cref="ObjectDisposedException">The session or its painter is disposed.</exception>
    public EditResult Edit(Signal signal, EditOptions? options = null, CancellationToken cancel = default)
    {
        RefuseReentry();
        lock (_editing)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            options ??= EditOptions.Default;
            var result = _painter.Run(_picture, signal, options, cancel);
            lock (_history)
            {
                if (_history.Count >= _painter.Limits.History)
                {
                    _history.RemoveRange(0, _history.Count - _painter.Limits.History + 1);
                }

                _history.Add(new SessionEdit(signal, options with { Progress = null, Preview = false }, result));
            }

            return result;
        }
    }

    /// <summary>Edits the session's picture on a thread of its own. See <see cref="Edit"/>.</summary>
    /// <param name="signal">What is to change.</param>
    /// <param name="options">How.</param>
    /// <param name="cancel">Looked at between the tiles of every kernel.</param>
    public Task<EditResult> EditAsync(Signal signal, EditOptions? options = null, CancellationToken cancel = default) =>
        Task.Factory.StartNew(() => Edit(signal, options, cancel), cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>Several edits that differ by their seed alone; they share the control features.</summary>
    /// <param name="signal">What is to change.</param>
    /// <param name="seeds">The seeds, at least one; each makes one entry of the history.</param>
    /// <param name="options">How; their seed is not used.</param>
    /// <param name="cancel">Looked at between the tiles of every kernel. Variants finished before stay in the history.</param>
    /// <returns>A result for each seed, in their order.</returns>
    /// <exception cref="OptionException">There are no seeds, or an option is out of range.</exception>
    /// <exception cref="ObjectDisposedException">The session or its painter is disposed.</exception>
    public IReadOnlyList<EditResult> EditVariants(Signal signal, IEnumerable<long> seeds, EditOptions? options = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(seeds);
        long[] list = [.. seeds];
        if (list.Length == 0)
        {
            throw new OptionException(nameof(seeds), "There are no seeds; give at least one.");
        }

        return [.. list.Select(seed => Edit(signal, (options ?? EditOptions.Default) with { Seed = seed }, cancel))];
    }

    /// <summary>Takes the last edit out of the history.</summary>
    /// <returns>The edit that is the last one now, or null when none is left.</returns>
    /// <exception cref="InvalidOperationException">There is no edit to undo.</exception>
    public SessionEdit? Undo()
    {
        lock (_history)
        {
            if (_history.Count == 0)
            {
                throw new InvalidOperationException("There is no edit to undo.");
            }

            _history.RemoveAt(_history.Count - 1);
            return _history.Count == 0 ? null : _history[^1];
        }
    }

    /// <summary>Opens a session on the edited picture of a result: edits that build on each other. This session stays open, to go back to.</summary>
    /// <param name="result">A result, of this session or any other.</param>
    /// <exception cref="ObjectDisposedException">The painter is disposed.</exception>
    public EditSession Continue(EditResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return _painter.Open(result.Edited);
    }

    /// <summary>Gives the session's memory back. Waits for an edit that runs; edits begun afterwards fail. The history can still be read. Must not be called from a progress callback.</summary>
    public void Dispose()
    {
        RefuseReentry();
        lock (_editing)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            _picture.Dispose();
        }

        _painter.Forget(this, _picture);
    }

    /// <summary>A progress callback runs inside an edit: one within it would pull the memory from under the other.</summary>
    void RefuseReentry()
    {
        if (_editing.IsHeldByCurrentThread)
        {
            throw new InvalidOperationException("A progress callback must neither edit with its own session nor dispose it; cancel the edit and do so afterwards.");
        }
    }
}
