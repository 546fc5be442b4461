using System.Collections.Concurrent;

namespace FramePainter.Backends;

/// <summary>
/// Things that are made once a key, when first asked for; threads that ask meanwhile wait. One that could not be made is tried anew by whoever
/// asks next: memory that was refused once may be there later. Thread-safe.
/// </summary>
/// <typeparam name="T">What is made.</typeparam>
public sealed class MadeOnce<T>
    where T : class
{
    readonly ConcurrentDictionary<string, Place> _places = new(StringComparer.Ordinal);

    /// <summary>Everything made so far.</summary>
    public IEnumerable<T> Made => _places.Values.Select(p => p.Thing).OfType<T>();

    /// <summary>The thing of a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="make">Makes it where it is not there.</param>
    public T Get(string key, Func<T> make)
    {
        ArgumentNullException.ThrowIfNull(make);
        var place = _places.GetOrAdd(key, static _ => new Place());
        if (place.Thing is { } there)
        {
            return there;
        }

        lock (place)
        {
            return place.Thing ??= make();
        }
    }

    /// <summary>Forgets everything.</summary>
    public void Clear() => _places.Clear();

    sealed class Place
    {
        volatile T? _thing;

        public T? Thing
        {
            get => _thing;
            set => _thing = value;
        }
    }
}
