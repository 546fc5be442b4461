// Keyboard shortcuts: a table of what each key does, left alone while a field is typed in.

export function listen(actions) {
  document.addEventListener('keydown', event => {
    const typing = event.target.matches('input[type="number"], textarea');
    const command = event.ctrlKey || event.metaKey;
    const key = `${command ? 'Ctrl+' : ''}${event.shiftKey ? 'Shift+' : ''}${event.key.length === 1 ? event.key.toUpperCase() : event.key}`;
    const action = actions[key];
    // Sliders have the arrow keys to themselves.
    const sliding = event.target.matches('input[type="range"]') && key.startsWith('Arrow');
    if (!action || event.altKey || sliding || (typing && key !== 'Ctrl+Enter' && key !== 'Escape')) return;
    event.preventDefault();
    action();
  });
}
