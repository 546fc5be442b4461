// What a pointer does on the picture. Every tool hears begin, move and end, in the picture's pixels.

const SHORTEST_DRAG = 1;

export function makeTools(drawing, brushSize, changed) {
  const brush = erase => {
    let stroke = null;
    return {
      begin(at) { stroke = { kind: 'stroke', points: [at], size: brushSize(), erase }; drawing().preview(stroke); changed(); },
      move(at) { stroke.points.push(at); drawing().preview({ ...stroke, points: stroke.points.slice(-2) }); changed(); },
      end() { drawing().add(stroke); stroke = null; changed(); },
      cancel() { stroke = null; drawing().redraw(); changed(); },
    };
  };

  const arrow = {
    begin(at) { arrow.pending = { kind: 'drag', from: at, to: at }; changed(); },
    move(at) { arrow.pending.to = inside(at, drawing()); changed(); },
    end() {
      const { from, to } = arrow.pending;
      if (Math.hypot(to.x - from.x, to.y - from.y) >= SHORTEST_DRAG) drawing().add(arrow.pending);
      arrow.cancel();
    },
    cancel() { arrow.pending = null; changed(); },
  };

  const lasso = {
    begin(at) {
      const last = drawing().last;
      lasso.grabbed = last?.kind === 'move' && contains(last, at) ? { at, by: last.by } : null;
      lasso.pending = lasso.grabbed ? null : [at];
    },
    move(at) {
      if (lasso.grabbed) {
        const by = { x: lasso.grabbed.by.x + at.x - lasso.grabbed.at.x, y: lasso.grabbed.by.y + at.y - lasso.grabbed.at.y };
        drawing().replace({ ...drawing().last, by });
      } else {
        lasso.pending.push(at);
      }
      changed();
    },
    end() {
      if (lasso.pending?.length > 2) drawing().add({ kind: 'move', region: lasso.pending, by: { x: 0, y: 0 } });
      lasso.cancel();
    },
    cancel() { lasso.pending = lasso.grabbed = null; changed(); },
  };

  return { brush: brush(false), eraser: brush(true), arrow, lasso };
}

function inside(p, { width, height }) {
  return { x: Math.min(Math.max(p.x, 0), width - 0.01), y: Math.min(Math.max(p.y, 0), height - 0.01) };
}

/** Whether a point lies in a moved region, where it is now: by the crossings of a ray. */
function contains({ region, by }, at) {
  const [x, y] = [at.x - by.x, at.y - by.y];
  let within = false;
  for (let i = 0, j = region.length - 1; i < region.length; j = i++) {
    const [a, b] = [region[i], region[j]];
    if (a.y > y !== b.y > y && x < ((b.x - a.x) * (y - a.y)) / (b.y - a.y) + a.x) within = !within;
  }
  return within;
}
