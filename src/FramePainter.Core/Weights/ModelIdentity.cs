namespace FramePainter.Weights;

/// <summary>SHA-256 of a checkpoint's files, computed on a thread of its own while the first edit runs, or remembered from before.</summary>
sealed class ModelIdentity : IDisposable
{
    readonly CancellationTokenSource _stop = new();
    readonly Task<IReadOnlyDictionary<string, string>> _hashes;

    /// <summary>Begins.</summary>
    /// <param name="files">The files.</param>
    /// <param name="cache">What was computed before; null to compute all.</param>
    public ModelIdentity(IReadOnlyList<CheckpointFile> files, HashCache? cache)
    {
        var stop = _stop.Token;
        _hashes = Task.Factory.StartNew<IReadOnlyDictionary<string, string>>(
            () => files.ToDictionary(f => $"{f.Part}/{Path.GetFileName(f.Path)}", f => cache?.Of(f.Path, stop) ?? WeightHashes.Of(f.Path, stop), StringComparer.Ordinal),
            stop, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>The hashes by part and file name, once they are known.</summary>
    /// <exception cref="CheckpointException">A file could no longer be read.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The painter was disposed before they were known.</exception>
    public IReadOnlyDictionary<string, string> Wait(CancellationToken cancel)
    {
        try
        {
            _hashes.Wait(cancel);
        }
        catch (AggregateException)
        {
            // The task throws it again as it is.
        }

        ObjectDisposedException.ThrowIf(_hashes.IsCanceled, typeof(Painter));
        return _hashes.GetAwaiter().GetResult();
    }

    /// <summary>Ends the work where it is under way.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        try
        {
            _hashes.Wait(CancellationToken.None);
        }
        catch (AggregateException)
        {
            // Ended, or failed with nobody to tell.
        }

        _stop.Dispose();
    }
}
