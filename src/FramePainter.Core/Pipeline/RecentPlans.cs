namespace FramePainter.Pipeline;

/// <summary>
/// Plans by what they depend on: built when first asked for, and so many kept; the one unused for longest makes room. Threads that ask for the same
/// plan wait for the one that builds it; what could not be built is tried again by whoever asks next.
/// </summary>
/// <param name="capacity">Plans that are kept, at least one.</param>
internal sealed class RecentPlans(int capacity)
{
    readonly Lock _gate = new();
    readonly Dictionary<(string Part, DenoiseKey Key), LinkedListNode<Place>> _places = [];

    // The one used last stands first.
    readonly LinkedList<Place> _order = new();

    /// <summary>How many are kept now.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _places.Count;
            }
        }
    }

    /// <summary>The plan of a key.</summary>
    /// <param name="key">What it depends on, with its network.</param>
    /// <param name="build">Builds it where it is not kept.</param>
    public object Get((string Part, DenoiseKey Key) key, Func<object> build)
    {
        var place = PlaceOf(key);
        lock (place)
        {
            return place.Plan ??= build();
        }
    }

    Place PlaceOf((string Part, DenoiseKey Key) key)
    {
        lock (_gate)
        {
            if (_places.TryGetValue(key, out var node))
            {
                _order.Remove(node);
            }
            else
            {
                node = new LinkedListNode<Place>(new Place(key));
                _places.Add(key, node);
                if (_places.Count > capacity)
                {
                    _places.Remove(_order.Last!.Value.Key);
                    _order.RemoveLast();
                }
            }

            _order.AddFirst(node);
            return node.Value;
        }
    }

    sealed class Place((string Part, DenoiseKey Key) key)
    {
        public (string Part, DenoiseKey Key) Key => key;

        public object? Plan { get; set; }
    }
}
